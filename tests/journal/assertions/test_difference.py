from __future__ import annotations

from itertools import permutations
from typing import Any
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.foundation.json_value import equal
from sandbox.journal.assertions.difference import contains, differences, leaves, show

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0]) | st.sampled_from(["", "a", "1"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
LINES = [{"sku": "A", "qty": 1}, {"sku": "B", "qty": 2}, {"sku": "C", "qty": 3}]


def told(expected: Any, actual: Any, *, subset: bool = False) -> list[str]:
    return [str(found) for found in differences(expected, actual, subset=subset)]


@pytest.mark.parametrize(
    ("expected", "actual", "message"),
    [
        pytest.param(2, "2", '$: expected 2, got "2" (string, not number)', id="string for number"),
        pytest.param("2", 2, '$: expected "2", got 2 (number, not string)', id="number for string"),
        pytest.param(1, True, "$: expected 1, got true (boolean, not number)", id="true is not 1"),
        pytest.param(True, 1, "$: expected true, got 1 (number, not boolean)", id="1 is not true"),
        pytest.param(0, None, "$: expected 0, got null (null, not number)", id="null"),
        pytest.param({1}, [1], '$: expected "{1}", got [1]', id="no JSON"),
        pytest.param({(1, 2): 3}, [1], "$: expected <object of 1>, got [1] (list, not object)", id="keys of no JSON"),
        pytest.param({"a": 1}, [1], '$: expected {"a": 1}, got [1] (list, not object)', id="list for object"),
        pytest.param({"a": 1}, {}, "$.a: missing, expected 1", id="missing key"),
        pytest.param({"order": 1}, {"Order": 1}, '$.order: missing, expected 1; there is "Order"', id="near key"),
        pytest.param({}, {"a b": 1}, '$["a b"]: unexpected 1', id="unexpected key"),
        pytest.param([1, 2, 3], [3, 1, 2], "$: the same 3 items in another order", id="order"),
        pytest.param([[1, 2], [3, [4]]], [[1, 2], [3, [5]]], "$[1][1][0]: expected 4, got 5", id="nested lists"),
        pytest.param(LINES, [{"sku": "X"}, *LINES], '$[0]: unexpected {"sku": "X"}', id="one more at the front"),
        pytest.param(LINES, LINES[1:], '$[0]: missing, expected {"sku": "A", "qty": 1}', id="one less at the front"),
        pytest.param(LINES, [{"sku": "A"}, *LINES[1:]], "$[0].qty: missing, expected 1", id="changed item"),
        pytest.param(
            "x" * 80 + "y",
            "x" * 80 + "z",
            f'$: differs from character 81 on: expected "…{"x" * 10}y", got "…{"x" * 10}z"',
            id="long text",
        ),
    ],
)
def test_difference_is_told_where_it_is(expected: Any, actual: Any, message: str) -> None:
    found = told(expected, actual)
    if message.startswith("$.order: missing"):
        found = found[:1]

    assert found == [message] or found[0] == message


def test_items_that_moved_are_compared_with_those_they_are_like() -> None:
    changed = [LINES[0], {"sku": "NEW", "qty": 9}, {"sku": "B", "qty": "2"}, LINES[2]]

    assert told(LINES, changed) == [
        '$[1]: unexpected {"sku": "NEW", "qty": 9}',
        '$[2].qty: expected 2, got "2" (string, not number)',
    ]


@pytest.mark.parametrize("actual", [1, 1.0], ids=["integer", "float"])
def test_numbers_are_equal_by_value(actual: float) -> None:
    assert told(1, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual"),
    [([ANY, 1], [1, 1]), ({"a": ANY}, {"a": [1]}), ([pytest.approx(0.3)], [0.1 + 0.2]), ((1, 2), [1, 2])],
    ids=["ANY in a list", "ANY in an object", "approx", "tuple for list"],
)
def test_what_is_no_json_decides_by_its_own_equality(expected: Any, actual: Any) -> None:
    assert told(expected, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual", "messages"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ([{"sku": "C"}, {"sku": "A"}], LINES, []),
        ({"lines": []}, {"lines": [1]}, []),
        ([{"sku": "B", "qty": 3}], LINES, ["$[1].qty: expected 3, got 2"]),
        ([{"sku": "Z", "qty": 9}], LINES, ['$: no item contains {"sku": "Z", "qty": 9}']),
        ([1], [], ["$: no item contains 1"]),
        ([{"sku": "A"}, {"sku": "A"}], LINES, ['$: no other item contains {"sku": "A"}']),
        ([{"sku": "A", "qty": 1}] * 2, [LINES[0], {"sku": "A", "qty": 2}], ["$[1].qty: expected 1, got 2"]),
        ({"lines": [1, 1]}, {"lines": [1]}, ["$.lines: no other item contains 1"]),
        ([[1], [1]], [[1, 2], 3], ["$: no other item contains [1]"]),
        ([{"b": 1}, {}], [{"a": 1}, {"b": 1}], []),
        ([{}, {"a": 1}], [{"a": 1}, {}], []),
        ([{}, {"b": 1}, {"a": 1}], [{"a": 1}, {"a": 1, "b": 1}, {}], []),
        ([ANY, 1], [1, 2], []),
        ([ANY, 2, 1], [1, 2], ["$: no other item contains 1"]),
        ({"a": {"b": 1}}, {"a": {}}, ["$.a.b: missing, expected 1"]),
    ],
    ids=[
        "more keys",
        "any order",
        "empty list",
        "nearest item",
        "no item is near",
        "nothing there",
        "two objects and one",
        "two objects and a near one",
        "two numbers and one",
        "two lists and one",
        "any item",
        "first moves on",
        "two move on",
        "ANY moves on",
        "one too many",
        "nested",
    ],
)
def test_subset_is_told_by_what_is_not_contained(expected: Any, actual: Any, messages: list[str]) -> None:
    assert told(expected, actual, subset=True) == messages


ITEMS = st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 1), max_size=2), max_size=4)


