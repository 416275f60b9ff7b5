"""The parameters of a token request, from query, form, multipart, JSON or HTTP Basic (WIRE A, FACTS 1.8)."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from sandbox.foundation import form_data
from sandbox.foundation.form_data import MAX_FIELDS, media_type, read_multipart
from sandbox.foundation.strict_json import NotJsonError

if TYPE_CHECKING:
    from sandbox.journal.request import Request
    from sandbox.platform.wire import WireProfile

PARAMETERS: Final = ("grant_type", "client_id", "client_secret", "scope")
_PADDING: Final = " \t\n\r\0\x0b"
"""The characters that PHP's ``trim`` removes."""

_LIST: Final[Sequence[object]] = ()
"""The value of a parameter given as ``name[]=…``, which PHP makes an array."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The parameters of a token request (RFC 6749 §4.4.2); ``None`` is absent."""

    grant_type: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    scope: str | None = None
    malformed: tuple[str, ...] = ()
    """Parameters whose value was a list or an object."""
    unreadable: str | None = None
    """The reason why a JSON body could not be read; its parameters count as absent."""


def read_token_request(request: Request, wire: WireProfile) -> TokenRequest:
    """Return the parameters of a token request.

    The body (on GET: the query) wins over HTTP Basic, field by field. Values are trimmed, an empty value counts as
    missing, and the last of a repeated one wins.
    """
    try:
        fields = _query(request) if request.method in ("GET", "HEAD") else _body(request)
        unreadable = None
    except NotJsonError as error:
        fields, unreadable = {}, str(error)
    user, password = _basic(request.header("Authorization"), wire)
    values = {name: _text(fields.get(name)) for name in PARAMETERS}
    return TokenRequest(
        grant_type=values["grant_type"],
        client_id=user if values["client_id"] is None else values["client_id"],
        client_secret=password if values["client_secret"] is None else values["client_secret"],
        scope=values["scope"],
        malformed=tuple(name for name in PARAMETERS if isinstance(fields.get(name), (tuple, list, dict))),
        unreadable=unreadable,
    )


def _text(value: object) -> str | None:
    """Return a scalar as PHP's ``trim((string) $value)`` does; ``None`` for an empty one."""
    match value:
        case str():
            return value.strip(_PADDING) or None
        case True:
            return "1"
        case int() | float() if value is not False:
            return str(value)
        case _:
            return None


def _query(request: Request) -> Mapping[str, object]:
    return _last_wins(_pairs(request.query))


def _body(request: Request) -> Mapping[str, object]:
    header = request.header("Content-Type") or ""
    if "/json" in header or "+json" in header:
        return _members(request)
    match media_type(header):
        case form_data.FORM:
            return _last_wins(_pairs(request.body.decode("utf-8", "replace")))
        case form_data.MULTIPART:
            return _last_wins(_parts(request.body, header))
        case _:
            return {}


def _members(request: Request) -> Mapping[str, object]:
    """Return the members of a JSON object; a list or a scalar has none, ``null`` counts as unreadable."""
    parsed = request.json() if request.body else {}
    if parsed is None:
        raise NotJsonError("null")
    return parsed if isinstance(parsed, dict) else {}


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    looked_at = "&".join(text.split("&", MAX_FIELDS)[:MAX_FIELDS])
    return parse_qsl(looked_at, keep_blank_values=True)


def _parts(body: bytes, content_type: str) -> Iterable[tuple[str, str]]:
    """Return the fields of a multipart body; none of a body that is cut, cannot be read or has too many."""
    try:
        form = read_multipart(body, content_type)
    except ValueError:
        return ()
    return form.fields if form.is_whole else ()


def _last_wins(pairs: Iterable[tuple[str, str]]) -> Mapping[str, object]:
    fields: dict[str, object] = {}
    for name, value in pairs:
        bare, bracket, _ = name.partition("[")
        fields[bare] = _LIST if bracket else value
    return fields


def _basic(authorization: str | None, wire: WireProfile) -> tuple[str | None, str | None]:
    """Return user and password of HTTP Basic; credentials without a colon or not in base64 count as absent.

    The parts are not url-decoded. Bytes that are not UTF-8 match no client.
    """
    encoded = wire.credentials(authorization, "Basic") if authorization else None
    if not encoded:
        return None, None
    if "=" not in encoded:
        encoded += "=" * (-len(encoded) % 4)  # PHP does not insist on padding
    try:
        decoded = base64.b64decode(encoded, validate=True).decode("utf-8", "replace")
    except ValueError:
        return None, None
    user, colon, password = decoded.partition(":")
    return wire.basic(user, password) if colon else (None, None)
