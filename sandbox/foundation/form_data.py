"""Form bodies: ``application/x-www-form-urlencoded`` and ``multipart/form-data`` (RFC 7578)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
MAX_FIELDS: Final = 1000
"""Fields of a form that are looked at: PHP's ``max_input_vars``."""

_MAX_HEAD: Final = 16 * 1024
"""Bytes of the head of a part; a part with a longer one is no field."""

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
    pieces = [] if boundary is None else _delimiter(boundary).split(body, MAX_FIELDS + 2)
    # what is before the first delimiter; then in turn: "--" of the last delimiter, and what follows a delimiter
    closing, contents = pieces[1::2], pieces[2::2]
    is_whole = b"--" in closing
    parts = contents[: closing.index(b"--")] if is_whole else contents
    if not parts:
        raise ValueError("there are no parts; is the boundary the one that the Content-Type names?")
    if len(parts) > MAX_FIELDS:
        raise ValueError(f"there are more than {MAX_FIELDS} parts")
    return MultipartForm(tuple(_fields(parts)), is_whole)


def _delimiter(boundary: str) -> re.Pattern[bytes]:
    escaped = re.escape(boundary.encode("latin-1", "replace"))
    return re.compile(rb"(?:\A|\r?\n)--" + escaped + rb"(--)?[ \t]*(?=\r?\n|\Z)")


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
