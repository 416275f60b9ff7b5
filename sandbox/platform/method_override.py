"""The method that a POST asks to be taken for, as Symfony's request reads it (WIRE E).

The header ``X-HTTP-Method-Override`` counts first, then the key ``_method`` of the parsed body, then that of the query.
A payload that happens to have a top-level key ``_method`` is refused for that, as by the platform.
"""

from __future__ import annotations

import re
from typing import Final

from sandbox.foundation.errors import cut
from sandbox.foundation.refusals import MethodOverrideError
from sandbox.foundation.strict_json import NotJsonError
from sandbox.journal.request import Request
from sandbox.journal.sent_input import PADDING, Input, body_input, query_input
from sandbox.platform.wire import WireProfile

HEADER: Final = "X-HTTP-Method-Override"
KEY: Final = "_method"
_LETTERS: Final = re.compile("[A-Za-z]+")
_SHOWN: Final = 80
_ESCAPED: Final = re.compile(rb"\\u00[567]")
_ENCODED: Final = re.compile(rb"%[567]")
"""Letters of the key, escaped as in JSON and encoded as in a form."""


def may_be_overridden(request: Request) -> bool:
    """Return whether a POST may ask for another method: a cheap test, false for nearly every request.

    Python finds this word from behind, and without its underscore, several times as fast.
    """
    body, query = request.body, request.query
    return (
        (body.rfind(b"method") >= 0 and b"_method" in body)
        or (b"\\" in body and _ESCAPED.search(body) is not None)
        or (b"%" in body and _ENCODED.search(body) is not None)
        or (query != "" and ("_method" in query or "%" in query))
        or request.header(HEADER) is not None
    )


def override_of(request: Request, wire: WireProfile) -> tuple[str, str] | None:
    """Return the other method that a POST asks for, in upper case, and the place where it does, in words.

    ``None`` where it asks for none, or for POST. Raise ``MethodOverrideError`` for a method that is not of letters.
    """
    asked, place = _asked(request)
    if not isinstance(asked, str):
        if isinstance(asked, (list, tuple, dict)) and wire.refuses_structured_override:
            raise MethodOverrideError(f"method_override: {place} is a list or an object, not a method")
        return None
    if not _LETTERS.fullmatch(asked):
        raise MethodOverrideError(f"method_override: {cut(repr(asked), _SHOWN)} of {place} is no method")
    method = asked.upper()
    return None if method == "POST" else (method, place)


def _asked(request: Request) -> tuple[object, str]:
    """Return the value that counts and its place; a text is not blank."""
    header = ", ".join(value for name, value in request.headers if name.lower() == HEADER.lower())
    if header not in ("", "0"):
        return header, f"the header {HEADER}"
    try:
        body = body_input(request)
    except NotJsonError:
        body = {}
    if KEY in body:
        return _value(body), f"the key {KEY} of the body"
    return _value(query_input(request)), f"the key {KEY} of the query"


def _value(fields: Input) -> object:
    value = fields.get(KEY)
    return value.strip(PADDING) or None if isinstance(value, str) else value
