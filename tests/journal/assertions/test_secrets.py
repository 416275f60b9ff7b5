"""The report of a failing assertion and the story may stand in the log of a CI: they show no secret of a payload."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from unittest.mock import ANY

import pytest

from sandbox.journal.assertions.story import story
from sandbox.journal.assertions.view import NotReceivedError, Received
from sandbox.journal.known_secrets import fingerprint
from tests.journal.assertions.conftest import Recorded

SECRET = "Tea/and+Biscuits-4711"
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9." + "eyJhdWQiOiJ4In0" * 20 + ".c2lnbmVk"
LONG = "x" * 50

EXPECTED: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "unexpected": ({"note": SECRET, "a": 1}, {"json": {"a": 1}}),
    "changed": ({"note": SECRET}, {"json": {"note": "Milk"}}),
    "expected": ({"note": "Milk"}, {"json": {"note": SECRET}}),
    "missing": ({"a": 1}, {"json_contains": {"note": SECRET}}),
    "key": ({SECRET: 1}, {"json": {"a": 1}}),
    "in a list": ({"lines": [1, {"x": SECRET}]}, {"json": {"lines": [1, 2, 3]}}),
    "in a long text": ({"note": f"{LONG}{SECRET}{LONG}"}, {"json": {"note": f"{LONG}{'y' * 60}"}}),
    "cut by the end of the line": ({"note": f"{LONG}{SECRET}"}, {"json": 1}),
    "token": ({"note": TOKEN}, {"json": {"note": TOKEN.lower()[:3]}}),
    "password": ({"password": SECRET[::-1]}, {"json": {"a": 1}}),
    "selected": ({"note": SECRET}, {"json_path": {"$.note": "Milk"}}),
    "selected password": ({"password": "x"}, {"json_path": {"$.password": SECRET[::-1]}}),
    "selected by the secret": ({"note": "x"}, {"json_path": f"$[?@.note == '{SECRET}']"}),
    "text": ("plain", {"text": f"plain {SECRET}"}),
    "header": ({}, {"headers": {"X-Key": SECRET}}),
    "credentials": ({}, {"headers": {"Authorization": f"Bearer {SECRET}"}}),
    "client id": ({}, {"client_id": SECRET}),
    "with a matcher": ({"note": SECRET, "a": 1}, {"json": {"note": ANY, "a": 2}}),
}


@pytest.mark.parametrize(("payload", "pattern"), EXPECTED.values(), ids=EXPECTED)
def test_failing_assertion_shows_a_fingerprint_for_a_secret(
    recorded: Recorded, orders: Received, payload: Any, pattern: Any
) -> None:
    recorded.journal.secrets.note(SECRET)
    recorded.record(payload)

    with pytest.raises(NotReceivedError) as one:
        orders.assert_received(**pattern)
    with pytest.raises(NotReceivedError) as other:
        orders.assert_received_in_order([pattern])
    for message in (str(one.value), str(other.value)):
        hidden = (SECRET, SECRET[:6], SECRET[-6:], SECRET[::-1], TOKEN[:20], json.dumps(SECRET))
        assert [part for part in hidden if part in message] == []


def test_difference_beside_a_secret_is_shown_as_ever(recorded: Recorded, orders: Received) -> None:
    recorded.journal.secrets.note(SECRET)
    recorded.record({"client_secret": SECRET, "note": SECRET, "order": "1001"})

    with pytest.raises(NotReceivedError) as failure:
        orders.assert_received(json={"client_secret": SECRET, "note": SECRET, "order": "1002"})
    assert '$.order: expected "1002", got "1001"' in str(failure.value)
    assert "$.note" not in str(failure.value)
    assert fingerprint(SECRET) in str(failure.value)  # in what was expected


def test_payload_matches_by_the_secret_in_it(recorded: Recorded, orders: Received) -> None:
    recorded.journal.secrets.note(SECRET)
    recorded.record({"note": SECRET})

    orders.assert_received(json={"note": SECRET}, json_path={"$.note": SECRET})


@pytest.mark.parametrize("body", ['{"note": "S"}', '{"a": "' + " " * 770 + 'S"}', "S", '{"note": "' + "x" * 60 + 'S"}'])
def test_story_shows_a_fingerprint_for_a_secret(recorded: Recorded, body: str) -> None:
    recorded.journal.secrets.note(SECRET)
    recorded.record(body=body.replace("S", SECRET).encode())

    assert SECRET[:6] not in story(recorded.journal)
    assert "sha256:" in story(recorded.journal)
