"""Form bodies: ``application/x-www-form-urlencoded`` and ``multipart/form-data`` (RFC 7578), and PHP's view of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
MAX_FIELDS: Final = 1000
"""Fields of a form that are looked at: PHP's ``max_input_vars``."""

_MAX_HEAD: Final = 16 * 1024
"""Bytes of the head of a part; a part with a longer one is no field."""

_MAX_NESTING: Final = 64
"""Levels of ``name[a][b]``; a field with more is dropped: PHP's ``max_input_nesting_level``."""

_PLAIN: Final = re.compile(r"[^\[. ]+")
_BRACKETS: Final = re.compile(r"\[([^\]]*)\]")
_END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n|\r?\n\Z")  # some clients send no line for an empty value


class MultipartForm(NamedTuple):
    """The fields of a ``multipart/form-data`` body, in its order; files and parts without a name are no fields."""

    fields: Sequence[tuple[str, str]]
    is_whole: bool
    """Whether the body has its last delimiter."""


def media_type(content_type: str) -> str:
    """Return the type of a ``Content-Type`` header in lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()


def names_json(content_type: str) -> bool:
    """Return whether the platform's framework takes a body for JSON; it looks for small letters."""
    return "/json" in content_type or "+json" in content_type


def read_multipart(body: bytes, content_type: str) -> MultipartForm:
    """Return the fields of a body.

    Raise ``ValueError`` where the header names no boundary, or the body has no parts or more than ``MAX_FIELDS``.
    """
    from email.message import Message  # takes longer to import than a sandbox to start

    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    escaped = b"" if boundary is None else re.escape(boundary.encode("latin-1", "replace"))
    delimiter = rb"(?:\A|\r?\n)--" + escaped + rb"(--)?[ \t]*(?=\r?\n|\Z)"
    pieces = [] if boundary is None else re.split(delimiter, body, maxsplit=MAX_FIELDS + 2)
    # what is before the first delimiter; then in turn: "--" of the last delimiter, and what follows a delimiter
    closing, contents = pieces[1::2], pieces[2::2]
    is_whole = b"--" in closing
    parts = contents[: closing.index(b"--")] if is_whole else contents
    if not parts:
        raise ValueError("there are no parts; is the boundary the one that the Content-Type names?")
    if len(parts) > MAX_FIELDS:
        raise ValueError(f"there are more than {MAX_FIELDS} parts")
    return MultipartForm(tuple(_fields(parts)), is_whole)


def _fields(parts: Sequence[bytes]) -> Iterator[tuple[str, str]]:
    from email.parser import HeaderParser

    parser = HeaderParser()
    for part in parts:
        head, *value = _END_OF_HEAD.split(part, 1)
        if value and len(head) <= _MAX_HEAD:
            fields = parser.parsestr(head.decode("utf-8", "replace").lstrip())
            name = fields.get_param("name", header="Content-Disposition")
            if name and fields.get_filename() is None:
                yield str(name), value[0].decode("utf-8", "replace")


def pairs_of(text: str) -> list[tuple[str, str]]:
    """Return the names and values of a query or a form, percent-decoded; those beyond ``MAX_FIELDS`` are left out."""
    pairs = text.split("&", MAX_FIELDS)[:MAX_FIELDS]
    if "%" in text or "+" in text:
        return parse_qsl("&".join(pairs), keep_blank_values=True)
    return [(name, value) for name, _, value in (pair.partition("=") for pair in pairs if pair)]


def php_fields(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the fields that PHP makes of names and values; its arrays are objects, a list has the keys 0, 1, 2.

    The last of a repeated name wins. ``a[b]`` and ``a[]`` are members of ``a``; in the name before the first bracket a
    dot or a blank becomes ``_``.
    """
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if _PLAIN.fullmatch(name):
            fields[name] = value
        else:
            _put(fields, name.lstrip(" "), value)
    return fields


def _put(fields: dict[str, Any], name: str, value: str) -> None:
    base, bracket, rest = name.partition("[")
    if not base:
        return
    keys, at = [], 0
    while bracket and (match := _BRACKETS.match(f"[{rest}", at)):
        keys.append(match[1])
        at = match.end()
    if bracket and not keys:  # never closed: PHP takes the bracket for a part of the name
        base += f"_{rest}"
    if len(keys) > _MAX_NESTING:
        return
    table, key = fields, base.replace(".", "_").replace(" ", "_")
    for following in keys:
        inner = table.get(key)
        if not isinstance(inner, dict):
            inner = table[key] = {}
        table, key = inner, following or _next_index(inner)
    table[key] = value


def _next_index(table: dict[str, Any]) -> str:
    return str(1 + max((int(key) for key in table if key.isdecimal()), default=-1))
