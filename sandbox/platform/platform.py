"""The emulated platform between two resets: its tables, tokens, rate limits and journal, and how it serves.

A reset replaces the whole object. A request in flight keeps the one it began with, so nothing late can reach the new
journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import proxy

from sandbox.faults.book import Act, FaultBook, FaultsSnapshot
from sandbox.foundation.clock import Clock
from sandbox.foundation.errors import (
    InvalidClientError,
    InvalidPayloadError,
    InvalidRequestError,
    InvalidScopeError,
    MalformedBodyError,
    MissingScopeError,
    RouteNotFoundError,
    TooManyAttemptsError,
    UnauthenticatedError,
    UnauthorizedActionError,
    UnsupportedGrantTypeError,
    Violation,
)
from sandbox.foundation.rng import Rng
from sandbox.foundation.settings import Settings, kept_settings
from sandbox.foundation.strict_json import NotJsonError
from sandbox.journal.hooks import Observer
from sandbox.journal.journal import Entry, Exchange, Journal, JournalSnapshot
from sandbox.journal.redaction import fingerprint
from sandbox.platform.disturbance import refusal_by, spoil_token, token_terms
from sandbox.platform.entity_check import EntityCheck
from sandbox.platform.keys import KeyRing
from sandbox.platform.model import Service
from sandbox.platform.store import Store, StoreSnapshot
from sandbox.platform.throttle import Throttle, WindowSnapshot
from sandbox.platform.tokens import Issuance, Token, TokenBook, TokenSnapshot
from sandbox.platform.wire import WireProfile, wire_profile


@dataclass(frozen=True, slots=True)
class PlatformSnapshot:
    """The emulated platform between two resets."""

    settings: Mapping[str, Any]
    random: bytes
    store: StoreSnapshot
    tokens: tuple[TokenSnapshot, ...]
    throttle: tuple[WindowSnapshot, ...]
    faults: FaultsSnapshot
    journal: JournalSnapshot


CLIENT_CREDENTIALS: Final = "client_credentials"
BLANK: Final = "blank_payload"
MISMATCH: Final = "entity_mismatch"


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The parameters of a token request, however they travelled (RFC 6749 §4.4.2); ``None`` is absent."""

    grant_type: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    scope: str | None = None
    malformed: tuple[str, ...] = ()
    """Parameters whose value was a list or an object."""
    unreadable: str | None = None
    """Why a JSON body could not be read; its parameters count as absent."""


