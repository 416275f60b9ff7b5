"""The input that the platform's framework makes of a request: the fields of its query and of its body (WIRE A, E).

The body is read by its ``Content-Type``: a form, ``multipart/form-data`` or JSON; any other counts as empty.
``as_stored`` is the input of a payload as the platform probably stores it (FACTS 1.31): the query is merged into the
body, texts are trimmed and empty ones become null. PHP knows one kind of array, so an empty object becomes a list. The
journal keeps the bytes; this is a view beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from sandbox.foundation import form_data
from sandbox.foundation.form_data import media_type, names_json, pairs_of, php_fields, read_multipart
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.request import Request

Input: TypeAlias = Mapping[str, object]
"""Fields by name, each a JSON value or a text."""

PADDING: Final = " \t\n\r\0\x0b"
"""The characters that PHP's ``trim`` removes."""

_NOT_TRIMMED: Final = ("password", "password_confirmation")
_MAX_INTEGER: Final = 2**63
_WHOLE_UNTIL: Final = 1e15
"""From here on PHP writes a whole float with an exponent."""


def query_input(request: Request) -> Input:
    """Return the fields of the query."""
    return php_fields(pairs_of(request.query))


def body_input(request: Request) -> Input:
    """Return the fields of the body; raise ``NotJsonError`` for JSON that cannot be read, and for ``null``.

    A JSON list or scalar has none, nor has a multipart body that is cut, cannot be read or has too many.
    """
    header = request.header("Content-Type") or ""
    if not names_json(header):
        return _form(header, request.body, may_be_cut=False)
    parsed = request.json() if request.body else {}
    if parsed is None:
        raise NotJsonError("null")
    return parsed if isinstance(parsed, dict) else {}


def _form(content_type: str, body: bytes, *, may_be_cut: bool) -> dict[str, Any]:
    match media_type(content_type):
        case form_data.FORM:
            return php_fields(pairs_of(body.decode("utf-8", "replace")))
        case form_data.MULTIPART:
            try:
                form = read_multipart(body, content_type)
            except ValueError:
                return {}
            return php_fields(form.fields) if form.is_whole or may_be_cut else {}
        case _:
            return {}


def as_stored(query: str, content_type: str, body: bytes) -> JsonValue:
    """Return the input that the framework makes of a payload, its query and its ``Content-Type``."""
    given = _payload(content_type, body)
    sent = php_fields(pairs_of(query))
    if sent:
        members = given if isinstance(given, dict) else {str(index): item for index, item in enumerate(given)}
        given = {**members, **{name: value for name, value in sent.items() if name not in members}}
    if isinstance(given, dict):
        return _array({key: _stored(value, trims=key not in _NOT_TRIMMED) for key, value in given.items()})
    return [_stored(item) for item in given]


def _payload(content_type: str, body: bytes) -> dict[str, Any] | list[Any]:
    if not names_json(content_type):
        return _form(content_type, body, may_be_cut=True)
    try:
        parsed: Any = parse_json(body)
    except NotJsonError:
        return []
    return parsed if isinstance(parsed, (dict, list)) else [] if parsed is None else [parsed]


def _stored(value: Any, *, trims: bool = True) -> JsonValue:
    match value:
        case str():
            return (value.strip(PADDING) if trims else value) or None
        case Mapping():
            members = {}
            for key, child in value.items():  # no comprehension: it is a frame more, and nesting goes 512 deep
                members[key] = _stored(child)
            return _array(members)
        case list():
            items = []
            for child in value:
                items.append(_stored(child))  # noqa: PERF401 - as above
            return items
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
