"""Filters of the journal: every condition given must hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.json_path import MAX_JSON_PATH_LENGTH, compile_json_path, select
from sandbox.journal.entry import Entry
from sandbox.journal.filter import EntryFilter
from sandbox.journal.journal import Journal
from tests.journal.journals import exchange as made


def _entry() -> Entry:
    exchange = made(
        received_at=1000.5,
        wall_time=5.0,
        company="acme",
        vanity_url="orders",
        client_id="c1",
        body=b'{"order": "1001", "lines": [{"sku": "TEA-01", "qty": 2}], "none": null}',
        body_size=0,
        accepted=True,
        reason="blank_payload: it is accepted here",
        fault="slow",
    )
    return Journal("abc", 10, 10**6).close(exchange, 200, (), b"")


ENTRY = _entry()
MATCHING: dict[str, Any] = {
    "kind": "inbound",
    "company": "acme",
    "vanity_url": "orders",
    "client_id": "c1",
    "outcome": "faulted",
    "status": 200,
    "reason": "blank_payload",
    "fault": "slow",
    "since": 1000.5,
    "until": 1000.5,
    "json_path": "$.lines[?@.qty > 1]",
}


def test_empty_filter_matches_everything() -> None:
    assert EntryFilter().matches(ENTRY)


@pytest.mark.parametrize(("name", "value"), MATCHING.items(), ids=MATCHING.keys())
def test_condition_that_holds_matches(name: str, value: Any) -> None:
    assert EntryFilter(**{name: value}).matches(ENTRY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "token"),
        ("company", "other"),
        ("vanity_url", "Orders"),
        ("client_id", "c2"),
        ("client_id", ""),
        ("outcome", "rejected"),
        ("status", 201),
        ("reason", "blank"),
        ("reason", "blank_payload: it is accepted here"),
        ("fault", "slo"),
        ("since", 1000.500001),
        ("until", 1000.499999),
        ("json_path", "$.lines[?@.qty > 2]"),
    ],
    ids=str,
)
def test_one_condition_that_fails_decides(name: str, value: Any) -> None:
    assert EntryFilter(**MATCHING).matches(ENTRY)
    assert not EntryFilter(**{**MATCHING, name: value}).matches(ENTRY)


def test_absent_value_matches_no_condition() -> None:
    entry = replace(ENTRY, client_id=None, reason=None, fault=None)

    assert not EntryFilter(client_id="c1").matches(entry)
    assert not EntryFilter(reason="").matches(ENTRY)
    assert not EntryFilter(fault="slow").matches(entry)
    assert EntryFilter().matches(entry)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", True),
        ("$.order", True),
        ("$.none", True),
        ("$.missing", False),
        ("$['lines'][0].sku", True),
        ("$..qty", True),
        ('$.lines[?@.sku == "TEA-01"]', True),
        ('$.lines[?match(@.sku, "TEA-[0-9]+")]', True),
        ('$[?match(@, "(")]', False),
        ('$.lines[?match(@.sku, "TEA")]', False),
        ('$.lines[?search(@.sku, "TEA")]', True),
        ('$.lines[?search(@.sku, "T)|(E")]', False),
        ('$.lines[?match(@.sku, "A|TEA-[0-9]+")]', True),
        ('$.lines[?match(@.qty, "2")]', False),
    ],
    ids=str,
)
def test_json_path_holds_where_it_selects_something_null_included(path: str, expected: bool) -> None:
    assert EntryFilter(json_path=path).matches(ENTRY) is expected


@pytest.mark.parametrize("body", [b"", b"text", b"5", b'"order"', b"null", b"\xff", b"[]"], ids=repr)
def test_json_path_selects_nothing_in_other_bodies(body: bytes) -> None:
    assert not EntryFilter(json_path="$.order").matches(replace(ENTRY, body=body))


def test_pattern_that_would_backtrack_without_end_takes_a_moment() -> None:
    """With Python's ``re`` this one never ends, and holds every other thread meanwhile."""
    slow = replace(ENTRY, body=b'{"a": "' + b"a" * 10_000 + b'!"}')

    assert not EntryFilter(json_path='$[?search(@, "(a+)+$")]').matches(slow)
    assert not EntryFilter(json_path='$[?match(@, "(a|aa)+")]').matches(slow)


