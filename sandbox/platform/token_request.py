"""The parameters of a token request, from query, form, multipart, JSON or HTTP Basic (WIRE A, FACTS 1.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from sandbox.foundation.strict_json import NotJsonError
from sandbox.journal.sent_input import PADDING, body_input, query_input
from sandbox.platform.http_basic import NO_BASIC, Basic, read_basic

if TYPE_CHECKING:
    from sandbox.journal.request import Request
    from sandbox.platform.wire import WireProfile

PARAMETERS: Final = ("grant_type", "client_id", "client_secret", "scope")


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
