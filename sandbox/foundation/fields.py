"""What a setting may hold: for each kind how a value is read, what is allowed in words, and that as JSON Schema.

A value comes as text from a flag or the environment, as YAML or JSON has it from a file or the control API.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sandbox.foundation.clock import parse_duration
from sandbox.foundation.errors import InvalidValueError


class NotAllowedError(ValueError):
    """Raised by a parser; becomes a ``SettingError`` where the name is known."""


Kind: TypeAlias = tuple[Callable[[object], object], str, Mapping[str, Any]]
"""A parser, what it allows in words, and that as JSON Schema."""


def choice(*values: str) -> Kind:
    """One of some words."""

    def parse(value: object) -> str:
        if value not in values:
            raise NotAllowedError
        return str(value)

    return parse, ", ".join(values), {"type": "string", "enum": list(values)}


def integer(low: int, high: int, unit: str = "") -> Kind:
    """A whole number, or its digits."""

    def parse(value: object) -> int:
        if isinstance(value, str) and value.strip().removeprefix("-").isdecimal() and len(value) < 20:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise NotAllowedError
        return value

    allowed = f"a whole number from {low} to {high}" + (f" ({unit})" if unit else "")
    return parse, allowed, {"type": "integer", "minimum": low, "maximum": high}


def boolean() -> Kind:
    """A truth value, or a word for one."""
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}

    def parse(value: object) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in words:
            return words[value.strip().lower()]
        raise NotAllowedError

    return parse, "true or false", {"type": "boolean"}


def text(
    allowed: str, accept: Callable[[str], bool], *, optional: bool = False, schema: Mapping[str, Any] | None = None
) -> Kind:
    """A text; ``schema`` is what JSON Schema can say of it, for the document of the control API."""

    def parse(value: object) -> str | None:
        if optional and value in (None, ""):
            return None
        if not isinstance(value, str) or not accept(value) or "\n" in value or "\r" in value:
            raise NotAllowedError
        return value

    return parse, allowed, {"type": ["string", "null"] if optional else "string", **(schema or {})}


def names(
    allowed: str,
    accept: Callable[[str], bool],
    normal: Callable[[str], str] = str,
    *,
    empty: bool = False,
    schema: Mapping[str, Any] | None = None,
) -> Kind:
    """A list of names, given as a list or separated by commas; kept as a tuple without repeats."""

    def parse(value: object) -> tuple[str, ...]:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, (list, tuple)) or not all(isinstance(part, str) for part in parts):
            raise NotAllowedError
        given = tuple(dict.fromkeys(normal(part.strip()) for part in parts))
        if empty and given == ("",):
            given = ()
        if not (given or empty) or not all(accept(name) for name in given):
            raise NotAllowedError
        return given

    return (
        parse,
        allowed,
        {
            "type": "array",
            "items": {"type": "string", **(schema or {})},
            "minItems": 0 if empty else 1,
        },
    )


def duration(low: float, high: float) -> Kind:
    """Whole seconds, or a duration; kept in seconds."""

    def parse(value: object) -> int:
        if isinstance(value, str) and value.strip().isdecimal():
            value = float(value)
        try:
            seconds = parse_duration(value).total_seconds()
        except InvalidValueError:
            raise NotAllowedError from None
        if not low <= seconds <= high or not math.isclose(seconds, round(seconds)):
            raise NotAllowedError
        return round(seconds)

    allowed = f"whole seconds from {low:.0f} to {high:.0f}, or a duration such as 24h or PT24H"
    return parse, allowed, {"type": "integer", "minimum": int(low), "maximum": int(high)}