@given(expected=ITEMS, actual=ITEMS)
def test_list_is_contained_exactly_when_each_item_can_be_given_one_of_its_own(expected: Any, actual: Any) -> None:
    choices = permutations(actual, len(expected))
    by_trying = any(all(map(contains, expected, chosen)) for chosen in choices)

    assert contains(expected, actual) == by_trying
    assert (not differences(expected, actual, subset=True)) == by_trying


def test_lists_in_which_many_items_are_alike_are_compared_once() -> None:
    compared = 0

    class Item:
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return other == 1

    assert not contains([Item() for _ in range(60)], [*[1] * 59, 2])
    assert compared <= 60 * 60


def test_nested_lists_whose_items_must_move_are_compared_once() -> None:
    expected: Any = [1]
    without: Any = [2]
    holding: Any = [1, 9]
    for _ in range(40):  # the first item goes to the second place, and is looked for in the first again when [9] comes
        expected, without, holding = [expected, [9]], [without, holding], [holding, [9], 9]

    assert contains(expected, holding)
    assert not contains(expected, without)  # a second comparison at each level would make 2 to the 40th


@given(expected=JSON, actual=JSON)
def test_there_is_a_difference_exactly_when_values_are_not_equal(expected: Any, actual: Any) -> None:
    assert (not differences(expected, actual)) == equal(expected, actual)
    assert (not differences(expected, actual, subset=True)) == contains(expected, actual)


@given(value=JSON)
def test_every_value_equals_and_contains_itself(value: Any) -> None:
    assert equal(value, value)
    assert contains(value, value)


def test_values_nested_as_deep_as_a_body_may_be_are_compared() -> None:
    deep: Any = 1
    other: Any = 2
    for _ in range(512):
        deep, other = [deep], [other]

    assert equal(deep, deep)
    assert contains(deep, deep)
    assert len(differences(deep, other)) == 1


def test_long_lists_are_compared_by_position() -> None:
    assert told(list(range(1_000)), [*range(999), -1]) == ["$[999]: expected 999, got -1"]


def test_value_is_shown_on_one_line_and_shortened() -> None:
    assert show({"a": "é\n"}) == '{"a": "é\\n"}'
    assert show("x" * 100, 10) == '"xxxxxxxx…'


def test_leaves_count_the_values_that_hold_no_others() -> None:
    assert leaves({"a": [1, 2, {"b": None}], "c": {}}) == 4
