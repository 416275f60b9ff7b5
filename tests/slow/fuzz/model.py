"""What a sandbox should do, said once more and as plainly as possible: the oracle of the state machine.

A `Model` knows nothing of HTTP, locks, indexes or signatures. It predicts of every request what the client is answered
and what the journal says, and of every change what stands afterwards. It is a value: a copy of it is a saved state.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

LIFETIME_S = 86_400
REQUIRED_SCOPE = "access-inbound"


@dataclass(frozen=True)
class Expected:
    """A journal entry as far as it is predicted; of its reason the part before the colon."""

    kind: str
    status: int
    outcome: str
    accepted: bool
    reason: str | None = None
    client_id: str | None = None
    fault: str | None = None
    token_request: int | None = None


@dataclass
class Client:
    id: str
    secret: str
    name: str
    connector: int


@dataclass
class Entity:
    id: int
    connector: int
    name: str
    sampled: bool
    """Whether its sample is `{"n": 1}`; without one it is free-form."""
    asks_for: str | None
    """The key that payloads must have, an integer."""


@dataclass
class Service:
    id: int
    company: str
    connector: int
    entity: str
    vanity_url: str
    active: bool = True


@dataclass
class Token:
    access_token: str | None
    """None where a fault kept the client from it."""
    client_id: str
    scope: str
    key: int
    issued_at: float
    expires_at: float
    request: int
    uses: int = 0
    revoked: str | None = None


@dataclass
class Fault:
    id: str
    code: int
    endpoint: str
    accept: bool
    times: int | None
    hits: int = 0

    @property
    def used_up(self) -> bool:
        return self.times is not None and self.hits >= self.times


@dataclass
class Model:
    """One sandbox. ``now`` is in Unix seconds; a key is known by its number."""

    now: float
    key: int = 0
    settings: dict[str, Any] = field(
        default_factory=lambda: {
            "success_status": 200,
            "entity_check": "reject",
            "inactive_service": "not_found",
            "token_lifetime": LIFETIME_S,
        }
    )
    companies: list[str] = field(default_factory=list)
    connectors: dict[int, str] = field(default_factory=dict)
    """Ids, and the companies they are of."""
    entities: list[Entity] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    journal: list[tuple[int, Expected]] = field(default_factory=list)
    last_seq: int = 0

    # --- requests ---------------------------------------------------------------------------------------------------

    def note(self, expected: Expected) -> Expected:
        """Put an entry into the journal."""
        self.last_seq += 1
        self.journal.append((self.last_seq, expected))
        return expected

    def token_request(
        self, client_id: str | None, secret: str | None, grant: str, scope: str, *, misplaced: bool = False
    ) -> Expected:
        """Predict a token request; the token it gets still lacks its text. ``misplaced``: the id is a secret."""
        client = next((client for client in self.clients if client.id == client_id), None)
        refused = Expected("token", 400, "rejected", False, client_id=client_id)
        if grant != "client_credentials":
            return self.note(replace(refused, reason="unsupported_grant_type"))
        if client_id is None:
            return self.note(replace(refused, reason="missing_client_id"))
        if client is None:
            why = "secret_as_client_id" if misplaced else "unknown_client"
            return self.note(replace(refused, status=401, reason=why))
        if secret is None:
            return self.note(replace(refused, reason="missing_client_secret"))
        if secret != client.secret:
            return self.note(replace(refused, status=401, reason="wrong_secret"))
        if scope not in (REQUIRED_SCOPE, "*", ""):
            return self.note(replace(refused, reason="unknown_scope"))
        fault = self._fault_for("token")
        if fault is not None and not fault.accept:
            return self.note(self._faulted(refused, fault))
        seq, lifetime = self.last_seq + 1, self.settings["token_lifetime"]
        self.tokens.append(
            Token(None, client.id, scope or REQUIRED_SCOPE, self.key, self.now, self.now + lifetime, seq)
        )
        granted = Expected("token", 200, "accepted", True, client_id=client_id, token_request=seq)
        return self.note(self._faulted(granted, fault) if fault else granted)

    def payload(
        self, access_token: str | None, key: int | None, company: str, vanity_url: str, body: bytes
    ) -> Expected:
        """Predict a payload. ``key`` signed the token, which need not have been issued in this life; None: nobody."""
        token = next((token for token in self.tokens if access_token and token.access_token == access_token), None)
        refused = Expected("inbound", 401, "rejected", False)
        if access_token is None:
            return self.note(replace(refused, reason="no_token"))
        if key is None:
            return self.note(replace(refused, reason="malformed_token"))
        if key != self.key:
            return self.note(replace(refused, reason="bad_signature"))
        if token is None:
            return self.note(replace(refused, reason="unknown_token"))
        refused = replace(refused, client_id=token.client_id, token_request=token.request)
        if why := self._why_not_good(token):
            return self.note(replace(refused, reason=why))
        token.uses += 1
        fault = self._fault_for("inbound")
        if fault is not None and not fault.accept:
            return self.note(self._faulted(refused, fault))
        answered = self._stored(token, company, vanity_url, body, refused)
        if fault is None:
            return self.note(answered)
        if answered.accepted:
            return self.note(self._faulted(answered, fault))
        return self.note(replace(answered, outcome="faulted", fault=fault.id))

    def stray(self) -> Expected:
        """Predict a request to no endpoint at all."""
        refused = Expected("other", 404, "rejected", False, "unknown_route")
        fault = self._fault_for("other")
        return self.note(self._faulted(refused, fault) if fault else refused)

    def wrong_method(self) -> Expected:
        """Predict a request that an inbound URL does not know the method of."""
        return self.note(Expected("inbound", 405, "rejected", False, "method_not_allowed"))

    def good_tokens(self) -> list[Token]:
        """Return the tokens that would be taken now, and that the client knows."""
        return [t for t in self.tokens if t.access_token and t.key == self.key and not self._why_not_good(t)]

    def _why_not_good(self, token: Token) -> str | None:
        if self.now >= token.expires_at:
            return "token_expired"
        if self.now < token.issued_at:
            return "token_not_yet_valid"
        return token.revoked

    def _fault_for(self, kind: str) -> Fault | None:
        for fault in self.faults:
            if not fault.used_up and fault.endpoint in ("any", kind):
                fault.hits += 1
                return fault
        return None

    @staticmethod
    def _faulted(expected: Expected, fault: Fault) -> Expected:
        return replace(expected, status=fault.code, outcome="faulted", reason="fault", fault=fault.id)

    def _stored(self, token: Token, company: str, vanity_url: str, body: bytes, refused: Expected) -> Expected:
        service = next((s for s in self.services if (s.company, s.vanity_url) == (company, vanity_url)), None)
        if service is None:
            return replace(refused, status=404, reason="unknown_service")
        connector = next(client.connector for client in self.clients if client.id == token.client_id)
        if connector != service.connector:
            return replace(refused, status=403, reason="other_connector")
        treatment = self.settings["inactive_service"]
        if not service.active and treatment != "accept":
            return replace(refused, status=404 if treatment == "not_found" else 403, reason="inactive_service")
        entity = next(e for e in self.entities if (e.connector, e.name) == (service.connector, service.entity))
        problem, mode = why_unfit(body, entity.asks_for), self.settings["entity_check"]
        if not body.strip():
            problem = "blank_payload"
        elif mode == "off":
            problem = None
        if problem == "blank_payload" or (problem and mode == "reject"):
            return replace(refused, status=422, reason=problem)
        return replace(
            refused, status=self.settings["success_status"], outcome="accepted", accepted=True, reason=problem
        )

    # --- changes ----------------------------------------------------------------------------------------------------

    def revoke(self, why: str, client_id: str | None = None) -> int:
        """Revoke the tokens of a client, or all; return how many were not yet."""
        meant = [t for t in self.tokens if client_id in (None, t.client_id) and t.revoked is None]
        for token in meant:
            token.revoked = why
        return len(meant)

    def delete_clients(self, clients: list[Client]) -> None:
        """Delete clients; their tokens die with them."""
        for client in clients:
            self.clients.remove(client)
            self.revoke("client_deleted", client.id)

    def used_by(self, connector: int) -> Iterator[Service]:
        """Iterate over the services of a connector."""
        return (service for service in self.services if service.connector == connector)


def why_unfit(body: bytes, asks_for: str | None) -> str | None:
    """Say what is wrong with a payload for an entity that asks for an integer of that name."""
    if asks_for is None:
        return None
    try:
        payload = json.loads(body)
    except ValueError:
        return "entity_mismatch"
    if payload in (None, "", [], {}):
        return "blank_payload"
    items = payload if isinstance(payload, list) else [payload]
    fits = all(isinstance(item, dict) and type(item.get(asks_for)) is int for item in items)
    return None if fits else "entity_mismatch"
