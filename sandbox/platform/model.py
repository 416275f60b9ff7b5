"""Patchworks' own nouns as frozen values, which a store holds, a seed describes and a state saves.

Times are aware UTC datetimes on the sandbox clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sandbox.foundation.bounds import Count, Number
from sandbox.foundation.json_value import JsonValue

Environment = Literal["test", "live"]
"""The purpose of a connector (FACTS 1.4)."""

INBOUND_PATH: Final = "/v1/{company}/{vanity_url}"
"""The path of an inbound URL (FACTS 1.13)."""


@dataclass(frozen=True, slots=True)
class Company:
    """A Patchworks customer; ``slug`` is the ``{company}`` of its inbound URLs (FACTS 1.13)."""

    slug: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Connector:
    """An Inbound API connector of a company (FACTS 1.2, 1.4)."""

    id: int
    company: str
    name: str
    environment: Environment
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Entity:
    """The data structure a connector expects, given as a sample payload (FACTS 1.3).

    ``json_schema`` is what payloads are checked against: inferred from the sample or written by hand.
    ``None`` marks a free-form entity, which accepts any non-blank body.
    """

    id: int
    connector_id: int
    type: str
    name: str
    sample: JsonValue
    json_schema: Mapping[str, JsonValue] | None
    inferred: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """The salted hash of a client's secret, which the sandbox keeps in place of the secret."""

    salt: bytes = field(repr=False)
    hash: bytes = field(repr=False)
    last_four: str


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A set of credentials of a connector (FACTS 1.5, 1.6, 1.19); the secret itself is not kept.

    ``secret`` is ``None`` only in a state that was saved without secrets.
    """

    id: str
    connector_id: Number
    name: str
    secret: KeptSecret | None
    revoked: bool
    created_at: datetime
    updated_at: datetime

    @property
    def secret_last_four(self) -> str:
        """The end of the secret, as Patchworks shows it."""
        return "" if self.secret is None else self.secret.last_four


@dataclass(frozen=True, slots=True)
class Service:
    """The receiver of the payloads of one inbound URL (FACTS 1.12, 1.13, 1.20)."""

    id: int
    company: str
    connector_id: int
    entity: str
    vanity_url: str
    active: bool
    created_at: datetime

    @property
    def path(self) -> str:
        """The path of its inbound URL."""
        return INBOUND_PATH.format(company=self.company, vanity_url=self.vanity_url)


@dataclass(frozen=True, slots=True)
class EntitySnapshot:
    """An entity; ``json_schema`` is null where it follows from the sample."""

    id: Number
    connector_id: Number
    type: str
    name: str
    sample: Any
    json_schema: dict[str, Any] | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LastIds:
    """The highest numbers given so far, also to what is gone."""

    connector: Count
    entity: Count
    service: Count


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """The companies, connectors, entities, clients and services of the emulated platform, oldest first."""

    companies: tuple[Company, ...]
    connectors: tuple[Connector, ...]
    entities: tuple[EntitySnapshot, ...]
    clients: tuple[OAuthClient, ...]
    services: tuple[Service, ...]
    last_ids: LastIds
