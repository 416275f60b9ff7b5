"""Patchworks' own nouns as frozen values, which a store holds, a seed describes and a state saves.

Times are aware UTC datetimes on the sandbox clock.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sandbox.foundation import value_types as types
from sandbox.foundation.bounds import Count, Number
from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.fields import Described, object_schema, read
from sandbox.foundation.fields import field as described
from sandbox.foundation.json_path import compile_json_path
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.rng import Rng
from sandbox.foundation.value_types import JSON_PATH
from sandbox.platform.processing.schedule import SCHEDULE, SCHEDULE_ALLOWED, ZONE, ZONE_ALLOWED, is_schedule, is_zone

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

    id: Number
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


_NO_SECRET: Final = KeptSecret(b"\0" * 16, b"\0" * 32, "")


def recognised_by(secret: str, rng: Rng) -> KeptSecret:
    """Return the hash of a secret, with a new salt."""
    salt = rng.bytes(16)
    return KeptSecret(salt, _hashed(salt, secret), secret[-4:])


def is_recognised(secret: str, kept: KeptSecret | None) -> bool:
    """Compare a secret with a hash in constant time; it takes as long where there is no hash."""
    compared = kept or _NO_SECRET
    return hmac.compare_digest(_hashed(compared.salt, secret), compared.hash) and kept is not None


def _hashed(salt: bytes, secret: str) -> bytes:
    return hashlib.sha256(salt + secret.encode("utf-8", "surrogatepass")).digest()


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
class FieldMapping(Described):
    """A row of the mapping tab: a field of the payload and the field of the destination that gets its value."""

    source: str = described(
        types.printable(255, 1), "Path of the field in the payload: `order`, `customer.email`, `lines[].sku`."
    )
    destination: str = described(types.printable(255, 1), "Name of the destination's field.")
    source_name: str | None = described(types.printable(255, 1), "Display name of the source field.", None)
    destination_name: str | None = described(types.printable(255, 1), "Display name of the destination field.", None)


MAX_MAPPINGS: Final = 500


def _mappings() -> types.ValueType:
    def keep(value: object) -> tuple[FieldMapping, ...]:
        if not isinstance(value, (list, tuple)) or len(value) > MAX_MAPPINGS:
            raise types.NotAllowedError
        return tuple(
            row if isinstance(row, FieldMapping) else read(FieldMapping, row, f"mappings[{at}]")
            for at, row in enumerate(value)
        )

    allowed = f"a list of up to {MAX_MAPPINGS} objects with source and destination"
    schema = {"type": "array", "maxItems": MAX_MAPPINGS, "items": object_schema(FieldMapping, "A field mapping.")}
    return types.ValueType(allowed, schema, keep=keep, dump=lambda rows: [row.document() for row in rows])


def _json_path() -> types.ValueType:
    def accepts(value: object) -> bool:
        try:
            return isinstance(value, str) and compile_json_path(value) is not None
        except InvalidValueError as error:
            raise error.at("reference") from None

    return types.ValueType("an RFC 9535 JSONPath such as $.order", JSON_PATH, accepts)


@dataclass(frozen=True, slots=True)
class ServiceOptions(Described):
    """How a service processes its payloads: the tabs of a service on the vendor's pages (FACTS P1)."""

    destination: str | None = described(types.printable(255, 1), "Name of the system that gets the payloads.", None)
    schedule: str | None = described(
        types.line(SCHEDULE_ALLOWED, is_schedule, SCHEDULE),
        "When the service runs with the setting `processing = scheduled`: a preset such as `every 2 hours`, or cron "
        "with five fields. Without one it runs by hand only.",
        None,
    )
    time_zone: str = described(types.line(ZONE_ALLOWED, is_zone, ZONE), "Time zone of the schedule.", "UTC")
    page_size: int = described(types.integer(1, 1_000), "Items that a run pulls at a time.", 100)
    max_attempts: int = described(types.integer(1, 15), "Attempts on an item that stays pending, until it fails.", 4)
    type: str = described(
        types.choice("standard", "sweeper"),
        "A sweeper also tries the failed items of the services with its connector and entity again.",
        "standard",
    )
    reference: str | None = described(
        _json_path(),
        "JSONPath of the reference in an item. Default: the first of the usual fields, such as `id` or `order`.",
        None,
    )
    mappings: tuple[FieldMapping, ...] = described(_mappings(), "Which field of the payload goes where.", ())
    notes: str | None = described(types.text(2_000), "Notes for people.", None)


@dataclass(frozen=True, slots=True)
class Service:
    """The receiver of the payloads of one inbound URL (FACTS 1.12, 1.13, 1.20)."""

    id: Number
    company: str
    connector_id: Number
    entity: str
    vanity_url: str
    active: bool
    created_at: datetime
    options: ServiceOptions = ServiceOptions()

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
