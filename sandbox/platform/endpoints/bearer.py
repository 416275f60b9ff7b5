"""Endpoints that take an access token (RFC 6750 §2.1), or HTTP Basic where a setting says so (FACTS 1.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sandbox.faults.fault import Act
from sandbox.foundation.refusals import MissingScopeError, UnauthenticatedError
from sandbox.journal.entry import Exchange
from sandbox.platform.endpoints.endpoint import Endpoint
from sandbox.platform.http_basic import read_basic
from sandbox.platform.platform import Platform
from sandbox.platform.tokens import MANAGER, Token


@dataclass(frozen=True, slots=True)
class BasicCaller:
    """The OAuth client whose id and secret came by HTTP Basic; it has no token, so nothing can be revoked."""

    client_id: str
    fingerprint: str = ""
    link: None = None


Caller: TypeAlias = Token | BasicCaller


class BearerEndpoint(Endpoint[Caller]):
    """An endpoint that takes an access token with the required scope."""

    def admit(self, exchange: Exchange, platform: Platform) -> Caller:
        """Return the caller of a request, in the platform's order: throttle, token, scope (WIRE B).

        With ``check_order = framework`` the address comes between throttle and token.
        """
        try:
            caller = _caller_of(exchange, platform) if platform.takes_basic else _token_of(exchange, platform)
        except UnauthenticatedError:
            self.count(exchange, platform, None)
            if platform.binds_first:
                self.bind(exchange, platform)
            raise
        exchange.client_id = caller.client_id
        exchange.token = caller.link
        self.count(exchange, platform, caller.client_id)
        if platform.binds_first:
            self.bind(exchange, platform)
        if isinstance(caller, BasicCaller):
            return caller
        caller.check(exchange.received_at)
        if platform.store.find_client(caller.client_id) is None:
            raise UnauthenticatedError(
                "login_token: a token of the login is for process flows"
                if MANAGER in caller.scopes
                else "client_deleted: the token's OAuth client was deleted"
            )
        platform.tokens.note_use(caller)
        scope = platform.settings.required_scope
        if not caller.allows(scope):
            has = " ".join(caller.scopes) or "no scope, because none was asked for"
            raise MissingScopeError(f"missing_scope: the token has {has}, not {scope}")
        return caller

    def bind(self, exchange: Exchange, platform: Platform) -> None:
        """Refuse an address whose parts name nothing, as the framework's route binding does (FACTS 1.28)."""

    def spoil(self, act: Act, admitted: Caller, platform: Platform) -> None:
        """Let a fault revoke the token or rotate the key."""
        spoiled = act.fault.spoiled(act)
        if spoiled is None:
            return
        whose, reason = spoiled
        match whose:
            case "request":
                platform.tokens.revoke_one(reason, admitted.fingerprint)
            case "key":
                platform.keys.rotate()
            case _:
                platform.tokens.revoke(reason, admitted.client_id if whose == "client" else None)
        raise UnauthenticatedError(reason)


def _caller_of(exchange: Exchange, platform: Platform) -> Caller:
    """Return the client of HTTP Basic, or the token of a request with another scheme where tokens count too."""
    given = exchange.request.header("Authorization")
    if platform.takes_bearer and platform.wire.credentials(given, "Basic") is None:
        return _token_of(exchange, platform)
    basic, store = read_basic(given, platform.wire), platform.store
    if basic.user is None:
        raise UnauthenticatedError(f"no_credentials: {basic.problem or 'there is no Authorization header'}")
    client = store.find_client(basic.user)
    if not store.secret_matches(client, basic.password or "") or client is None:
        exchange.client_id = basic.user
        problem = "no such OAuth client" if client is None else "wrong secret"
        raise UnauthenticatedError(f"wrong_credentials: HTTP Basic, {problem}")
    return BasicCaller(client.id)


def _token_of(exchange: Exchange, platform: Platform) -> Token:
    given = exchange.request.header("Authorization")
    if given is not None and (access_token := platform.wire.credentials(given, "Bearer")):
        token = platform.tokens.find(access_token)
        scheme = given[: -len(access_token)]
        if len(scheme) == len("Bearer ") and scheme[-1] == " ":  # and not more blanks
            exchange.credentials = given, scheme + token.link.fingerprint
        return token
    if given is None:
        raise UnauthenticatedError("no_token: there is no Authorization header")
    basic = platform.wire.credentials(given, "Basic") is not None
    hint = "; HTTP Basic is announced only, and off unless inbound_auth says otherwise" if basic else ""
    raise UnauthenticatedError(f"no_token: not of the form 'Bearer …'{hint}")
