"""Types of fields: each reads a value, describes the allowed ones in words and as JSON Schema, and writes it.

Settings and faults share these types. A setting can also come as text, from a flag or a variable: ``from_text`` makes
of such a text what ``parse`` takes. A fault takes values as JSON has them and never calls it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sandbox.foundation.errors import InvalidValueError, any_of
from sandbox.foundation.instants import format_instant, parse_duration, parse_instant
from sandbox.foundation.json_path import MAX_JSON_PATH_LENGTH, compile_json_path
from sandbox.foundation.printable import UNPRINTABLE, is_printable

_HTTP_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
DURATIONS: Final = "as a number (0.25) or a duration (90s, 5m, PT1H)"
"""How a field of type ``seconds`` is written, in words."""
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
_TRUTH_WORDS: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


class NotAllowedError(ValueError):
    """A value is not of the type; the field that declares the type raises an ``InvalidValueError`` in its place."""


def _unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type of value.

    ``allowed`` says in words what it takes, ``schema`` as JSON Schema. ``accepts`` returns whether it takes a value,
    and ``keep`` the value to keep of that; either may raise ``NotAllowedError``. ``dump`` turns a kept value into plain
    data, ``from_text`` a text into what ``parse`` takes.
    """

    allowed: str
    schema: Mapping[str, Any]
    accepts: Callable[[Any], object] = lambda _: True
    keep: Callable[[Any], Any] = _unchanged
    dump: Callable[[Any], Any] = _unchanged
    from_text: Callable[[str], object] = _unchanged

    def parse(self, value: object) -> Any:
        """Return the value to keep or raise ``NotAllowedError``."""
        if not self.accepts(value):
            raise NotAllowedError
        return self.keep(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def optional(value_type: ValueType) -> ValueType:
    """Return the type that also takes ``None``, and an empty text for it."""
    return replace(
        value_type,
        schema={**value_type.schema, "type": [value_type.schema["type"], "null"]},
        accepts=lambda value: value in (None, "") or value_type.accepts(value),
        keep=lambda value: None if value in (None, "") else value_type.keep(value),
    )


def integer(low: int, high: int, unit: str = "") -> ValueType:
    """A whole number, which JSON may write as 60.0; from text, its digits."""
    return ValueType(
        f"a whole number from {low} to {high}" + (f" ({unit})" if unit else ""),
        {"type": "integer", "minimum": low, "maximum": high},
        lambda value: _is_number(value) and low <= value <= high and value == int(value),
        keep=int,
        from_text=lambda text: int(text) if text.strip().removeprefix("-").isdecimal() and len(text) < 20 else text,
    )


def number(low: float, high: float) -> ValueType:
    """A number, kept as a float."""
    return ValueType(
        f"a number from {low:g} to {high:g}",
        {"type": "number", "minimum": low, "maximum": high},
        lambda value: _is_number(value) and low <= value <= high,
        keep=float,
    )


def _plain(value: float) -> str:
    """Return a number without an exponent: 0.000001, 31622400."""
    return f"{value:f}".rstrip("0").rstrip(".")


def seconds(high: float = 86_400.0, low: float = 0.0) -> ValueType:
    """A length of time: seconds as a number, or a duration as the clock reads it; kept in seconds."""
    return ValueType(
        f"seconds from {_plain(low)} to {_plain(high)}, {DURATIONS}",
        {"anyOf": [{"type": "number", "minimum": low, "maximum": high}, {"type": "string"}]},
        lambda value: low <= _length(value) <= high,
        keep=_length,
    )


def whole_seconds(low: int, high: int) -> ValueType:
    """A length of time: whole seconds, or a duration of so many; kept in seconds."""

    def accepts(value: object) -> bool:
        length = _length(value)
        return low <= length <= high and math.isclose(length, round(length))

    return ValueType(
        f"whole seconds from {low} to {high}, or a duration such as 24h or PT24H",
        {"type": "integer", "minimum": low, "maximum": high},
        accepts,
        keep=lambda value: round(_length(value)),
        from_text=lambda text: float(text) if text.strip().isdecimal() else text,
    )


def _length(value: object) -> float:
    try:
        return parse_duration(value).total_seconds()
    except InvalidValueError:
        raise NotAllowedError from None


def boolean() -> ValueType:
    """A truth value; from text, a word for one."""
    return ValueType(
        "true or false",
        {"type": "boolean"},
        lambda value: isinstance(value, bool),
        from_text=lambda text: _TRUTH_WORDS.get(text.strip().lower(), text),
    )


def text(high: int = 1_000_000, low: int = 0) -> ValueType:
    """A text of ``low`` to ``high`` characters."""
    return ValueType(
        f"text of {low} to {high} characters",
        {"type": "string", "minLength": low, "maxLength": high},
        lambda value: isinstance(value, str) and low <= len(value) <= high,
    )


def printable(high: int, low: int) -> ValueType:
    """A text of ``low`` to ``high`` characters that can be shown as it is, such as a name."""
    return ValueType(
        f"text of {low} to {high} printable characters",
        {"type": "string", "minLength": low, "maxLength": high, "pattern": f"^[^{UNPRINTABLE}]*$"},
        lambda value: isinstance(value, str) and low <= len(value) <= high and is_printable(value),
    )


def line(allowed: str, accept: Callable[[str], object], schema: Mapping[str, Any] | None = None) -> ValueType:
    """A text on one line that ``accept`` takes; ``schema`` is what JSON Schema can say of it."""
    return ValueType(
        allowed,
        {"type": "string", **(schema or {})},
        lambda value: isinstance(value, str) and accept(value) and "\n" not in value and "\r" not in value,
    )


def choice(*values: str) -> ValueType:
    """One of a few words."""
    return ValueType(any_of(values), {"type": "string", "enum": list(values)}, lambda value: value in values, str)


def names(
    allowed: str = "a list of names",
    accept: Callable[[str], object] = bool,
    normal: Callable[[str], str] = str,
    *,
    low: int = 0,
    schema: Mapping[str, Any] | None = None,
) -> ValueType:
    """At least ``low`` names that ``accept`` takes, kept as a tuple without repeats; from text, separated by commas.

    ``normal`` returns the form of a name that is kept; ``schema`` is what JSON Schema can say of one.
    """

    def keep(value: Sequence[str]) -> tuple[str, ...]:
        given = tuple(dict.fromkeys(normal(name.strip()) for name in value))
        if len(given) < low or not all(accept(name) for name in given):
            raise NotAllowedError
        return given

    items = {"type": "array", "items": {"type": "string", **(schema or {})}}
    return ValueType(
        allowed,
        {**items, "minItems": low} if low else items,
        lambda value: isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value),
        keep,
        dump=list,
        from_text=lambda text: text.split(",") if text.strip() else [],
    )


