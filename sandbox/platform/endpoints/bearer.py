"""Endpoints that take an access token (RFC 6750 §2.1)."""

from __future__ import annotations

from sandbox.faults.fault import Act
from sandbox.foundation.errors import MissingScopeError, UnauthenticatedError
from sandbox.journal.entry import Exchange
from sandbox.platform.endpoints.endpoint import Endpoint
from sandbox.platform.platform import Platform
from sandbox.platform.tokens import Token


class BearerEndpoint(Endpoint[Token]):
    """An endpoint that takes an access token with the required scope."""

    def admit(self, exchange: Exchange, platform: Platform) -> Token:
        """Return the token of a request, in the platform's order: throttle, token, scope (WIRE B)."""
        try:
            token = _token_of(exchange, platform)
        except UnauthenticatedError:
            self.count(exchange, platform, None)
            raise
        exchange.client_id, exchange.token = token.client_id, token.link
        self.count(exchange, platform, token.client_id)
        token.check(exchange.received_at)
        if platform.store.find_client(token.client_id) is None:
            raise UnauthenticatedError("client_deleted: the token's OAuth client was deleted")
        platform.tokens.note_use(token)
        scope = platform.settings.required_scope
        if not token.allows(scope):
            has = " ".join(token.scopes) or "no scope, because none was asked for"
            raise MissingScopeError(f"missing_scope: the token has {has}, not {scope}")
        return token

    def spoil(self, act: Act, admitted: Token, platform: Platform) -> None:
        """Let a fault revoke the token or rotate the key."""
        reason = act.fault.spoil_bearer(act, admitted, platform.tokens, platform.keys)
        if reason is not None:
            raise UnauthenticatedError(reason)


def _token_of(exchange: Exchange, platform: Platform) -> Token:
    given = exchange.request.header("Authorization")
    if access_token := platform.wire.credentials(given, "Bearer"):
        return platform.tokens.find(access_token)
    if given is None:
        raise UnauthenticatedError("no_token: there is no Authorization header")
    raise UnauthenticatedError("no_token: not of the form 'Bearer …'")
