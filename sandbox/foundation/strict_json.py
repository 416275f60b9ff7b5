"""JSON bodies: read as strictly as the platform's stack reads them, and written so that every parser reads them.

PHP's ``json_decode`` refuses a byte order mark, bad UTF-8, unpaired surrogates, ``NaN`` and nesting beyond 512 levels;
``parse_json`` does too. Python's own parser accepts some of these and overflows its stack on others.

1e400 is JSON, but no double holds it: Python reads it as infinity, for which JSON has no word. This module writes all
JSON of the sandbox, and ``null`` in the place of such a number.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import msgspec

from sandbox.foundation.errors import InvalidValueError, shorten
from sandbox.foundation.json_value import JsonValue, equal

MAX_DEPTH = 512
"""Nesting levels a JSON body may have: the default of PHP's ``json_decode`` (framework)."""

_JSON_ALLOWED = "JSON whose text is UTF-8, with text as keys and numbers that a double holds"
_COMPACT = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


class NotJsonError(ValueError):
    """The bytes are not JSON; the message says why."""


class RepeatedKeyError(NotJsonError):
    """An object has a key more than once. That is JSON, but its readers differ in the value that counts."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {shorten(key)} is there more than once in one object; leave one of them")


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of these keys and values, as ``object_pairs_hook`` of ``json``; raise ``RepeatedKeyError``."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise RepeatedKeyError(next(name for name in members if names.count(name) > 1))
    return members


def compact_json(value: object) -> str:
    """Return JSON without spaces and in ASCII; a number beyond a double is ``null``."""
    try:
        return _COMPACT.encode(value)
    except ValueError:
        return _COMPACT.encode(in_doubles(json.dumps(value)))


def write_json(
    value: object, *, indent: int | None = None, ascii: bool = True, default: Callable[[Any], object] | None = None
) -> str:
    """Return JSON as ``json.dumps`` writes it; a number beyond a double is ``null``."""
    try:
        return json.dumps(value, indent=indent, ensure_ascii=ascii, default=default, allow_nan=False)
    except ValueError:
        return json.dumps(in_doubles(json.dumps(value, default=default)), indent=indent, ensure_ascii=ascii)


def in_doubles(text: str) -> Any:
    """Return the values of a text that ``json.dumps`` wrote, with ``None`` for each number beyond a double."""
    return json.loads(text, parse_constant=lambda _: None)


def sent_json(value: object, field: str) -> str:
    """Return JSON that stands for a value exactly, a ``Decimal`` included; raise ``InvalidValueError`` naming a place.

    Infinity is refused, as are keys and objects that JSON has no word for.
    """
    try:
        return json.dumps(value, allow_nan=False, default=number_of)
    except (ValueError, TypeError, RecursionError):
        place, found = _first_that_is_no_json(value, field) or (field, value)
        raise InvalidValueError(place, found, _JSON_ALLOWED) from None


def number_of(value: object) -> int | float:
    """Return the number of JSON that is equal to a ``Decimal``; raise ``TypeError`` for all else, as ``json`` does."""
    from decimal import Decimal

    if isinstance(value, Decimal) and value.is_finite():
        number = int(value) if value == value.to_integral_value() else float(value)
        if equal(value, number):
            return number
    raise TypeError(f"{type(value).__name__} is no JSON")


def _first_that_is_no_json(value: object, place: str) -> tuple[str, object] | None:
    waiting, seen = [(place, value)], set()
    while waiting:
        place, value = waiting.pop()
        match value:
            case None | bool() | int() | str():
                continue
            case float() if math.isfinite(value):
                continue
            case Mapping() | list() | tuple() if id(value) not in seen:
                seen.add(id(value))
                inner = value.items() if isinstance(value, Mapping) else enumerate(value)
                waiting += [(f"{place}.{key}", child) for key, child in inner][::-1]
            case _:
                return place, value
    return None


def parse_json(body: bytes, max_depth: int = MAX_DEPTH, *, in_doubles: bool = False, unique: bool = False) -> JsonValue:
    """Return the parsed body or raise ``NotJsonError``. Of a repeated key the last one wins; ``unique`` refuses it.

    With ``in_doubles`` a number that no double holds is refused too; without it, it is infinity.

    msgspec reads most bodies, in a third of the time. It refuses some that PHP accepts, such as a number beyond a
    double, and names no line: ``json`` then reads the body again.
    """
    read_float = _double if in_doubles else float
    if unique:
        parsed = _parsed_slowly(body, max_depth, read_float, unique_keys)
    else:
        try:
            parsed = msgspec.json.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            parsed = _parsed_slowly(body, max_depth, read_float)
    if may_be_deep(body, max_depth) and depth(parsed) > max_depth:
        raise NotJsonError(_too_deep(max_depth))
    return parsed


def _parsed_slowly(
    body: bytes,
    max_depth: int,
    read_float: Callable[[str], float] = float,
    read_object: Callable[[list[tuple[str, Any]]], dict[str, Any]] | None = None,
) -> JsonValue:
    try:
        parsed: JsonValue = json.loads(
            body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=read_float, object_pairs_hook=read_object
        )
    except RecursionError:
        raise NotJsonError(_too_deep(max_depth)) from None
    except RepeatedKeyError:
        raise
    except (json.JSONDecodeError, UnicodeDecodeError, NotJsonError) as error:
        raise NotJsonError(str(error)) from None
    except ValueError:  # Python's limit on the digits of an integer, where it has one
        raise NotJsonError("an integer of thousands of digits") from None
    try:
        if _SURROGATE.search(body):
            json.dumps(parsed, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise NotJsonError("an unpaired surrogate in an escape") from None
    return parsed


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def _too_deep(max_depth: int) -> str:
    return f"nested deeper than {max_depth} levels"


def _refuse_constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is not JSON")


def _double(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJsonError(f"{text[:40]} is more than a double holds")
    return number


def may_be_deep(body: bytes, max_depth: int = MAX_DEPTH) -> bool:
    """Return whether there are enough brackets for too many levels: a cheap test, false for nearly every body."""
    return len(body) > 2 * max_depth and body.count(b"[") + body.count(b"{") > max_depth


def depth(parsed: JsonValue) -> int:
    """Return the number of levels of a JSON value: 1 if it is neither a list nor an object."""
    levels, level = 0, [parsed]
    while level:
        levels += 1
        children: list[JsonValue] = []
        for node in level:
            if isinstance(node, dict):
                children.extend(value for value in node.values() if isinstance(value, (dict, list)))
            elif isinstance(node, list):
                children.extend(value for value in node if isinstance(value, (dict, list)))
        level = children
    return levels
