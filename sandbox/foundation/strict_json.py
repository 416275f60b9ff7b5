"""JSON bodies: read as strictly as the platform's stack reads them, and written without spaces.

PHP's ``json_decode`` refuses a byte order mark, bad UTF-8, unpaired surrogates, ``NaN`` and nesting beyond 512 levels;
``parse_json`` does too. Python's own parser accepts some of these and overflows its stack on others.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

from sandbox.foundation.json_value import JsonValue

MAX_DEPTH = 512
"""Nesting levels a JSON body may have: the default of PHP's ``json_decode`` (framework)."""

_COMPACT = json.JSONEncoder(separators=(",", ":"))


class NotJsonError(ValueError):
    """The bytes are not JSON; the message says why."""


def compact_json(value: object) -> str:
    """Return JSON without spaces and in ASCII."""
    return _COMPACT.encode(value)


def parse_json(body: bytes, max_depth: int = MAX_DEPTH) -> JsonValue:
    """Return the parsed body or raise ``NotJsonError``. Of a repeated key the last one wins.

    msgspec reads most bodies, in a third of the time. It refuses some that PHP accepts, such as a number beyond a
    double, and names no line: ``json`` then reads the body again.
    """
    import msgspec  # at the first body: a start needs no msgspec

    try:
        parsed: JsonValue = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        parsed = _parsed_slowly(body, max_depth)
    if _may_be_deep(body, max_depth) and depth(parsed) > max_depth:
        raise NotJsonError(_too_deep(max_depth))
    return parsed


def _parsed_slowly(body: bytes, max_depth: int) -> JsonValue:
    try:
        parsed: JsonValue = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise NotJsonError(_too_deep(max_depth)) from None
    except (json.JSONDecodeError, UnicodeDecodeError, NotJsonError) as error:
        raise NotJsonError(str(error)) from None
    except ValueError:  # Python's limit on the digits of an integer, where it has one
        raise NotJsonError(_TOO_LONG) from None
    if _SURROGATE.search(body) and not _encodable(parsed):
        raise NotJsonError("an unpaired surrogate in an escape")
    return parsed


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_TOO_LONG = "an integer of thousands of digits"


def _too_deep(max_depth: int) -> str:
    return f"nested deeper than {max_depth} levels"


def _refuse_constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is not JSON")


def _encodable(parsed: JsonValue) -> bool:
    """Return whether all text can be encoded as UTF-8; an unpaired surrogate cannot."""
    try:
        json.dumps(parsed, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _may_be_deep(body: bytes, max_depth: int) -> bool:
    """Return whether there are enough brackets for too many levels: a cheap test, false for nearly every body."""
    return body.count(b"[") + body.count(b"{") > max_depth


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
