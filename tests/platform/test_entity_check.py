"""Entities: what a sample says of its payloads, and how a payload that differs is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.refusals import InvalidPayloadError, Violation
from sandbox.foundation.strict_json import parse_json
from sandbox.platform.entity_check import MAX_DETAIL_LENGTH, MAX_VIOLATIONS, EntityCheck, infer_schema

SAMPLE: dict[str, Any] = {
    "order": "1001",
    "total": 9.95,
    "paid": True,
    "note": None,
    "customer": {"name": "Ada", "address": {"zip": "1"}},
    "lines": [{"sku": "TEA-01", "qty": 2}],
    "tags": [],
}


def against(sample: Any, payload: Any) -> list[tuple[str, str]]:
    """Return path and rule of each violation of a payload held against a sample."""
    return [(found.path, found.rule) for found in EntityCheck(infer_schema(sample)).violations(payload)]


def test_sample_matches_itself_and_as_a_batch() -> None:
    assert against(SAMPLE, SAMPLE) == []
    assert against(SAMPLE, [SAMPLE, SAMPLE]) == []
    assert against([SAMPLE, SAMPLE], SAMPLE) == []


@pytest.mark.parametrize(
    "change",
    [
        {"total": 10},
        {"note": "text"},
        {"note": {"any": ["thing"]}},
        {"extra": 1},
        {"customer": {"name": "Ada", "address": {"zip": "1", "city": "x"}, "vip": True}},
        {"lines": []},
        {"lines": [{"sku": "a", "qty": 1}, {"sku": "b", "qty": 2.0, "gift": None}]},
        {"tags": [1, "a", None]},
    ],
    ids=str,
)
def test_what_the_sample_leaves_open_matches(change: dict[str, Any]) -> None:
    assert against(SAMPLE, {**SAMPLE, **change}) == []


@pytest.mark.parametrize(
    ("sample", "payload", "expected"),
    [
        ({"price": 30}, {"price": 29.99}, []),
        ({"price": 30}, {"price": "30"}, [("price", "number")]),
        ({"price": 30}, {"price": True}, [("price", "number")]),
        ({"price": 30}, {}, [("price", "required")]),
        ({"lines": [{"price": 30}]}, {"lines": [{"price": 1}, {"price": 0.5}]}, []),
        ([{"price": 30}, {"price": "free"}], {"price": 0.5}, []),
        ([{"price": 30}, {"price": None}], {"price": 0.5}, []),
        ({"lines": [1, {"a": 2}]}, {"lines": [1.5, {"a": 2.5}]}, []),
    ],
    ids=str,
)
def test_whole_number_of_a_sample_may_ask_for_any_number(
    sample: Any, payload: Any, expected: list[tuple[str, str]]
) -> None:
    check = EntityCheck(infer_schema(sample, integers=False))

    assert [(violation.path, violation.rule) for violation in check.violations(payload)] == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"order": 1001}, [("order", "string")]),
        ({"order": None}, [("order", "string")]),
        ({"total": "9.95"}, [("total", "number")]),
        ({"total": True}, [("total", "number")]),
        ({"paid": 1}, [("paid", "boolean")]),
        ({"customer": []}, [("customer.name", "required"), ("customer.address", "required")]),
        ({"customer": {"name": "Ada", "address": [1]}}, [("customer.address.zip", "required")]),
        ({"customer": 5}, [("customer", "array")]),
        ({"customer": {"name": "Ada"}}, [("customer.address", "required")]),
        ({"customer": {"name": "Ada", "address": {"zip": 1}}}, [("customer.address.zip", "string")]),
        ({"lines": {}}, [("lines", "array")]),
        ({"lines": [{"sku": "a", "qty": 1.5}]}, [("lines.0.qty", "integer")]),
        ({"lines": [{"sku": "a", "qty": 1}, {"sku": "b"}]}, [("lines.1.qty", "required")]),
        ({"lines": [{"sku": "a", "qty": 1}, 5]}, [("lines.1", "array")]),
        ({"lines": [[]]}, [("lines.0.sku", "required"), ("lines.0.qty", "required")]),
        ({"tags": "none"}, [("tags", "array")]),
    ],
    ids=lambda value: str(value)[:50],
)
def test_difference_is_told_by_path_and_rule(change: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert against(SAMPLE, {**SAMPLE, **change}) == expected


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({**SAMPLE, "customer": []}, "x: customer: an object is wanted, a list came (and 1 more)"),
        ({**SAMPLE, "customer": "Ada"}, "x: customer: an object is wanted, text came"),
        ({**SAMPLE, "lines": {}}, "x: lines: a list is wanted, an object came"),
        ({**SAMPLE, "lines": [SAMPLE["lines"]]}, "x: lines[0]: an object is wanted, a list came (and 1 more)"),
        ({**SAMPLE, "tags": None}, "x: tags: a list is wanted, null came"),
        ([[SAMPLE]], "x: [0]: an object is wanted, a list came (and 6 more)"),
        (5, "x: payload: an object is wanted, a number came"),
        ({**SAMPLE, "total": "5"}, "x: total number"),
    ],
    ids=["list", "text", "object", "list of lists", "null", "batch of batches", "number", "no structure"],
)
def test_reason_says_what_was_wanted_and_what_came(payload: Any, reason: str) -> None:
    violations = EntityCheck(infer_schema(SAMPLE)).violations(payload)

    assert str(InvalidPayloadError("x", violations)) == reason


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"type": "object"}}},
        {"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"type": "object"}}},
    ],
    ids=["no keys", "behind references"],
)
def test_list_for_an_object_without_keys_is_told_in_words_of_our_own(schema: Any) -> None:
    (found,) = EntityCheck(schema).violations({"a": []})

    assert (found.path, found.rule, found.detail) == ("a", "schema", "an object is wanted, a list came")


def test_missing_keys_are_told_in_the_samples_order() -> None:
    expected = [(name, "required") for name in SAMPLE]

    assert against(SAMPLE, {}) == expected
    assert against(SAMPLE, [SAMPLE, {}]) == [(f"1.{name}", rule) for name, rule in expected]


@pytest.mark.parametrize("payload", [5, "text", True, 1.5], ids=repr)
def test_scalar_where_an_object_is_expected_is_told_of_the_payload(payload: Any) -> None:
    assert against(SAMPLE, payload) == [("payload", "array")]
    assert against(SAMPLE, [payload]) == [("0", "array")]


def test_empty_batch_has_nothing_that_differs() -> None:
    assert against(SAMPLE, []) == []


@pytest.mark.parametrize("sample", [None, [], [None]], ids=str)
@pytest.mark.parametrize("payload", [None, 1, "x", {"a": 1}, [1, "x"]], ids=str)
def test_sample_that_says_nothing_allows_anything(sample: Any, payload: Any) -> None:
    assert infer_schema(sample) == {}
    assert against(sample, payload) == []


@pytest.mark.parametrize(
    ("sample", "good", "bad", "rule"),
    [
        ([{"a": None}, {"a": 1}], [{"a": None}, {"a": 2}], {"a": "x"}, ("a", "integer")),
        ([{"a": 1}, {"a": 1.5}], [{"a": 2}, {"a": 2.5}], {"a": None}, ("a", "number")),
        ({"l": [None, 1]}, [{"l": [None]}, {"l": [2]}], {"l": ["x"]}, ("l.0", "integer")),
        ([{"a": 1, "b": 2}, {"a": 1}], [{"a": 1}], {"b": 1}, ("a", "required")),
        ([{"a": 1}, {"a": "x"}], [{"a": 2}, {"a": "y"}], {"a": []}, ("a", "schema")),
        ({"l": [1, "x", {"b": 1}]}, [{"l": ["y", 2, {"b": 2}]}], {"l": [{"b": "x"}]}, ("l.0", "schema")),
        ([{"a": None}, {"a": {"b": 1}}], [{"a": None}, {"a": {"b": 2}}], {"a": 5}, ("a", "schema")),
        ({"l": [[1]]}, [{"l": [[2, 3], []]}], {"l": [["x"]]}, ("l.0.0", "integer")),
        (["x", "y"], ["z"], 5, ("payload", "string")),
    ],
    ids=str,
)
def test_mixed_samples_allow_what_they_show(sample: Any, good: list[Any], bad: Any, rule: tuple[str, str]) -> None:
    assert [against(sample, payload) for payload in good] == [[]] * len(good)
    assert against(sample, bad) == [rule]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
SAMPLES = st.recursive(
    SCALARS,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=5), children, max_size=4),
    max_leaves=12,
)


@given(sample=SAMPLES)
@settings(deadline=None, max_examples=100)
def test_every_sample_matches_itself(sample: Any) -> None:
    assert against(sample, sample) == []


# --- what a payload cannot do ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b'{"total":1e999}',
        b'{"total":' + b"9" * 4_000 + b"}",
        b'{"' + b"k" * 100_000 + b'":1}',
        b'{"":{"":[]}}',
        b'{"\\u0000":"\\u0000"}',
    ],
    ids=["infinite", "4000 digits", "long key", "empty keys", "nul"],
)
def test_extreme_payloads_are_checked_without_failing(body: bytes) -> None:
    found = EntityCheck(infer_schema(SAMPLE)).violations(parse_json(body))

    assert Violation("order", "required") in found


@pytest.mark.parametrize(("prefix", "path"), [([], "payload"), ([SAMPLE], "1")], ids=["alone", "in a batch"])
def test_payload_too_deep_to_say_where_it_differs_is_refused_all_the_same(prefix: list[Any], path: str) -> None:
    item = parse_json(b'{"note":' + b"[" * 500 + b"]" * 500 + b"}")
    found = EntityCheck(infer_schema(SAMPLE)).violations([*prefix, item] if prefix else item)

    assert found == [Violation(path, "schema", "does not match, and is nested too deep to tell where")]


def test_deep_payload_that_matches_is_accepted() -> None:
    assert against({"note": None}, {"note": parse_json(b"[" * 511 + b"]" * 511)}) == []


def test_violations_are_bounded_in_number() -> None:
    assert len(against(SAMPLE, [{}] * MAX_VIOLATIONS)) == MAX_VIOLATIONS


def test_text_of_a_violation_is_bounded_although_it_quotes_the_value() -> None:
    check = EntityCheck({"properties": {"a": {"const": 1}}})
    (short,), (long,) = check.violations({"a": "x"}), check.violations({"a": "x" * 1_000_000})

    assert short == Violation("a", "schema", "1 was expected")
    assert (long.path, long.rule) == ("a", "schema")
    assert len(long.detail) <= MAX_DETAIL_LENGTH


# --- hand-written schemas -------------------------------------------------------------------------------------------


def test_hand_written_rule_is_told_in_the_validators_words() -> None:
    check = EntityCheck({"type": "object", "properties": {"qty": {"minimum": 1}}})

    assert check.violations([{"qty": 1}, {"qty": 0}]) == [
        Violation("1.qty", "schema", "0 is less than the minimum of 1")
    ]


def test_long_detail_is_cut() -> None:
    check = EntityCheck({"properties": {"a": {"maxLength": 1}}})
    (found,) = check.violations({"a": "x" * 1_000})

    assert len(found.detail) == MAX_DETAIL_LENGTH
    assert found.detail.endswith("…")


def test_references_within_the_schema_are_followed() -> None:
    check = EntityCheck({"$defs": {"id": {"type": "integer"}}, "properties": {"id": {"$ref": "#/$defs/id"}}})

    assert check.violations({"id": "x"}) == [Violation("id", "integer")]


def test_reference_that_goes_round_ends() -> None:
    assert EntityCheck({"$ref": "#"}).violations({"a": 1}) == []


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:1/schema.json", "https://localhost/s", "file:///etc/hosts", "x.json"]
)
@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef", "$schema"])
def test_references_elsewhere_are_refused_and_never_fetched(keyword: str, uri: str) -> None:
    with pytest.raises(InvalidValueError, match=r"^json_schema: .*a valid JSON Schema \("):
        EntityCheck({"properties": {"a": {keyword: uri}}} if keyword != "$schema" else {keyword: uri})


def test_reference_elsewhere_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidValueError, match=r"file:///etc/hosts is not fetched; put the referenced schema into"):
        EntityCheck({"$ref": "file:///etc/hosts"})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 5},
        {"type": "text"},
        {"pattern": "("},
        {"$ref": "#/$defs/missing"},
        {"multipleOf": 0},
        {"minimum": float("nan")},
        {"enum": ["\ud800"]},
        {"$id": "http://["},
        {"properties": []},
    ],
    ids=ascii,
)
def test_schema_that_is_none_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match=r"^json_schema: ") as caught:
        EntityCheck(schema)

    assert "\n" not in caught.value.allowed


@pytest.mark.parametrize(("levels", "taken"), [(100, True), (101, False), (100_000, False)])
def test_sample_may_be_nested_as_deep_as_a_seed(levels: int, taken: bool) -> None:
    sample: Any = {}
    for _ in range(levels - 1):
        sample = {"in": sample}

    if taken:
        assert infer_schema(sample)
    else:
        with pytest.raises(InvalidValueError, match="nested at most 100 levels deep"):
            infer_schema(sample)


def test_very_deep_schema_is_refused_or_works() -> None:
    schema: dict[str, Any] = {}
    for _ in range(400):
        schema = {"properties": {"a": schema}}
    try:
        found = EntityCheck(schema).violations({"a": {}})
    except InvalidValueError:
        return

    assert found == []