class Platform:
    """One life of the emulated platform.

    ``settings`` are those in force, ``wire`` the profile that they name, and ``stored`` the answer to a payload that
    is accepted; ``use`` replaces all three while it serves.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        rng: Rng,
        keys: KeyRing,
        store: Store,
        *,
        observers: Sequence[Observer] = (),
        keep: Callable[[Entry], None] | None = None,
    ) -> None:
        self.use(settings)
        self.clock = clock
        self.store = store
        self._keys = keys
        self._rng = rng
        self.tokens = TokenBook(keys, rng)
        self.faults = FaultBook(clock.timestamp, rng.branch())
        self.throttle = Throttle()
        # Not `self`: in a cycle, a journal that a reset has retired would keep its memory until the collector comes.
        this = proxy(self)
        self.journal = Journal(
            rng.hex(6), lambda: this.settings.journal_entries, lambda: this.settings.journal_bytes, observers, keep
        )

    def use(self, settings: Settings) -> None:
        """Put settings in force, with what follows from them for every request."""
        self.settings = settings
        self.wire: WireProfile = wire_profile(settings.wire_profile)
        self.stored = self.wire.stored(settings.success_status, settings.success_message)

    def snapshot(self, *, secrets: bool) -> PlatformSnapshot:
        """Return all of it, while it serves: the journal last, so that what it tells of is in the other parts."""
        return PlatformSnapshot(
            settings=kept_settings(self.settings),
            random=self._rng.snapshot(),
            throttle=self.throttle.snapshot(),
            faults=self.faults.snapshot(),
            tokens=self.tokens.snapshot(),
            store=self.store.snapshot(secrets=secrets),
            journal=self.journal.export(),
        )

    def restore(self, snapshot: PlatformSnapshot) -> None:
        """Take the place of another platform, before this one serves; raise ``InvalidValueError``."""
        self._rng.restore(snapshot.random, "platform.random")
        self.store.restore(snapshot.store)
        self.tokens.restore(snapshot.tokens)
        self.throttle.restore(snapshot.throttle)
        self.faults.restore(snapshot.faults)
        self.journal.restore(snapshot.journal)

    # --- token endpoint ---------------------------------------------------------------------------------------------

    def grant_token(self, exchange: Exchange, request: TokenRequest) -> str:
        """Return a new access token for good credentials, or raise a ``RefusalError`` (WIRE A, RFC 6749 §4.4)."""
        settings, wire = self.settings, self.wire
        exchange.client_id = request.client_id
        known = self.store.find_client(request.client_id or "")
        if request.client_id and known is None and self.store.is_a_secret(request.client_id):
            exchange.misplaced_secret, exchange.client_id = request.client_id, fingerprint(request.client_id)
        self.count_request(exchange, "token", known.id if known else None)
        if request.unreadable is not None:
            refusal = MalformedBodyError if wire.refuses_malformed_json else UnsupportedGrantTypeError
            raise refusal(f"malformed_json: {request.unreadable}")
        if request.grant_type != CLIENT_CREDENTIALS:
            raise UnsupportedGrantTypeError(f"unsupported_grant_type: {request.grant_type or 'none given'}")
        for parameter in ("client_id", "client_secret"):
            if parameter in request.malformed:
                raise InvalidRequestError(parameter, "malformed")
        if request.client_id is None:
            raise InvalidRequestError("client_id")
        if request.client_secret is None and wire.refuses_missing_secret_as_invalid_request and known is not None:
            raise InvalidRequestError("client_secret")
        if not self.store.secret_matches(known, request.client_secret or ""):
            raise InvalidClientError("wrong_secret" if known else _why_unknown(exchange))
        assert known is not None
        if "scope" in request.malformed:
            raise InvalidRequestError("scope", "malformed")
        scopes = self._requested_scopes(request.scope, settings, wire)
        act = self._fault_for(exchange) if self.faults.armed else None
        if act is not None and not act.handles:
            raise refusal_by(act, exchange, self.clock.timestamp())
        terms = token_terms(act, self.clock.timestamp(), settings.token_lifetime, self._keys)
        access_token = self.tokens.issue(
            known.id,
            scopes,
            terms.start,
            terms.lifetime_s,
            integer_times=wire.integer_times,
            subject=wire.subject(known.id),
            key=terms.key,
        )
        exchange.issuance = Issuance(self.tokens, access_token)
        exchange.accepted = act is None or act.accepts
        if act is not None and act.replaces_answer:
            raise refusal_by(act, exchange, self.clock.timestamp())
        return access_token

    @staticmethod
    def _requested_scopes(scope: str | None, settings: Settings, wire: WireProfile) -> list[str]:
        requested = [name for name in (scope or "").split(" ") if name]
        if wire.ignores_scope_zero:
            requested = [name for name in requested if name != "0"]
        known = settings.known_scopes()
        for name in requested:
            if name not in known:
                raise InvalidScopeError(name)
        return list(dict.fromkeys(requested)) or [settings.required_scope]

    # --- inbound URL ------------------------------------------------------------------------------------------------

    def receive_payload(self, exchange: Exchange) -> None:
        """Accept the payload of an exchange, or raise a ``RefusalError``.

        In the platform's order: throttle, token, scope, service, the connector's right, and only then the body (WIRE
        B).
        """
        settings = self.settings
        try:
            token = self._token_of(exchange)
        except UnauthenticatedError:
            self.count_request(exchange, "inbound", None)
            raise
        exchange.client_id, exchange.token = token.client_id, self.tokens.link_of(token)
        self.count_request(exchange, "inbound", token.client_id)
        self._authenticate(token)
        if not token.allows(settings.required_scope):
            raise MissingScopeError(
                f"missing_scope: the token has {' '.join(token.scopes)}, not {settings.required_scope}"
            )
        act = self._fault_for(exchange) if self.faults.armed else None
        if act is not None:
            spoil_token(act, token, self.tokens, self._keys)
        if act is None or act.handles:
            service = self._service(exchange.company or "", exchange.vanity_url or "", token)
            self._check_body(exchange, self.store.check_for(service))
            exchange.accepted = act is None or act.accepts
        if act is not None and act.replaces_answer:
            raise refusal_by(act, exchange, self.clock.timestamp())

    def _token_of(self, exchange: Exchange) -> Token:
        given = exchange.request.header("Authorization")
        if access_token := self.wire.credentials(given, "Bearer"):
            return self.tokens.find(access_token)
        if given is None:
            raise UnauthenticatedError("no_token: there is no Authorization header")
        raise UnauthenticatedError("no_token: not of the form 'Bearer …'")

    def _authenticate(self, token: Token) -> None:
        self.tokens.check(token, self.clock.timestamp())
        if self.store.find_client(token.client_id) is None:
            raise UnauthenticatedError("client_deleted: the token's OAuth client was deleted")
        self.tokens.note_use(token)

    def _service(self, company: str, vanity_url: str, token: Token) -> Service:
        service = self.store.find_service(company, vanity_url)
        if service is None:
            raise RouteNotFoundError(f"unknown_service: no service at {company}/{vanity_url}")
        client = self.store.find_client(token.client_id)
        if client is None or client.connector_id != service.connector_id:
            raise UnauthorizedActionError("other_connector: the token belongs to a client of another connector")
        if not service.active:
            match self.settings.inactive_service:
                case "not_found":
                    raise RouteNotFoundError(f"inactive_service: service {service.id} is not active")
                case "forbidden":
                    raise UnauthorizedActionError(f"inactive_service: service {service.id} is not active")
        return service

    def _check_body(self, exchange: Exchange, check: EntityCheck | None) -> None:
        if not exchange.request.body.strip():
            raise InvalidPayloadError(BLANK, [Violation("payload", "required")])
        mode = self.settings.entity_check
        if check is None or mode == "off":
            return
        try:
            self._check_entity(exchange, check)
        except InvalidPayloadError as error:
            if mode == "reject" or error.code == BLANK:
                raise
            exchange.reason = error.reason

    @staticmethod
    def _check_entity(exchange: Exchange, check: EntityCheck) -> None:
        try:
            payload = exchange.request.json()
        except NotJsonError as error:
            raise InvalidPayloadError(MISMATCH, [Violation("payload", "json", f"not JSON: {error}")]) from None
        if payload in (None, "", [], {}):
            raise InvalidPayloadError(BLANK, [Violation("payload", "required")])
        if violations := check.violations(payload):
            raise InvalidPayloadError(MISMATCH, violations)

    # --- both -------------------------------------------------------------------------------------------------------

    def disturb(self, exchange: Exchange) -> None:
        """Let a fault act on a request to no endpoint at all; raise the refusal that it puts in place of a 404."""
        act = self._fault_for(exchange) if self.faults.armed else None
        if act is not None and act.replaces_answer:
            raise refusal_by(act, exchange, self.clock.timestamp())

    def _fault_for(self, exchange: Exchange) -> Act | None:
        act = self.faults.choose(exchange)
        if act is not None:
            exchange.act, exchange.fault = act, act.label
        return act

    def count_request(self, exchange: Exchange, endpoint: str, client_id: str | None) -> None:
        """Count a request of a throttled route; raise ``TooManyAttemptsError`` beyond a limit that is on (WIRE D)."""
        settings = self.settings
        limit = settings.rate_limit_requests
        if not settings.rate_limit:
            exchange.rate = (limit, limit - 1)
            return
        who = client_id if client_id and settings.rate_limit_key == "client" else exchange.request.remote_addr
        key = who if self.wire.shares_throttle else f"{endpoint} {who}"
        verdict = self.throttle.hit(key, limit, settings.rate_limit_window, self.clock.timestamp())
        exchange.rate = (verdict.limit, verdict.remaining)
        if not verdict.allowed:
            raise TooManyAttemptsError(verdict.retry_after_s, verdict.reset_at)


def _why_unknown(exchange: Exchange) -> str:
    if exchange.misplaced_secret is None:
        return f"unknown_client: {exchange.client_id}"
    return "secret_as_client_id: the client id sent is a client's secret; are the two swapped?"
