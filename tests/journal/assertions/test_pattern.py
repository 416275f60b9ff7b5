from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.foundation.errors import InvalidValueError
from sandbox.journal.assertions.pattern import Pattern
from tests.journal.assertions.conftest import Recorded

ORDER = {"order": "1001", "lines": [{"sku": "A", "qty": 1}, {"sku": "B", "qty": 2}]}
HEADERS = (("Content-Type", "application/json"), ("X-Trace", "1"), ("X-Trace", "2"), ("Authorization", "Bearer abc"))


@pytest.mark.parametrize(
    ("pattern", "why_not"),
    [
        ({}, []),
        ({"json": ORDER}, []),
        ({"json": {"order": "1001"}}, ["$.lines: unexpected " + '[{"sku": "A", "qty": 1}, {"sku": "B", "qty": 2}]']),
        ({"json_contains": {"lines": [{"sku": "B"}]}}, []),
        ({"json_contains": {"lines": [{"sku": "B", "qty": 3}]}}, ["$.lines[1].qty: expected 3, got 2"]),
        ({"json_contains": {"lines": [{"sku": "B"}] * 2}}, ['$.lines: no other item contains {"sku": "B"}']),
        ({"json_path": {"$.lines[0].qty": Decimal("1.00")}}, []),
        ({"json_contains": {"lines": [{"qty": Decimal("1.5")}]}}, ['$.lines: no item contains {"qty": 1.5}']),
        ({"json_path": "$.lines[?@.qty > 1]"}, []),
        ({"json_path": "$.lines[?@.qty > 2]"}, ["$.lines[?@.qty > 2]: selects nothing"]),
        ({"json_path": {"$.order": "1001", "$.lines[*].sku": "B"}}, []),
        ({"json_path": {"$.order": 1001}}, ['$.order: expected 1001, got "1001" (string, not number)']),
        ({"json_path": {"$.lines[*].sku": "C"}}, ['$.lines[*].sku: expected "C" among ["A", "B"]']),
        ({"json_path": {"$.total": 3}}, ["$.total: selects nothing, expected 3"]),
        ({"headers": {"content-type": "application/json", "x-trace": "1"}}, []),
        ({"headers": {"X-Trace": "3"}}, ['headers.X-Trace: expected "3", got "2"']),
        ({"headers": {"X-None": None}}, []),
        ({"headers": {"X-Trace": None}}, ['headers.X-Trace: expected none, got "2"']),
        ({"headers": {"X-None": "1"}}, ['headers.X-None: missing, expected "1"']),
        ({"headers": {"Authorization": "Bearer abc"}}, []),
        ({"status": 200, "outcome": "accepted", "method": "POST"}, []),
        ({"status": 201}, ["status: expected 201, got 200"]),
        ({"reason": "blank"}, ['reason: expected "blank", got null']),
    ],
)
def test_pattern_matches_or_says_why_not(recorded: Recorded, pattern: dict[str, Any], why_not: list[str]) -> None:
    entry = recorded.record(ORDER, headers=HEADERS)

    assert [str(found) for found in Pattern(**pattern).differences(entry)] == why_not
    assert Pattern(**pattern).matches(entry) is (not why_not)


class Counting:
    """An expected value that matches anything and counts how often it is compared."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self.comparisons = 0

    def __eq__(self, other: object) -> bool:
        self.comparisons += 1
        return True


@pytest.mark.parametrize("condition", ["json", "json_contains"])
def test_body_that_matches_is_compared_once(recorded: Recorded, condition: str) -> None:
    counting = Counting()
    pattern: dict[str, Any] = {condition: {"order": counting}}

    assert Pattern(**pattern).matches(recorded.record({"order": "1001"}))
    assert counting.comparisons == 1


def test_reason_matches_by_its_beginning(recorded: Recorded) -> None:
    entry = recorded.record(status=401, reason="token_expired: 4 s ago")

    assert Pattern(reason="token_expired").matches(entry)


def test_null_is_a_payload_like_any_other(recorded: Recorded) -> None:
    assert Pattern(json=None).matches(recorded.record(body=b"null"))
    assert not Pattern(json=None).matches(recorded.record(body=b""))


def test_text_is_compared_as_it_is(recorded: Recorded) -> None:
    assert Pattern(text="<order/>").matches(recorded.record(body=b"<order/>"))
    assert [str(found) for found in Pattern(text="é").differences(recorded.record(body=b"\xff"))] == [
        'text: expected "é", got a body that is no UTF-8'
    ]


@pytest.mark.parametrize(
    ("body", "got"),
    [(b"", "it is empty"), (b"<order/>", '"<order/>" (Expecting value: line 1 column 1 (char 0))')],
    ids=["empty", "xml"],
)
def test_body_that_is_no_json_is_told(recorded: Recorded, body: bytes, got: str) -> None:
    found = Pattern(json={}).differences(recorded.record(body=body))

    assert [str(difference) for difference in found] == [f"body: expected JSON, got {got}"]


def test_of_a_huge_body_it_is_only_told_that_it_differs(recorded: Recorded) -> None:
    entry = recorded.record(["x" * 600_000])

    assert [str(found) for found in Pattern(json=[]).differences(entry)] == [
        "$: differs; 600004 bytes are too many to say where"
    ]


@pytest.mark.parametrize(
    ("body", "path"),
    [(b'"order"', "$.order"), (b"[" * 500 + b"]" * 500, "$..order")],
    ids=["a text", "nested deeper than a query can follow"],
)
def test_json_path_selects_nothing_in(recorded: Recorded, body: bytes, path: str) -> None:
    found = Pattern(json_path=path).differences(recorded.record(body=body))

    assert [str(difference) for difference in found] == [f"{path}: selects nothing"]


@pytest.mark.parametrize(
    "pattern",
    [{"json_path": "lines["}, {"json_path": {"": 1}}, {"outcome": "refused"}],
    ids=["path", "paths", "outcome"],
)
def test_pattern_that_can_never_hold_is_refused(pattern: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        Pattern(**pattern)
