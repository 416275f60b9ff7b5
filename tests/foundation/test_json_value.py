from __future__ import annotations

from decimal import Decimal
from typing import Any
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.foundation.json_value import canonical, equal

JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from([0, 1, 10, 0.0, -0.0, 1.0, 10.0, 0.5]) | st.sampled_from(["", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (10, 10.0),
        ([{"a": 100}], [{"a": 1e2}]),
        (0, -0.0),
        (Decimal("9.95"), 9.95),
        (Decimal("9.950"), 9.95),
        (Decimal("10.00"), 10),
        ({"a": [Decimal("0.1")]}, {"a": [0.1]}),
        ((1, 2), [1, 2]),
        ({1: "a", None: "b", 0.5: "c"}, {"1": "a", "null": "b", "0.5": "c"}),
        ([ANY], [None]),
    ],
    ids=["float", "exponent", "minus zero", "decimal", "trailing zero", "whole", "nested", "tuple", "keys", "ANY"],
)
def test_values_that_are_the_same_json_are_equal(one: Any, other: Any) -> None:
    assert equal(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (True, 1),
        (0.0, False),
        (Decimal(1), True),
        ([1, 0], [True, False]),
        ({"a": [1]}, {"a": [True]}),
        ("2", 2),
        (None, 0),
        (Decimal("9.951"), 9.95),
        (Decimal("9.95"), "9.95"),
        ([1], [1, 1]),
        (9007199254740993, 9007199254740992.0),
        ({1: "a"}, {"2": "a"}),
    ],
    ids=str,
)
def test_values_that_are_not_the_same_json_are_not_equal(one: Any, other: Any) -> None:
    assert not equal(one, other)


@given(one=JSON, other=JSON)
def test_canonical_text_is_the_same_exactly_when_values_are_equal(one: Any, other: Any) -> None:
    assert (canonical(one) == canonical(other)) == equal(one, other)


def test_values_nested_as_deep_as_a_body_may_be_have_a_canonical_text() -> None:
    deep: Any = 1.0
    for _ in range(512):
        deep = [deep]

    assert canonical(deep) == "[" * 512 + "1" + "]" * 512
