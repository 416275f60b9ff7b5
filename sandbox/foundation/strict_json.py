"""Reading JSON bodies as strictly as the platform's stack does, whatever they are, and writing them as tightly.

PHP's ``json_decode`` refuses a byte order mark, bad UTF-8, unpaired surrogates, ``NaN`` and nesting beyond 512 levels;
so does this. Python's own parser would accept some of these and overflow its stack on others.
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

    msgspec reads what it can in a third of the time. It takes less than PHP does, such as no number beyond a double,
    and tells no line: what it refuses is read again.
    """
    import msgspec  # needed for the first body that anybody wants parsed

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
    """Whether all text in it can be written as UTF-8: not so what an unpaired surrogate stands for."""
    try:
        json.dumps(parsed, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _may_be_deep(body: bytes, max_depth: int) -> bool:
    """Whether there are brackets enough for the depth to matter: cheap, and false for nearly every body."""
    return body.count(b"[") + body.count(b"{") > max_depth


def depth(parsed: JsonValue) -> int:
    """Return how many levels a JSON value has; one that is no list and no object has one."""
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
