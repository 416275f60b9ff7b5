"""Data pools and conversations with agents, which clients of the Core API create (FLOWS 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from sandbox.platform.flows import records
from tests.web.core.conftest import Core

MakeCore = Callable[..., Core]


def test_data_pool_is_created_changed_listed_and_deleted(core: Core) -> None:
    created = core.call("POST", "/data-pool/", json={"name": " Order numbers ", "description": ""})
    assert created.status_code == 200
    pool: Any = created.json
    number = pool["data"]["id"]
    assert (pool["data"]["name"], pool["data"]["description"]) == ("Order numbers", None)

    changed: Any = core.call("PATCH", f"/data-pool/{number}", json={"description": "By shop"}).json
    assert (changed["data"]["name"], changed["data"]["description"]) == ("Order numbers", "By shop")
    assert core.get(f"/data-pool/{number}").json == changed
    assert core.ids("/data-pool/", filter__name="order", sort="-name") == [number]
    assert core.ids(f"/data-pool/{number}/deduped-data", page=1, per_page=50) == []

    assert core.call("DELETE", f"/data-pool/{number}").status_code == 200
    assert core.get(f"/data-pool/{number}").status_code == 404
    assert core.ids("/data-pool") == []


def test_status_of_a_new_data_pool_is_a_setting(make_core: MakeCore) -> None:
    assert make_core(core_created_status=201).call("POST", "/data-pool", json={"name": "Orders"}).status_code == 201


def test_patch_can_be_asked_for_by_a_post(core: Core) -> None:
    number = core.call("POST", "/data-pool", json={"name": "Orders"}).json["data"]["id"]  # type: ignore[index]

    changed = Client(core.http.application).post(
        f"/api/v1/data-pool/{number}",
        data={"_method": "PATCH", "name": "Shipments"},
        headers={"Authorization": core.key},
    )

    assert changed.status_code == 200
    assert core.get(f"/data-pool/{number}").json["data"]["name"] == "Shipments"  # type: ignore[index]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "The name field is required."),
        ({"name": "   "}, "The name field is required."),
        ({"name": "ab"}, "The name field must be at least 3 characters."),
        ({"name": "a" * 101}, "The name field must not be greater than 100 characters."),
        ({"name": 123}, "The name field must be a string."),
        ({"name": ["abc"]}, "The name field must be a string."),
        ({"name": "abc", "description": "a" * 256}, "The description field must not be greater than 255 characters."),
        ({"name": "abc", "description": {"a": 1}}, "The description field must be a string."),
    ],
)
def test_data_pool_of_other_values_is_refused(core: Core, given: dict[str, Any], message: str) -> None:
    refused = core.call("POST", "/data-pool", json=given)

    assert refused.status_code == 422
    assert refused.json["message"] == message  # type: ignore[index]
    assert core.ids("/data-pool") == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"5", b"[" * 100_000, b"\xff\xfe", b'{"name": "\\ud800"}'])
def test_body_that_has_no_fields_is_refused(core: Core, body: bytes) -> None:
    refused = core.call("POST", "/data-pool", data=body, headers={"Content-Type": "application/json"})

    assert refused.status_code == 422


def test_conversation_is_begun_replied_to_and_read(core: Core) -> None:
    begun = core.call(
        "POST", "/agents/conversations", json={"feature": "support", "prompt": "Why?", "payload": {"a": 1}}
    )
    number = begun.json["data"]["id"]  # type: ignore[index]
    replied = core.call("POST", f"/agents/conversations/{number}/reply", json={"message": "And before?"})

    whole: Any = core.get(f"/agents/conversations/{number}").json

    assert (begun.status_code, replied.status_code) == (201, 202)
    assert [message["content"] for message in whole["data"]["messages"]] == ["Why?", "And before?"]
    assert core.ids(
        "/agents/conversations", filter__title="why", filter__feature_type="support", sort="-created_at"
    ) == [number]
    assert core.ids("/agents/conversations", filter__feature_type="other") == []
    assert core.ids("/ai/conversations", filter__status="open", filter__type="agent", filter__reported="false") == [
        number
    ]
    assert "messages" not in core.get("/agents/conversations").json["data"][0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("", {}),
        ("", {"feature": "support"}),
        ("", {"feature": 1, "prompt": "x"}),
        ("/1/reply", {}),
        ("/1/reply", {"message": []}),
    ],
)
def test_conversation_without_words_is_refused(core: Core, path: str, given: dict[str, Any]) -> None:
    core.call("POST", "/agents/conversations", json={"feature": "support", "prompt": "Why?"})

    assert core.call("POST", f"/agents/conversations{path}", json=given).status_code == 422


def test_number_of_records_is_bounded(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_RECORDS", 2)
    monkeypatch.setattr(records, "MAX_MESSAGES", 2)
    talk = {"feature": "support", "prompt": "Why?"}

    pools = [core.call("POST", "/data-pool", json={"name": f"Pool {number}"}).status_code for number in range(3)]
    number = core.call("POST", "/agents/conversations", json=talk).json["data"]["id"]  # type: ignore[index]
    replies = [
        core.call("POST", f"/agents/conversations/{number}/reply", json={"message": "And?"}).status_code
        for _ in range(2)
    ]

    assert (pools, replies) == ([200, 200, 422], [202, 422])


def test_records_survive_a_saved_state_and_are_gone_after_a_reset(core: Core) -> None:
    core.call("POST", "/data-pool", json={"name": "Orders"})
    core.call("POST", "/agents/conversations", json={"feature": "support", "prompt": "Why?"})
    before = [core.get(path).json["data"] for path in ("/data-pool", "/agents/conversations")]  # type: ignore[index]
    state = core.http.get("/_sandbox/state?secrets=true").json

    core.http.put("/_sandbox/state", json=state)
    assert [core.get(path).json["data"] for path in ("/data-pool", "/agents/conversations")] == before  # type: ignore[index]
    assert core.call("POST", "/data-pool", json={"name": "Next"}).json["data"]["id"] == 3  # type: ignore[index]

    core.http.post("/_sandbox/reset")
    assert core.sandbox.platform.store.flows.records.all(records.DataPool, "acme") == []
    assert core.sandbox.platform.store.flows.records.all(records.Conversation, "acme") == []


def test_look_at_the_lists_leaves_no_records_in_a_saved_state(core: Core) -> None:
    assert core.ids("/data-pool") == core.ids("/agents/conversations") == []

    assert core.http.get("/_sandbox/state").json["platform"]["records"] is None  # type: ignore[index]
