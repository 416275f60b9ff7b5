"""The parameters of a token request, from query, form, multipart, JSON or HTTP Basic (WIRE A, FACTS 1.8).

The platform says that a parameter is missing or wrong. The functions for a refusal look at the request again: they name
the likely cause for the journal, such as a parameter that was sent where it is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from sandbox.foundation.errors import cut
from sandbox.foundation.form_data import FORM, MULTIPART, media_type, names_json, read_multipart
from sandbox.foundation.strict_json import NotJsonError
from sandbox.journal.entry import Exchange
from sandbox.journal.request import Request
from sandbox.journal.sent_input import PADDING, Input, body_input, query_input
from sandbox.platform.http_basic import NO_BASIC, Basic, read_basic
from sandbox.platform.store import Store
from sandbox.platform.wire import WireProfile

PARAMETERS: Final = ("grant_type", "client_id", "client_secret", "scope")
_PERCENT_ENCODED: Final = re.compile("%[0-9A-Fa-f]{2}")
_SHOWN: Final = 80


class TokenRequest(Struct, frozen=True, gc=False):
    """The parameters of a token request (RFC 6749 §4.4.2); ``None`` is absent."""

    grant_type: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    scope: str | None = None
    malformed: tuple[str, ...] = ()
    """Parameters whose value was a list or an object."""
    unreadable: str | None = None
    """The reason why a JSON body could not be read; its parameters count as absent."""
    basic: Basic = NO_BASIC
    """HTTP Basic as it came; a parameter that the body has wins over it."""

    def __repr__(self) -> str:
        return f"TokenRequest(grant_type={self.grant_type!r}, client_id={self.client_id!r}, scope={self.scope!r})"


def read_token_request(request: Request, wire: WireProfile, *, in_query: bool) -> TokenRequest:
    """Return the parameters of a token request, which are in its body, or ``in_query`` as on GET.

    They win over HTTP Basic, field by field. Values are trimmed, an empty value counts as
    missing, and the last of a repeated one wins.
    """
    try:
        fields = query_input(request) if in_query else body_input(request)
        unreadable = None
    except NotJsonError as error:
        fields, unreadable = {}, str(error)
    grant_type, client_id, client_secret, scope = [_text(fields.get(name)) for name in PARAMETERS]
    basic = read_basic(request.header("Authorization"), wire)
    return TokenRequest(
        grant_type=grant_type,
        client_id=basic.user if client_id is None else client_id,
        client_secret=basic.password if client_secret is None else client_secret,
        scope=scope,
        malformed=tuple([name for name in PARAMETERS if isinstance(fields.get(name), (tuple, list, dict))]),
        unreadable=unreadable,
        basic=basic,
    )


def _text(value: object) -> str | None:
    """Return a scalar as PHP's ``trim((string) $value)`` does; ``None`` for an empty one."""
    if isinstance(value, str):
        return value.strip(PADDING) or None
    match value:
        case True:
            return "1"
        case int() | float() if value is not False:
            return str(value)
        case _:
            return None


# --- the likely cause of a refusal ------------------------------------------------------------------------------------


def why_absent(exchange: Exchange, parameter: str, wire: WireProfile) -> str:
    """Return why a parameter was not read, or an empty text where it was not sent at all."""
    return next(_causes(exchange, parameter, wire), "")


def _causes(exchange: Exchange, parameter: str, wire: WireProfile) -> Iterator[str]:
    request = exchange.request
    if parameter != "grant_type":
        problem = read_basic(request.header("Authorization"), wire).problem
        if problem is not None:
            yield problem
    query = query_input(request)
    try:
        body = body_input(request)
    except NotJsonError:
        body = {}
    if exchange.reads_query:
        if parameter in body:
            yield "it is in the body, and the body of a GET is not read"
        read = query
    else:
        if parameter in query:
            yield "it is in the query, and the query of a POST is not read; send it in the body"
        yield from _of_body(request)
        read = body
    yield from _of_fields(read, parameter)
    if any(request.header(name) is not None for name in (parameter, parameter.replace("_", "-"))):
        yield "it is in a header, and is not read from there"