def instant() -> ValueType:
    """A moment of the sandbox clock."""

    def keep(value: object) -> datetime:
        try:
            return parse_instant(value)
        except InvalidValueError:
            raise NotAllowedError from None

    allowed = "an instant with a zone, such as 2026-11-23T18:00:00Z"
    return ValueType(allowed, {"type": "string", "format": "date-time"}, keep=keep, dump=format_instant)


# --- parts of an HTTP message (RFC 9110) ------------------------------------------------------------------------------


def _is_http_token(value: object) -> bool:
    return isinstance(value, str) and _HTTP_TOKEN.fullmatch(value) is not None


def http_method() -> ValueType:
    """An HTTP method; kept in upper case."""
    return ValueType("an HTTP method such as POST", {"type": "string"}, _is_http_token, str.upper)


def headers(*, may_be_null: bool = False) -> ValueType:
    """Headers by name."""

    def accepts(value: object) -> bool:
        return isinstance(value, Mapping) and all(
            _is_http_token(name) and (may_be_null if content is None else _is_header_value(content))
            for name, content in value.items()
        )

    content = ["string", "null"] if may_be_null else "string"
    allowed = "an object of header names and values" + (", null for any value" if may_be_null else "")
    return ValueType(allowed, {"type": "object", "additionalProperties": {"type": content}}, accepts, dict, dict)


def _is_header_value(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and all(ord(character) < 256 for character in value)


def answer_headers() -> ValueType:
    """Headers of an answer by name. The server frames the answer: its headers for that cannot be given."""
    any_headers = headers()
    return replace(
        any_headers,
        allowed="an object of header names and values, without Content-Length and Transfer-Encoding; for an answer "
        "that breaks off there is the fault truncated_body",
        accepts=lambda value: any_headers.accepts(value) and not any(name.lower() in _FRAMING for name in value),
    )


# --- JSON, and paths into it ------------------------------------------------------------------------------------------


def json_value() -> ValueType:
    """Any JSON value."""
    return ValueType("any JSON value", {}, _is_json)


def json_object() -> ValueType:
    """A JSON object."""
    schema = {"type": "object", "additionalProperties": True}
    return ValueType("a JSON object", schema, lambda value: isinstance(value, Mapping) and _is_json(value), dict, dict)


def _is_json(value: object) -> bool:
    match value:
        case None | bool() | int() | str():
            return True
        case float():
            return math.isfinite(value)
        case Mapping():
            return all(isinstance(key, str) and _is_json(child) for key, child in value.items())
        case list() | tuple():
            return all(_is_json(child) for child in value)
        case _:
            return False


JSON_PATH: Final[Mapping[str, Any]] = {
    "type": "string",
    "format": "json-path",
    "pattern": r"^\$",
    "maxLength": MAX_JSON_PATH_LENGTH,
}
"""The JSON Schema of a JSONPath. The format has no official name; RFC 9535 is young."""


def json_path() -> ValueType:
    """A JSONPath that must select something, or an object of JSONPaths and the values they must select."""

    def accepts(value: object) -> bool:
        if not isinstance(value, str) and not (isinstance(value, Mapping) and value and _is_json(value)):
            return False
        for expression in [value] if isinstance(value, str) else value:
            compile_json_path(expression)
        return True

    schema = {"anyOf": [JSON_PATH, {"type": "object", "additionalProperties": True, "minProperties": 1}]}
    allowed = 'an RFC 9535 JSONPath ($.order), or an object of paths and the values they must select ({"$.order": "1"})'
    return ValueType(allowed, schema, accepts, lambda value: value if isinstance(value, str) else dict(value))
