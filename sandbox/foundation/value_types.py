"""What a field of a fault, a match or a rule may hold: one function for each type."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sandbox.foundation.clock import format_instant, parse_duration, parse_instant
from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.json_path import compile_json_path

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class NotAllowedError(ValueError):
    """Raised by a type's ``parse``; becomes an ``InvalidValueError`` where the field is known."""


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class ValueType:
    """What a field may hold: how it is read, in words, as a JSON Schema, and how it is written back."""

    parse: Callable[[object], Any]
    allowed: str
    schema: Mapping[str, Any]
    dump: Callable[[Any], Any] = _as_it_is


def integer(low: int, high: int) -> ValueType:
    """A whole number."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise NotAllowedError
        return value

    schema = {"type": "integer", "minimum": low, "maximum": high}
    return ValueType(parse, f"a whole number from {low} to {high}", schema)


def number(low: float, high: float) -> ValueType:
    """A number."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise NotAllowedError
        return float(value)

    schema = {"type": "number", "minimum": low, "maximum": high}
    return ValueType(parse, f"a number from {low:g} to {high:g}", schema)


def seconds(high: float = 86_400.0, low: float = 0.0) -> ValueType:
    """A length of time: seconds as a number, or a duration as the clock reads it; inside, seconds."""

    def parse(value: object) -> float:
        try:
            length = parse_duration(value).total_seconds()
        except InvalidValueError:
            raise NotAllowedError from None
        if not low <= length <= high:
            raise NotAllowedError
        return length

    schema = {"anyOf": [{"type": "number", "minimum": low, "maximum": high}, {"type": "string"}]}
    allowed = f"seconds from {low:g} to {high:g}, as a number (0.25) or a duration (90s, 5m, PT1H)"
    return ValueType(parse, allowed, schema)


def boolean() -> ValueType:
    """Yes or no."""

    def parse(value: object) -> bool:
        if not isinstance(value, bool):
            raise NotAllowedError
        return value

    return ValueType(parse, "true or false", {"type": "boolean"})


def text(high: int = 1_000_000, low: int = 0) -> ValueType:
    """Text."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or not low <= len(value) <= high:
            raise NotAllowedError
        return value

    schema = {"type": "string", "minLength": low, "maxLength": high}
    return ValueType(parse, f"text of {low} to {high} characters", schema)


def choice(*values: str) -> ValueType:
    """One of a few words."""

    def parse(value: object) -> str:
        if value not in values:
            raise NotAllowedError
        return str(value)

    return ValueType(parse, ", ".join(values), {"type": "string", "enum": list(values)})


def method() -> ValueType:
    """An HTTP method; kept in upper case."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or not _TOKEN.fullmatch(value):
            raise NotAllowedError
        return value.upper()

    return ValueType(parse, "an HTTP method such as POST", {"type": "string"})


def names() -> ValueType:
    """A list of names."""

    def parse(value: object) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) and name for name in value):
            raise NotAllowedError
        return tuple(dict.fromkeys(value))

    return ValueType(parse, "a list of names", {"type": "array", "items": {"type": "string"}}, list)


def headers(*, may_be_null: bool = False) -> ValueType:
    """Headers by name."""

    def parse(value: object) -> dict[str, str | None]:
        if not isinstance(value, Mapping):
            raise NotAllowedError
        for name, content in value.items():
            if not isinstance(name, str) or not _TOKEN.fullmatch(name) or not _is_header_value(content, may_be_null):
                raise NotAllowedError
        return dict(value)

    content = ["string", "null"] if may_be_null else "string"
    allowed = "an object of header names and values" + (", null for any value" if may_be_null else "")
    return ValueType(parse, allowed, {"type": "object", "additionalProperties": {"type": content}}, dict)


def _is_header_value(value: object, may_be_null: bool) -> bool:
    if value is None:
        return may_be_null
    return isinstance(value, str) and value.isprintable() and all(ord(character) < 256 for character in value)


def json_value() -> ValueType:
    """Any JSON value."""

    def parse(value: object) -> object:
        if not _is_json(value):
            raise NotAllowedError
        return value

    return ValueType(parse, "any JSON value", {})


def json_object() -> ValueType:
    """A JSON object."""

    def parse(value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not _is_json(value):
            raise NotAllowedError
        return dict(value)

    return ValueType(parse, "a JSON object", {"type": "object", "additionalProperties": True}, dict)


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


def json_path() -> ValueType:
    """A JSONPath that must select something, or an object of JSONPaths and the values they must select."""

    def parse(value: object) -> str | dict[str, Any]:
        if isinstance(value, str):
            compile_json_path(value)
            return value
        if not isinstance(value, Mapping) or not value or not _is_json(value):
            raise NotAllowedError
        for expression in value:
            compile_json_path(expression)
        return dict(value)

    schema = {"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": True, "minProperties": 1}]}
    allowed = 'an RFC 9535 JSONPath ($.order), or an object of paths and the values they must select ({"$.order": "1"})'
    return ValueType(parse, allowed, schema)


def instant() -> ValueType:
    """A moment of the sandbox clock."""

    def parse(value: object) -> datetime:
        try:
            return parse_instant(value)
        except InvalidValueError:
            raise NotAllowedError from None

    allowed = "an instant with a zone, such as 2026-11-23T18:00:00Z"
    return ValueType(parse, allowed, {"type": "string", "format": "date-time"}, format_instant)
