"""JSON values: their type, and the one equality of them that assertions, faults and duplicates share.

Numbers are equal by value (10 and 10.0), at any depth; ``true`` is not 1, and "2" is not 2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from inspect import isroutine
from typing import Any, TypeAlias

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
            name = key if isinstance(key, str) else key_text(key)
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
    """Return whether a value is a compiled regular expression or a function, which stands for the values it takes."""
    return isinstance(value, (re.Pattern, partial)) or isroutine(value)


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
