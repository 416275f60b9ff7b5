"""The input of a request as the platform's framework has it: the fields of its query and of its body (WIRE A, E).

The body is read by its ``Content-Type``: a form, ``multipart/form-data`` or JSON; any other counts as empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from sandbox.foundation import form_data
from sandbox.foundation.form_data import media_type, names_json, pairs_of, php_fields, read_multipart
from sandbox.foundation.strict_json import NotJsonError

if TYPE_CHECKING:
    from sandbox.journal.request import Request

Input: TypeAlias = Mapping[str, object]
"""Fields by name, each a JSON value or a text."""

PADDING: Final = " \t\n\r\0\x0b"
"""The characters that PHP's ``trim`` removes."""


def query_input(request: Request) -> Input:
    """Return the fields of the query."""
    return php_fields(pairs_of(request.query))


def body_input(request: Request) -> Input:
    """Return the fields of the body; raise ``NotJsonError`` for JSON that cannot be read, and for ``null``."""
    header = request.header("Content-Type") or ""
    if names_json(header):
        return _members(request)
    match media_type(header):
        case form_data.FORM:
            return php_fields(pairs_of(request.body.decode("utf-8", "replace")))
        case form_data.MULTIPART:
            return php_fields(_parts(request.body, header))
        case _:
            return {}


def _members(request: Request) -> Input:
    """Return the members of a JSON object; a list or a scalar has none, ``null`` counts as unreadable."""
    parsed = request.json() if request.body else {}
    if parsed is None:
        raise NotJsonError("null")
    return parsed if isinstance(parsed, dict) else {}


def _parts(body: bytes, content_type: str) -> Iterable[tuple[str, str]]:
    """Return the fields of a multipart body; none of a body that is cut, cannot be read or has too many."""
    try:
        form = read_multipart(body, content_type)
    except ValueError:
        return ()
    return form.fields if form.is_whole else ()