def _of_body(request: Request) -> Iterator[str]:
    body, header = request.body.strip(), request.header("Content-Type")
    if not body:
        return
    if header is None:
        yield f"the body was not read, because there is no Content-Type; send {FORM} or application/json"
        return
    given, kind = cut(header, _SHOWN), media_type(header)
    coding = request.header("Content-Encoding")
    if coding not in (None, "", "identity"):
        yield f"the body was not read, because its Content-Encoding is {cut(coding or '', _SHOWN)}; nothing unpacks it"
    if names_json(header):
        if not body.startswith(b"{"):
            yield "the body is JSON, but not an object"
    elif kind == FORM:
        if body[:1] in (b"{", b"["):
            yield f"the body looks like JSON, but its Content-Type is {given}"
        elif body.startswith(b"--"):
            yield f"the body looks like {MULTIPART}, but its Content-Type is {given}"
    elif kind == MULTIPART:
        try:
            is_whole = read_multipart(request.body, header).is_whole
        except ValueError as error:
            yield f"the body was not read: {error}"
        else:
            if not is_whole:
                yield "the body was not read: its last delimiter is missing"
    elif names_json(header.lower()):
        yield f"the body was not read: the platform knows the Content-Type {given} in small letters only"
    else:
        yield f"the body was not read, because its Content-Type is {given}; send {FORM} or application/json"


def _of_fields(fields: Input, parameter: str) -> Iterator[str]:
    if parameter in fields:
        yield f"{parameter} is there, but has no value"
    for name in fields:
        if name != parameter and _letters(name) == _letters(parameter):
            yield f"there is {name}; the name of the parameter is {parameter}"


def _letters(name: str) -> str:
    return re.sub("[^a-z]", "", name.lower())


def form_in_json(request: Request) -> str:
    """Return an addition to the reason for JSON that cannot be read, where a form was sent as JSON."""
    return "; the body looks like a form, but its Content-Type is JSON's" if b"grant_type=" in request.body else ""


def why_unknown(request: TokenRequest, store: Store) -> str:
    """Return the reason for a client id that no client has."""
    client_id = request.client_id or ""
    if store.is_a_secret(client_id):
        return "secret_as_client_id: the client id sent is a client's secret; are the two swapped?"
    return f"unknown_client: {client_id}{_encoding(client_id, by_basic=client_id is request.basic.user)}"


def why_wrong(request: TokenRequest, exchange: Exchange, store: Store, wire: WireProfile) -> str:
    """Return the reason for a secret that is not the client's."""
    secret = request.client_secret
    if secret is None:
        cause = why_absent(exchange, "client_secret", wire)
        return f"wrong_secret: none given{cause and f'; {cause}'}"
    by_basic = secret is request.basic.password
    if encoding := _encoding(secret, by_basic=by_basic):
        return f"wrong_secret{encoding.replace(';', ':', 1)}"
    if secret != secret.strip():
        return "wrong_secret: there are blanks around it, which the platform does not remove"
    if secret[:1] == secret[-1:] and secret[:1] in ("'", '"'):
        return "wrong_secret: there are quotes around it"
    if secret.startswith("****"):
        return "wrong_secret: it is masked, as a list shows it"
    if store.is_a_secret(secret):
        return "wrong_secret: it is the secret of another client"
    return "wrong_secret"


def _encoding(text: str, *, by_basic: bool) -> str:
    """Return an addition to a reason where a text is percent-encoded still; an empty text where it is not."""
    if not _PERCENT_ENCODED.search(text):
        return ""
    if by_basic:
        return "; percent-encoded HTTP Basic is not decoded by the platform, send the credentials in the body"
    return "; it is percent-encoded: a form is decoded once, and JSON is not"
