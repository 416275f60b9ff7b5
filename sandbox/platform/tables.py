"""The content of a store: a table for each kind of thing, and all of them as a value.

Values are frozen, so a value that was returned never changes. One lock guards the tables. Look-ups on the request
path take no lock: each is a single read of a dict that holds only complete values.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import Self

from sandbox.foundation.errors import NotFoundError
from sandbox.foundation.rng import Rng
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.platform.entity_check import EntityCheck, compile_entity
from sandbox.platform.model import (
    Company,
    Connector,
    Entity,
    EntitySnapshot,
    KeptSecret,
    LastIds,
    OAuthClient,
    Service,
    StoreSnapshot,
    is_recognised,
)

if TYPE_CHECKING:
    from sandbox.platform.flows.store import FlowStore

_T = TypeVar("_T")


class Tables:
    """The tables of one emulated platform."""

    def __init__(
        self, now: Callable[[], datetime], rng: Rng, secrets: KnownSecrets | None = None, *, integers: bool = True
    ) -> None:
        self.integers = integers
        """Whether a whole number in a sample asks for an integer, or for any number."""
        self.secrets = KnownSecrets() if secrets is None else secrets
        """The secrets of its clients, and those that other stores of the sandbox have had."""
        self.before_change: Callable[[Service], object] = bool
        """Is called with a service before that changes or goes, without the lock."""
        self._now = now
        self._rng = rng
        self._lock = threading.RLock()
        self._companies: dict[str, Company] = {}
        self._connectors: dict[int, Connector] = {}
        self._entities: dict[int, Entity] = {}
        self._entity_ids: dict[tuple[int, str], int] = {}
        self._checks: dict[int, EntityCheck | None] = {}
        self._clients: dict[str, OAuthClient] = {}
        self._services: dict[int, Service] = {}
        self._service_ids: dict[tuple[str, str], int] = {}
        self._last_ids = {"connector": 0, "entity": 0, "service": 0}
        self._flows: FlowStore | None = None

    @property
    def flows(self) -> FlowStore:
        """The process flows; made, and their modules imported, when they are first asked for."""
        if self._flows is None:
            from sandbox.platform.flows.store import FlowStore

            with self._lock:
                self._flows = self._flows or FlowStore(self._now, self._rng, self.secrets)
        return self._flows

    @property
    def known_flows(self) -> FlowStore | None:
        """The process flows; ``None`` where nothing has asked for them."""
        return self._flows

    def copy(self, rng: Rng) -> Self:
        """Return an independent store with the same content; cheap, since all values are frozen."""
        with self._lock:
            twin = type(self)(self._now, rng, self.secrets, integers=self.integers)
            for name, table in vars(self).items():
                if isinstance(table, dict):
                    setattr(twin, name, dict(table))
            if self._flows is not None:
                setattr(twin, "_flows", self._flows.copy(rng))  # noqa: B010 - ruff takes a twin for a stranger
            return twin

    def snapshot(self, *, secrets: bool) -> StoreSnapshot:
        """Return all tables; without ``secrets`` nothing by which a client's secret could be recognised."""
        with self._lock:
            return StoreSnapshot(
                companies=tuple(self._companies.values()),
                connectors=tuple(self._connectors.values()),
                entities=tuple(map(saved_entity, self._entities.values())),
                clients=tuple(client if secrets else replace(client, secret=None) for client in self._clients.values()),
                services=tuple(self._services.values()),
                last_ids=LastIds(**self._last_ids),
            )

    def restore(self, snapshot: StoreSnapshot) -> None:
        """Take the place of the store that held these tables, every client with a secret; they are taken as checked.

        Raise ``InvalidValueError`` for a JSON Schema that is none.
        """
        with self._lock:
            self._companies = {company.slug: company for company in snapshot.companies}
            self._connectors = {connector.id: connector for connector in snapshot.connectors}
            self._clients = {client.id: client for client in snapshot.clients}
            for client in snapshot.clients:
                if client.secret is not None:
                    self._note_secret(client.secret)
            self._services = {service.id: service for service in snapshot.services}
            self._service_ids = {(service.company, service.vanity_url): service.id for service in snapshot.services}
            for kept in snapshot.entities:
                self._put_entity(kept)
            ids = snapshot.last_ids
            self._last_ids = {"connector": ids.connector, "entity": ids.entity, "service": ids.service}

    def _put_entity(self, saved: EntitySnapshot) -> Entity:
        """Add or replace an entity; raise ``InvalidValueError`` for a schema that is none, and change nothing."""
        schema, inferred, check = compile_entity(saved.sample, saved.json_schema, integers=self.integers)
        entity = Entity(
            saved.id, saved.connector_id, saved.type, saved.name, saved.sample, schema, inferred, saved.created_at
        )
        self._entities[entity.id] = entity
        self._entity_ids[entity.connector_id, entity.name] = entity.id
        self._checks[entity.id] = check
        return entity

    def _note_secret(self, kept: KeptSecret, length: int | None = None) -> None:
        self.secrets.add(kept.hash, kept.last_four, partial(is_recognised, kept=kept), length)

    def _next_id(self, kind: str) -> int:
        self._last_ids[kind] += 1
        return self._last_ids[kind]

    def _listed(self, table: dict[Any, _T]) -> list[_T]:
        with self._lock:
            return list(table.values())

    def _get(self, table: dict[Any, _T], kind: str, key: object) -> _T:
        found = table.get(key)
        if found is None:
            with self._lock:
                raise NotFoundError(kind, key, list(table))
        return found


def saved_entity(entity: Entity) -> EntitySnapshot:
    """Return an entity as a saved state holds it: an inferred schema is left out."""
    schema = None if entity.inferred or entity.json_schema is None else dict(entity.json_schema)
    return EntitySnapshot(
        entity.id, entity.connector_id, entity.type, entity.name, entity.sample, schema, entity.created_at
    )
