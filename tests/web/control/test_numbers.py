"""A number that no double holds is JSON, and Python reads it as infinity, for which JSON has no word."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from sandbox.journal.filter import EVERY_ENTRY
from sandbox.web.control.stream_views import Feed
from tests.conftest import Integration
from tests.web.control.problem import detail

BODY = b'{"order": "1", "lines": [{"total": 1e400}, {"total": -1e999}]}'
SAMPLE = '{"type": "custom", "name": "big", %s}'


def strict(text: str) -> Any:
    """Parse JSON as every language but Python does."""

    def refuse(name: str) -> NoReturn:
        raise AssertionError(f"{name} is no JSON: {text[:200]}")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def received(integration: Integration) -> Integration:
    token = integration.token()
    for path in ("/v1/acme/anything", "/v1/acme/anything", "/v1/acme/orders"):
        integration.post(BODY, path, token=token)
    integration.http.post("/oauth/token", data=BODY, content_type="application/json")
    return integration


READERS: dict[str, Callable[[Integration], str]] = {
    "listing": lambda made: made.control("GET", "/requests").text,
    "entry": lambda made: made.control("GET", "/requests/2").text,
    "wait": lambda made: made.control("GET", "/requests/wait", count=3).text,
    "timeout": lambda made: made.control("GET", "/requests/wait", count=9, timeout=0).text,
    "HAR": lambda made: made.control("GET", "/requests/export", format="har").text,
    "state": lambda made: made.control("GET", "/state").text,
    "violations": lambda made: made.control("GET", "/contract-violations").text,
    "duplicates": lambda made: made.control("GET", "/requests/duplicates", json_path="$.lines[0].total").text,
    "problem": lambda made: made.control("POST", "/requests/verify", {"pattern": {"json": {"lines": [1]}}}).text,
}


@pytest.mark.parametrize("reader", READERS)
def test_answer_is_json_whatever_number_was_sent(received: Integration, reader: str) -> None:
    assert strict(READERS[reader](received))


def test_streams_and_lines_are_json_whatever_number_was_sent(received: Integration) -> None:
    journal = received.sandbox.journal
    events = Feed(received.sandbox, EVERY_ENTRY, 0, journal.id).next().decode().splitlines()
    lines = received.control("GET", "/requests/export", format="ndjson").text.splitlines()

    data = [line.removeprefix("data: ") for line in events if line.startswith("data: ")]
    assert [strict(line)["seq"] for line in data] == [strict(line)["seq"] for line in lines] == [1, 2, 3, 4, 5]


def test_entry_shows_such_a_body_as_it_was_sent_and_not_parsed(received: Integration) -> None:
    entry = received.control("GET", "/requests/2").json

    assert (entry["body"].encode(), entry["json"]) == (BODY, None)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ('"sample": {"lines": [{"total": 1e999}]}', "sample.lines.0.total: inf is not allowed; use JSON "),
        ('"sample": -1e999', "sample: -inf is not allowed; use JSON "),
        ('"json_schema": {"maximum": 1e999}', "json_schema.maximum: inf is not allowed; use JSON "),
    ],
    ids=["in a sample", "as a sample", "in a JSON Schema"],
)
def test_entity_with_such_a_number_is_refused(integration: Integration, fields: str, told: str) -> None:
    answer = integration.http.post(
        "/_sandbox/connectors/1/entities", data=SAMPLE % fields, content_type="application/json"
    )

    assert told in detail(answer, 422)
    assert len(integration.sandbox.store.entities(1)) == 3


def test_changed_schema_with_such_a_number_is_refused(integration: Integration) -> None:
    body = b'{"json_schema": {"maximum": 1e999}}'
    answer = integration.http.patch("/_sandbox/connectors/1/entities/1", data=body, content_type="application/json")

    assert "json_schema.maximum: inf is not allowed" in detail(answer, 422)


def test_state_with_such_a_number_is_refused(integration: Integration) -> None:
    state = integration.control("GET", "/state").data.replace(b'"rate": 1.0', b'"rate": 1e999', 1)
    assert b"1e999" in state

    answer = integration.http.put("/_sandbox/state", data=state, content_type="application/json")

    assert "1e999 is more than a double holds" in detail(answer, 400)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/requests/verify", {"times": 0.0, "pattern": {"status": 503.0}}),
        ("POST", "/faults", {"fault": {"kind": "status", "code": 503.0}, "times": 2.0}),
        ("PATCH", "/services/1", {"page_size": 100.0}),
        ("PATCH", "/flows/1", {"deployed": 1e3}),
    ],
)
def test_whole_number_may_be_written_as_a_double(
    integration: Integration, method: str, path: str, body: dict[str, Any]
) -> None:
    flow = integration.control("GET", "/flows").json[0]
    path = path.replace("/flows/1", f"/flows/{flow['id']}")
    body = {name: float(flow["versions"][0]) if name == "deployed" else value for name, value in body.items()}

    assert integration.control(method, path, json=body).status_code in {200, 201}