@pytest.mark.parametrize("pattern", ["(?=a)a", "(a)\\\\1", "(?:a{1000}){0,1000}a"], ids=str)
def test_pattern_that_needs_backtracking_or_much_memory_matches_nothing(pattern: str) -> None:
    entry = replace(ENTRY, body=b'{"a": "aa"}')

    assert not EntryFilter(json_path=f'$[?search(@, "{pattern}")]').matches(entry)


def test_half_a_character_is_matched_by_no_pattern() -> None:
    entry = replace(ENTRY, body=b'{"a": "a\\ud800"}')

    assert not EntryFilter(json_path='$[?search(@, "a")]').matches(entry)


def test_no_pattern_matches_half_a_character_in_the_query_itself() -> None:
    assert not EntryFilter(json_path='$[?search("a\ud800", "a")]').matches(ENTRY)


def test_document_deeper_than_a_query_can_follow_does_not_match() -> None:
    deep = replace(ENTRY, body=b'{"a":' * 500 + b"1" + b"}" * 500)

    assert not EntryFilter(json_path="$..missing").matches(deep)
    assert EntryFilter(json_path="$.a.a.a").matches(deep)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("$.l[?@.a == $.x]", [[1.0]]),
        ("$.l[?@.a != $.x]", [[True]]),
        ("$.l[?@.a <= $.x]", [[1.0]]),
        ("$.l[?@.a >= $.x]", [[1.0]]),
        ("$.l[?@.a < $.x]", []),
        ("$.l[?@.a[0] == 1]", [[1.0]]),
        ("$.l[?@.a[0] == true]", [[True]]),
    ],
)
def test_query_compares_lists_and_objects_as_json_does(query: str, found: list[Any]) -> None:
    document = {"x": [1], "l": [{"a": [True]}, {"a": [1.0]}]}

    selected: Any = select(compile_json_path(query), document)
    assert [item["a"] for item in selected] == found
    assert [type(item["a"][0]) for item in selected] == [type(value[0]) for value in found]


@pytest.mark.parametrize("document", [5, 0, "text", "[1]", True, [1], {"a": 1}], ids=repr)
def test_root_of_a_document_is_selected_whether_it_has_parts_or_not(document: Any) -> None:
    assert select(compile_json_path("$"), document) == [document]
    assert EntryFilter(json_path="$").matches(replace(ENTRY, body=json.dumps(document).encode()))
    assert select(compile_json_path("$..b"), document) == []


def test_longest_query_is_evaluated_without_failing() -> None:
    path = "$" + ".a" * ((MAX_JSON_PATH_LENGTH - 1) // 2)
    deep = replace(ENTRY, body=b'{"a":' * 500 + b"1" + b"}" * 500)

    assert EntryFilter(json_path=path).matches(deep) in (True, False)
    assert not EntryFilter(json_path=path).matches(ENTRY)


@pytest.mark.parametrize(
    "path",
    [
        *("", " ", "order", ".order", "$.", "$[", "$..", "$.a | $.b", "$.a & $.b", "$[?@.a =~ /x/]", "^.a", "$.a[~]"),
        *("$[" + "9" * 5_000 + "]", "$[" + "9" * 30 + "]", "$[?@.a == 1e999]", "$" + ".a" * 5_000, "$[?" * 100),
        "$[?" + "(" * 300 + "@.a" + ")" * 100 + "]",
    ],
    ids=lambda path: repr(path)[:20],
)
def test_query_that_is_not_rfc_9535_is_refused_in_one_line(path: str) -> None:
    with pytest.raises(InvalidValueError, match=r"^json_path: .* an RFC 9535 JSONPath such as \$\.lines") as caught:
        compile_json_path(path)

    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("conditions", "indexed"),
    [
        ({}, False),
        ({"kind": "token"}, True),
        ({"kind": "token", "company": "acme"}, False),
        ({"kind": "token", "since": 1.0}, False),
        ({"kind": "token", "until": 1.0}, False),
        ({"kind": "token", "json_path": "$"}, False),
        ({"json_path": "$"}, False),
    ],
    ids=str,
)
def test_filter_tells_its_conditions_and_whether_an_index_says_it_all(
    conditions: dict[str, Any], indexed: bool
) -> None:
    entry_filter = EntryFilter(**conditions)

    assert entry_filter.conditions == conditions
    assert entry_filter.is_indexed is indexed


def test_filters_with_the_same_conditions_are_equal() -> None:
    assert EntryFilter(kind="token") == EntryFilter(kind="token") != EntryFilter(kind="inbound")
