"""Types of fields that hold parts of an HTTP message (RFC 9110)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sandbox.foundation.value_types import NotAllowedError, ValueType

_HTTP_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def http_method() -> ValueType:
    """An HTTP method; kept in upper case."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or not _HTTP_TOKEN.fullmatch(value):
            raise NotAllowedError
        return value.upper()

    return ValueType(parse, "an HTTP method such as POST", {"type": "string"})


_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})


def answer_headers() -> ValueType:
    """Headers of an answer by name. The server frames the answer: its headers for that cannot be given."""
    any_headers = headers()

    def parse(value: object) -> dict[str, str]:
        given: dict[str, str] = any_headers.parse(value)
        if any(name.lower() in _FRAMING for name in given):
            raise NotAllowedError
        return given

    allowed = (
        "an object of header names and values, without Content-Length and Transfer-Encoding; for an answer that "
        "breaks off there is the fault truncated_body"
    )
    return replace(any_headers, parse=parse, allowed=allowed)


def headers(*, may_be_null: bool = False) -> ValueType:
    """Headers by name."""

    def parse(value: object) -> dict[str, str | None]:
        if not isinstance(value, Mapping):
            raise NotAllowedError
        for name, content in value.items():
            if not isinstance(name, str) or not _HTTP_TOKEN.fullmatch(name) or not _is_content(content, may_be_null):
                raise NotAllowedError
        return dict(value)

    content = ["string", "null"] if may_be_null else "string"
    allowed = "an object of header names and values" + (", null for any value" if may_be_null else "")
    return ValueType(parse, allowed, {"type": "object", "additionalProperties": {"type": content}}, dict)


def _is_content(value: object, may_be_null: bool) -> bool:
    if value is None:
        return may_be_null
    return isinstance(value, str) and value.isprintable() and all(ord(character) < 256 for character in value)
