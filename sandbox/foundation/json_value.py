"""JSON values: their type, and the one equality of them that assertions, faults and duplicates share.

Numbers are equal by value (10 and 10.0), at any depth; ``true`` is not 1, and "2" is not 2.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import UserList, UserString
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction, isroutine
from numbers import Number
from typing import Any, Final, TypeAlias

JsonValue: TypeAlias = "Mapping[str, JsonValue] | Sequence[JsonValue] | str | int | float | bool | None"
"""Anything ``json.loads`` returns; receivers do not change it."""


def equal(expected: Any, actual: JsonValue) -> bool:
    """Return whether two values are the same JSON.

    ``expected`` may hold Python values that a JSON parser does not return. A ``Decimal`` is equal by value, to the
    number as it is written in JSON. Keys are compared as ``json.dumps`` writes them: 1 is "1". A matcher decides, and
    the ``==`` of any other object (``unittest.mock.ANY``, ``pytest.approx(…)``).
    """
    if type(expected) is str:  # most values: each further question costs more than this answer
        return expected == actual
    if isinstance(expected, Mapping):
        if not isinstance(actual, dict) or len(expected) != len(actual):
            return False
        for key, value in expected.items():
            name = key if type(key) is str else key_text(key)
            if name not in actual or not equal(value, actual[name]):
                return False
        return True
    if isinstance(expected, (list, tuple)):
        if not isinstance(actual, list) or len(expected) != len(actual):
            return False
        for value, other in zip(expected, actual, strict=True):  # noqa: SIM110 - as above
            if not equal(value, other):
                return False
        return True
    if isinstance(expected, bool) or (isinstance(actual, bool) and isinstance(expected, (int, float, Decimal))):
        return expected is actual
    if isinstance(expected, Decimal) and isinstance(actual, float):
        return expected == Decimal(repr(actual))  # 9.95 is no double: the nearest one has 9.95 as its shortest text
    return bool(expected == actual) or (is_matcher(expected) and _meets(expected, actual))


def is_matcher(value: object) -> bool:
    """Return whether a value stands for the values that it takes: a compiled regular expression, or a function.

    A function is any object that can be called. Not a class, and no object whose own ``==`` decides.
    """
    is_function = callable(value) and not isinstance(value, type) and type(value).__eq__ is object.__eq__
    return isinstance(value, re.Pattern) or isroutine(value) or is_function


_COMPARED: Final = (Number, str, UserString, UserList)
"""Types of the standard library, other than those of JSON, some of whose values are equal to JSON."""

MEANT: Final = (
    "JSON, a regular expression of text, a function that returns whether a value is good, or an object whose == "
    "decides; write other objects as JSON has them, such as str(…)"
)
"""The words for what may stand in an expectation."""


def first_unequalled(expected: Any, place: str) -> tuple[str, type] | None:
    """Return the place and the type of the first part of an expectation that no JSON can equal.

    These are objects of Python's own types, such as a date, a UUID or bytes; a class; a function that a call does not
    run; and a key that is no text, number or constant. An assertion that nothing came would always hold with them.
    """
    waiting = [(place, expected)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, Mapping):
            for key in value:
                if not isinstance(key, (str, int, float, type(None))):
                    return f"a key of {place}", type(key)
            waiting += [(f"{place}.{key}", child) for key, child in value.items()][::-1]
        elif isinstance(value, (list, tuple)):
            waiting += [(f"{place}[{number}]", child) for number, child in enumerate(value)][::-1]
        elif not _may_equal(value):
            return place, type(value)
    return None


def _may_equal(value: Any) -> bool:
    if value is None or isinstance(value, _COMPARED):
        return not (isinstance(value, float) and math.isnan(value))
    if isinstance(value, re.Pattern):
        return isinstance(value.pattern, str)
    if is_matcher(value):
        return not (iscoroutinefunction(value) or isgeneratorfunction(value) or isasyncgenfunction(value))
    decides = next(owner for owner in type(value).__mro__ if "__eq__" in vars(owner)).__module__
    return decides == "unittest.mock" or decides.partition(".")[0] not in sys.stdlib_module_names


def _meets(matcher: Any, value: JsonValue) -> bool:
    """Return whether an expression is found in a text, or a function returns true for a value.

    A function may fail on a value of another type than it expects, as any other payload may hold.
    """
    if isinstance(matcher, re.Pattern):
        return isinstance(value, str) and matcher.search(value) is not None
    try:
        return bool(matcher(value))
    except (TypeError, ValueError, AttributeError, LookupError):
        return False


def key_text(key: object) -> object:
    """Return the key of an object as ``json.dumps`` writes it; one that it cannot write as it is."""
    if isinstance(key, str):
        return str.__str__(key)  # a member of an enumeration has another hash than its text
    return json.dumps(key) if key is None or isinstance(key, (bool, int, float)) else key


def canonical(value: Any, default: Callable[[Any], object] | None = None) -> str:
    """Return a text that is the same for values that are ``equal``, and for no others.

    ``default`` returns the JSON that stands for an object that is no JSON, as in ``json.dumps``.
    """
    return json.dumps(_with_plain_numbers(value), sort_keys=True, separators=(",", ":"), default=default)


def _with_plain_numbers(value: Any) -> Any:
    if isinstance(value, (dict, Mapping)):
        members = {}
        for key, child in value.items():  # no comprehension, as in ``equal``
            members[key] = _with_plain_numbers(child)
        return members
    if isinstance(value, (list, tuple)):
        items = []
        for child in value:
            items.append(_with_plain_numbers(child))  # noqa: PERF401 - as above
        return items
    return int(value) if isinstance(value, float) and value.is_integer() else value
