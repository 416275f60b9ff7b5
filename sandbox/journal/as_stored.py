"""A payload as the platform probably stores it: the input that its framework makes of a request (FACTS 1.31).

The framework parses the body by its Content-Type, merges the query into it, trims texts and turns empty ones into null.
PHP knows one kind of array, so an empty object becomes a list. The journal keeps the bytes; this is a view beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.foundation.form_data import FORM, MULTIPART, media_type, names_json, pairs_of, php_fields, read_multipart
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.sent_input import PADDING

_NOT_TRIMMED: Final = ("password", "password_confirmation")
_MAX_INTEGER: Final = 2**63
_WHOLE_UNTIL: Final = 1e15
"""From here on PHP writes a whole float with an exponent."""


def as_stored(query: str, content_type: str, body: bytes) -> JsonValue:
    """Return the input that the framework makes of a payload, its query and its ``Content-Type``."""
    given = _parsed(content_type, body)
    sent = php_fields(pairs_of(query))
    if sent:
        members = given if isinstance(given, dict) else {str(index): item for index, item in enumerate(given)}
        given = {**members, **{name: value for name, value in sent.items() if name not in members}}
    if isinstance(given, dict):
        return _array({key: _stored(value, trims=key not in _NOT_TRIMMED) for key, value in given.items()})
    return [_stored(item) for item in given]


def _parsed(content_type: str, body: bytes) -> dict[str, Any] | list[Any]:
    if names_json(content_type):
        try:
            parsed: Any = parse_json(body)
        except NotJsonError:
            return []
        return parsed if isinstance(parsed, (dict, list)) else [] if parsed is None else [parsed]
    match media_type(content_type):
        case kind if kind == FORM:
            return php_fields(pairs_of(body.decode("utf-8", "replace")))
        case kind if kind == MULTIPART:
            try:
                return php_fields(read_multipart(body, content_type).fields)
            except ValueError:
                return []
        case _:
            return []


def _stored(value: Any, *, trims: bool = True) -> JsonValue:
    match value:
        case str():
            return (value.strip(PADDING) if trims else value) or None
        case Mapping():
            return _array({key: _stored(child) for key, child in value.items()})
        case list():
            return [_stored(child) for child in value]
        case float() if value.is_integer() and abs(value) < _WHOLE_UNTIL:
            return int(value)
        case int() if not isinstance(value, bool) and not -_MAX_INTEGER <= value < _MAX_INTEGER:
            return _double(value)
        case _:
            kept: JsonValue = value
            return kept


def _array(members: dict[str, Any]) -> JsonValue:
    """Return an object, or a list where its keys are 0, 1, 2 and so on, or where it has none."""
    if all(key == str(index) for index, key in enumerate(members)):
        return list(members.values())
    return members


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
