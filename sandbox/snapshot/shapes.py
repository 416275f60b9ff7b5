"""What the parts of a sandbox hand over: frozen values that JSON can hold, one class for each part.

Times are instants in UTC, or Unix seconds on the sandbox clock where the part itself counts in them.

Whoever makes one imports it when a state is saved, and not before: these and msgspec would be a tenth of a start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from sandbox.model import Company, Connector, KeptSecret, Service

VERSION: Final = 1
"""Of the format. A document of another one is refused."""

MAX_INTEGER: Final = 2**63 - 1
Count = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
Number = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
Seconds = Annotated[float, Meta(ge=-1_000_000_000, le=250_000_000_000)]  # 1938 to 9892
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ClockSnapshot:
    """The clock. ``moved`` is false where it is the machine's; ``now`` is then only a note of when it was saved."""

    now: datetime
    frozen: bool
    rate: Annotated[float, Meta(gt=0, le=1_000_000)]
    moved: bool


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
class ClientSnapshot:
    """An OAuth client; ``secret`` is null in a document without secrets."""

    id: str
    connector_id: Number
    name: str
    secret: KeptSecret | None
    revoked: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LastIds:
    """The highest numbers given so far, also to what is gone."""

    connector: Count
    entity: Count
    service: Count


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """What exists on the emulated platform, oldest first."""

    companies: tuple[Company, ...]
    connectors: tuple[Connector, ...]
    entities: tuple[EntitySnapshot, ...]
    clients: tuple[ClientSnapshot, ...]
    services: tuple[Service, ...]
    last_ids: LastIds


@dataclass(frozen=True, slots=True)
class TokenSnapshot:
    """An issued access token as it stands; the token itself is nowhere kept."""

    jti: str
    fingerprint: str
    client_id: str
    scopes: tuple[str, ...]
    issued_at: Seconds
    expires_at: Seconds
    request: Count | None
    uses: Count
    revoked: str | None


@dataclass(frozen=True, slots=True)
class WindowSnapshot:
    """A window of the rate limit."""

    key: str
    start: Seconds
    hits: Count


@dataclass(frozen=True, slots=True)
class RuleSnapshot:
    """A fault rule with its counts; ``rule`` is what ``POST /_sandbox/faults`` takes."""

    id: str
    rule: dict[str, Any]
    created_at: Seconds
    seen: Count
    hits: Count


@dataclass(frozen=True, slots=True)
class FaultsSnapshot:
    """The fault rules in their order, and what chance will have it."""

    rules: tuple[RuleSnapshot, ...]
    last_number: Count
    random: bytes


@dataclass(frozen=True, slots=True)
class LinkSnapshot:
    """The token that a request came with or got."""

    fingerprint: str
    request: Count | None
    issued_at: Seconds
    expires_at: Seconds


@dataclass(frozen=True, slots=True)
class EntrySnapshot:
    """A journal entry; bodies are byte for byte, in base64."""

    seq: Number
    kind: Literal["token", "inbound", "other"]
    received_at: Seconds
    wall_time: Seconds
    duration_ms: float
    method: str
    path: str
    query: str
    headers: Pairs
    body: bytes
    body_size: Count
    client_id: str | None
    company: str | None
    vanity_url: str | None
    outcome: Literal["accepted", "rejected", "faulted"]
    accepted: bool
    reason: str | None
    status: Annotated[int, Meta(ge=0, le=999)]
    fault: str | None
    effect: str | None
    token: LinkSnapshot | None
    response_headers: Pairs
    response_body: bytes


@dataclass(frozen=True, slots=True)
class DropSnapshot:
    """How many dropped entries had a value, such as the company ``acme``."""

    name: str
    value: str
    count: Count


@dataclass(frozen=True, slots=True)
class DropsSnapshot:
    """What is known of the entries that were dropped because the journal was full."""

    total: Count
    uncounted: Count
    by_value: tuple[DropSnapshot, ...]


@dataclass(frozen=True, slots=True)
class JournalSnapshot:
    """The journal. ``last_seq`` is the number of the newest entry there ever was."""

    id: Annotated[str, Meta(pattern="^[0-9a-z]{1,64}$")]
    last_seq: Count
    dropped: DropsSnapshot
    entries: tuple[EntrySnapshot, ...]


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


@dataclass(frozen=True, slots=True)
class State:
    """Everything a sandbox holds. ``signing_key`` is PEM; null in a document without secrets."""

    patchworks_sandbox_state: Literal[1]
    secrets: bool
    clock: ClockSnapshot
    signing_key: str | None = field(repr=False)
    platform: PlatformSnapshot
