"""Faults, presets and duplicates over HTTP."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import KINDS
from tests.conftest import Integration
from tests.faults.test_rules import EXAMPLES
from tests.web.control.problem import detail

RULE = {"fault": {"kind": "status", "code": 503}, "match": {"endpoint": "inbound"}, "times": 2}


def test_rule_is_added_listed_shown_and_removed(integration: Integration) -> None:
    added = integration.control("POST", "/faults", RULE)

    assert added.status_code == 201
    assert added.json == {
        "id": "fault-1",
        "created_at": added.json["created_at"],
        "seen": 0,
        "hits": 0,
        "used_up": False,
        "rule": RULE,
    }
    assert integration.control("GET", "/faults").json == {"faults": [added.json]}
    assert integration.control("GET", "/faults/fault-1").json == added.json
    assert integration.control("DELETE", "/faults/fault-1").json == added.json
    assert integration.control("GET", "/faults").json == {"faults": []}
    assert integration.control("GET", "/faults/fault-1").status_code == 404
    assert integration.control("DELETE", "/faults/fault-1").status_code == 404


def test_rule_counts_and_stays_listed_when_it_is_used_up(integration: Integration) -> None:
    integration.control("POST", "/faults", {**RULE, "fault": {"kind": "status", "code": 500}, "times": 1})
    token = integration.token()

    statuses = [integration.post(token=token).status_code for _ in range(2)]

    assert statuses == [500, 200]
    (rule,) = integration.control("GET", "/faults").json["faults"]
    assert (rule["seen"], rule["hits"], rule["used_up"]) == (1, 1, True)
    (_, faulted, _) = integration.control("GET", "/requests").json["entries"]
    seen = {name: faulted[name] for name in ("outcome", "accepted", "fault", "effect", "status")}
    assert seen == {
        "outcome": "faulted",
        "accepted": False,
        "fault": "fault-1",
        "effect": "status: answered 500",
        "status": 500,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_added(integration: Integration, kind: str) -> None:
    fault = EXAMPLES[kind].document()

    response = integration.control("POST", "/faults", {"fault": fault})

    assert (response.status_code, response.json["rule"]["fault"]) == (201, fault)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"fault": {"kind": "latancy"}}, 422, "did you mean 'latency'?"),
        ({"fault": {"kind": "status", "code": 503, "headers": {"content-LENGTH": "9"}}}, 422, "truncated_body"),
        ({"fault": {"kind": "status", "code": 503, "headers": {"Transfer-Encoding": "x"}}}, 422, "truncated_body"),
        ({"fault": {"kind": "hang"}, "tims": 2}, 422, "did you mean 'times'?"),
        ({}, 422, "fault: missing; give a fault: an object"),
        ([], 422, "use a JSON object"),
    ],
)
def test_wrong_rule_is_refused_telling_what_is_known(
    integration: Integration, body: Any, status: int, said: str
) -> None:
    response = integration.control("POST", "/faults", body)

    assert response.status_code == status
    assert said in response.json["detail"]


def test_rule_is_replaced_and_keeps_its_id_and_place(integration: Integration) -> None:
    for code in (500, 503):
        integration.control("POST", "/faults", {"fault": {"kind": "status", "code": code}, "times": 1})
    assert integration.request_token().status_code == 500

    rule = {"fault": {"kind": "status", "code": 504}, "match": {"endpoint": "inbound"}}
    state = integration.control("PUT", "/faults/fault-1", rule).get_json()

    assert (state["id"], state["rule"], state["seen"], state["hits"]) == ("fault-1", rule, 0, 0)
    listed = integration.control("GET", "/faults").get_json()["faults"]
    assert [each["id"] for each in listed] == ["fault-1", "fault-2"]
    assert integration.request_token().status_code == 503
    assert "fault-9" in detail(integration.control("PUT", "/faults/fault-9", rule), 404)
    assert "code" in detail(integration.control("PUT", "/faults/fault-1", {"fault": {"kind": "status"}}), 422)


def test_all_rules_are_removed(integration: Integration) -> None:
    for _ in range(3):
        integration.control("POST", "/faults", RULE)

    assert integration.control("DELETE", "/faults").json == {"deleted": 3}
    assert integration.control("GET", "/faults").json == {"faults": []}


def test_reset_removes_the_rules(integration: Integration) -> None:
    integration.control("POST", "/faults", RULE)

    integration.control("POST", "/reset")

    assert integration.control("GET", "/faults").json == {"faults": []}


def test_presets_are_listed_with_their_stories_and_rules(integration: Integration) -> None:
    presets = {preset["name"]: preset for preset in integration.control("GET", "/fault-presets").json["presets"]}

    assert presets["two-503s-then-fine"]["title"] == "Two 503s, then fine"
    assert "third try succeeds" in presets["two-503s-then-fine"]["story"]
    assert presets["two-503s-then-fine"]["rules"] == [
        {
            "name": "two-503s-then-fine",
            "match": {"endpoint": "inbound"},
            "fault": {"kind": "status", "code": 503},
            "times": 2,
        }
    ]


def test_preset_is_used_and_narrowed(integration: Integration) -> None:
    response = integration.control(
        "POST", "/fault-presets/rate-limited-for-a-minute", {"match": {"vanity_url": "orders"}}
    )

    assert response.status_code == 201
    assert [rule["rule"]["match"] for rule in response.json["faults"]] == [
        {"endpoint": "inbound", "vanity_url": "orders"},
        {"endpoint": "token"},
    ]
    assert integration.control("GET", "/faults").json == response.json


def test_unknown_preset_is_told_with_the_known_ones(integration: Integration) -> None:
    response = integration.control("POST", "/fault-presets/nope")

    assert response.status_code == 404
    assert "two-503s-then-fine" in response.json["detail"]


def test_presets_of_ones_own_load_from_a_folder(make_integration: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("title: Mine\nstory: All mine.\nrules: [{fault: {kind: hang}}]\n")
    integration = make_integration(presets_dir=str(tmp_path))

    assert integration.control("POST", "/fault-presets/mine").json["faults"][0]["rule"] == {
        "name": "mine",
        "fault": {"kind": "hang"},
    }
    names = [preset["name"] for preset in integration.control("GET", "/fault-presets").json["presets"]]
    assert {"mine", "slow-platform"} <= set(names)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: [", ": is not YAML: "),
        ("title: &a x\nstory: *a\nrules: []", "anchors and aliases (&a, *a) are not allowed"),
        ("- 1", "an object with the keys title, story, rules"),
        ("titel: x", "did you mean 'title'?"),
        ("story: x\nrules: [{fault: {kind: hang}}]", "mine.yaml: title"),
        ("title: x\nstory: y\nrules: []", "mine.yaml: rules"),
        ("title: x\nstory: y\nrules: [{fault: {kind: hagn}}]", "mine.yaml: rules[0].fault.kind"),
    ],
)
def test_broken_preset_is_refused_naming_its_file(make_integration: Any, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)

    response = make_integration(presets_dir=str(tmp_path)).control("GET", "/fault-presets")

    assert response.status_code == 422
    assert said in response.json["detail"]


@pytest.mark.parametrize(
    "text",
    [
        "example.test: {user: ada, oauth_token: hush-0123}",
        "hush-0123",
        "[hush-0123]",
        "title: [hush-0123]",
        "title: x\nstory: y\nrules: hush-0123",
        "title: x\nstory: y\nrules: [hush-0123]",
        "title: x\nstory: y\nrules: [{fault: {kind: hush-0123}}]",
        "title: x\nstory: y\nrules: [{fault: {kind: hang}, match: {endpoint: hush-0123}}]",
        "title: x\nstory: y\nrules: [{fault: {kind: hang}, password: hush-0123}]",
        "password: @hush-0123",
        'password: "hush-0123',
        "password: ${hush-0123}\npassword: hush-0123",
    ],
)
def test_refused_preset_shows_no_value_of_the_file(make_integration: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    integration = make_integration(presets_dir=str(tmp_path))

    for method, path in (("GET", "/fault-presets"), ("POST", "/fault-presets/mine"), ("GET", "/dashboard/faults")):
        answer = integration.control(method, path)
        assert "mine.yaml" in answer.text
        assert "hush" not in answer.text


def test_folder_of_presets_is_set_at_the_start_only(integration: Integration, tmp_path: Path) -> None:
    response = integration.control("PATCH", "/settings", {"presets_dir": str(tmp_path)})

    assert response.status_code == 422
    assert "use it at the start only" in response.json["errors"][0]["message"]


def test_folder_of_presets_that_is_not_there_is_told(make_integration: Any, tmp_path: Path) -> None:
    response = make_integration(presets_dir=str(tmp_path / "no")).control("GET", "/fault-presets")

    assert response.status_code == 422
    assert "this one does not exist" in response.json["detail"]


def test_folder_of_presets_that_may_not_be_read_is_told(
    make_integration: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration, iterdir = make_integration(presets_dir=str(tmp_path)), Path.iterdir

    def closed(path: Path) -> Any:
        if path == tmp_path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", closed)
    response = integration.control("GET", "/fault-presets")

    assert response.status_code == 422
    assert "this one cannot be read (Permission denied)" in response.json["detail"]


# --- duplicates -----------------------------------------------------------------------------------------------------


def send(integration: Integration, *bodies: object) -> None:
    token = integration.token()
    for body in bodies:
        integration.post(body if isinstance(body, bytes) else json.dumps(body).encode(), token=token)


FIRST = {"order": "1001", "total": 5}
SWAPPED = {"total": 5, "order": "1001"}
CHANGED = {"order": "1001", "total": 6}
DEEP = b"[" * 200 + b"]" * 200


@pytest.mark.parametrize(
    ("bodies", "query", "groups"),
    [
        pytest.param([FIRST, FIRST], {}, [("bytes", None, 2)], id="same bytes"),
        pytest.param([FIRST, SWAPPED], {}, [("json", None, 2)], id="same JSON"),
        pytest.param([FIRST, SWAPPED], {"by": "bytes"}, [], id="same JSON is not the same bytes"),
        pytest.param([FIRST, CHANGED], {}, [], id="different"),
        pytest.param([FIRST, CHANGED], {"json_path": "$.order"}, [("json_path", "1001", 2)], id="same order number"),
        pytest.param(
            [FIRST, SWAPPED], {"json_path": "$.order"}, [("json", "1001", 2)], id="by order number, same JSON"
        ),
        pytest.param([b"text", b"text"], {}, [("bytes", None, 2)], id="not JSON"),
        pytest.param([b"text", b"text"], {"json_path": "$.order"}, [], id="no such key"),
        pytest.param([b'{"a":[10]}', b'{"a":[10.0]}', b'{"a":[1e1]}'], {}, [("json", None, 3)], id="same numbers"),
        pytest.param([b'{"a":10}', b'{"b":1,"a":1e1}'], {"json_path": "$.a"}, [("json_path", 10, 2)], id="same number"),
        pytest.param([b'{"a":[1]}', b'{"a":[true]}'], {}, [], id="true is not 1"),
        pytest.param([DEEP, DEEP], {"json_path": "$..order"}, [], id="deeper than a query can follow"),
        pytest.param([FIRST, CHANGED, FIRST, CHANGED], {}, [("bytes", None, 2), ("bytes", None, 2)], id="two of two"),
    ],
)
def test_duplicates_tell_how_they_are_alike(
    integration: Integration, bodies: list[object], query: dict[str, str], groups: list[tuple[str, Any, int]]
) -> None:
    send(integration, *bodies)

    found = integration.control("GET", "/requests/duplicates", **query).json["duplicates"]

    assert [(group["alike"], group["key"], group["count"]) for group in found] == groups
    assert all((group["company"], group["vanity_url"]) == ("acme", "anything") for group in found)


def test_duplicates_are_shown_with_their_entries_on_request(integration: Integration) -> None:
    send(integration, FIRST, FIRST)

    (group,) = integration.control("GET", "/requests/duplicates", entries="true").json["duplicates"]
    assert group["entries"] == [integration.control("GET", f"/requests/{number}").json for number in group["requests"]]


def test_payload_that_was_not_stored_is_no_duplicate(integration: Integration) -> None:
    integration.control("POST", "/faults", {"fault": {"kind": "status", "code": 500}, "times": 1})
    integration.control("POST", "/faults", {"fault": {"kind": "status", "code": 500}, "times": 1, "accept": True})
    token = _token_without_fault(integration)

    statuses = [integration.post(FIRST, token=token).status_code for _ in range(3)]

    assert statuses == [500, 500, 200]
    (group,) = integration.control("GET", "/requests/duplicates").json["duplicates"]
    entries = [integration.control("GET", f"/requests/{entry_id}").json for entry_id in group["requests"]]
    assert [(entry["outcome"], entry["accepted"]) for entry in entries] == [("faulted", True), ("accepted", True)]


def _token_without_fault(integration: Integration) -> str:
    rules = integration.control("GET", "/faults").json["faults"]
    integration.control("DELETE", "/faults")
    token = integration.token()
    for rule in rules:
        integration.control("POST", "/faults", rule["rule"])
    return token


def test_same_payload_to_two_services_is_no_duplicate(integration: Integration) -> None:
    token = integration.token()
    order = json.loads(Path("fixtures/orders/order.json").read_bytes())
    integration.post(order, "/v1/acme/orders", token)
    integration.post(order, "/v1/acme/anything", token)

    assert integration.control("GET", "/requests/duplicates").json == {"duplicates": [], "dropped": 0}


def test_duplicates_tell_that_not_all_payloads_could_be_compared(integration: Integration) -> None:
    integration.sandbox.change_settings({"journal_entries": 2})
    send(integration, FIRST, FIRST, CHANGED)

    assert integration.control("GET", "/requests/duplicates").json == {"duplicates": [], "dropped": 2}


@pytest.mark.parametrize(
    "query",
    [{"by": "json_path"}, {"by": "bytes", "json_path": "$.order"}, {"by": "taste"}, {"json_path": "$["}, {"x": "y"}],
    ids=str,
)
def test_wrong_question_for_duplicates_is_refused(integration: Integration, query: dict[str, str]) -> None:
    send(integration, FIRST)

    assert integration.control("GET", "/requests/duplicates", **query).status_code == 422


def test_unknown_field_of_a_fault_is_named_as_unknown(integration: Integration) -> None:
    response = integration.control("POST", "/faults", json={"fault": {"kind": "latency", "seconds": 1, "secnds": 2}})

    allowed = "did you mean 'seconds'? known: distribution, seconds, min, max, median, sigma"
    assert response.json["errors"] == [
        {"field": "fault.secnds", "code": "unknown", "allowed": allowed, "message": f"unknown; {allowed}"},
    ]
