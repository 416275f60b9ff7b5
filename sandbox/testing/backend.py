"""The seam between the handle that a test holds and the sandbox: of this process, behind a URL, part of a shared one.

All say the same in the same types; whatever judges (assertions, duplicates, reports) works on entries and is written
once, above this seam.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from sandbox.faults.book import RuleState
from sandbox.faults.rules import FaultRule
from sandbox.journal.assertions.source import EntrySource
from sandbox.journal.contract import ContractViolation
from sandbox.platform.model import Company, Connector, Entity, Service
from sandbox.platform.tokens import IssuedToken
from sandbox.state.restore import LoadedClient
from sandbox.state.seed_loading import SeedTarget

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from sandbox.state.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an integration gets its tokens with."""

    client_id: str
    client_secret: str = field(repr=False)


class SandboxClock(Protocol):
    """The sandbox clock; see ``sandbox.foundation.clock.Clock``, which is one."""

    def now(self) -> datetime:
        """Return the sandbox time as an aware UTC datetime."""
        ...

    def timestamp(self) -> float:
        """Return the sandbox time in Unix seconds."""
        ...

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        ...

    @property
    def rate(self) -> float:
        """Sandbox seconds a real second."""
        ...

    def advance(self, duration: object = None, **units: float) -> datetime:
        """Move by a duration (``"24h"``, ``90``) or by timedelta's units (``hours=24``); return the new time."""
        ...

    def travel_to(self, instant: object) -> datetime:
        """Set the clock to an instant with a zone."""
        ...

    def freeze(self) -> datetime:
        """Stop the clock."""
        ...

    def unfreeze(self) -> datetime:
        """Let the clock run on."""
        ...

    def set_rate(self, rate: object) -> datetime:
        """Run at so many sandbox seconds a real second."""
        ...

    def follow(self) -> datetime:
        """Run beside the time that freezegun freezes in this process."""
        ...

    def travel(self, duration: object = None, **units: float) -> datetime:
        """Move the time that freezegun freezes, if it does, and this clock with it."""
        ...

    def reset(self) -> datetime:
        """Return to the machine's time."""
        ...


class FaultRules(Protocol):
    """The fault rules in force."""

    def add(self, rule: FaultRule) -> RuleState:
        """Put a rule behind those there are."""
        ...

    def add_preset(self, name: str, match: Mapping[str, object]) -> list[RuleState]:
        """Put the rules of a preset behind those there are, narrowed; raise ``NotFoundError``."""
        ...

    def presets(self) -> dict[str, str]:
        """Return the stories of the presets by name."""
        ...

    def rules(self) -> list[RuleState]:
        """Return every rule in order, used up or not."""
        ...

    def get(self, rule_id: str) -> RuleState:
        """Return a rule, or raise ``NotFoundError``."""
        ...

    def remove(self, rule_id: str) -> RuleState:
        """Remove a rule, or raise ``NotFoundError``."""
        ...

    def clear(self) -> int:
        """Remove every rule; return how many there were."""
        ...


class Directory(SeedTarget, Protocol):
    """What exists on the emulated platform; a ``Store`` is one."""

    def companies(self) -> list[Company]:
        """Return all companies, oldest first."""
        ...

    def connectors(self) -> list[Connector]:
        """Return all connectors, oldest first."""
        ...

    def entities(self, connector_id: int) -> list[Entity]:
        """Return the entities of a connector, oldest first."""
        ...

    def services(self) -> list[Service]:
        """Return all services, oldest first."""
        ...


class Backend(Protocol):
    """A running sandbox."""

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox itself; raise ``NotInProcessError`` where it is elsewhere."""
        ...

    @property
    def base_url(self) -> str:
        """Base URL, without a trailing slash."""
        ...

    @property
    def token_url(self) -> str:
        """URL of the token endpoint."""
        ...

    @property
    def company(self) -> str:
        """Slug of the company that is meant where none is named; raise ``NotFoundError``."""
        ...

    @property
    def credentials(self) -> Credentials:
        """An OAuth client of that company; raise ``NotFoundError``."""
        ...

    @property
    def wsgi(self) -> WSGIApplication:
        """The WSGI application; raise ``NotInProcessError`` where the sandbox is elsewhere."""
        ...

    def served_by_tls(self, context: ssl.SSLContext) -> AbstractContextManager[int]:
        """Serve the sandbox over TLS too, on a port of loopback; raise ``NotInProcessError`` where it is elsewhere."""
        ...

    @property
    def directory(self) -> Directory:
        """Companies, connectors, entities and services."""
        ...

    @property
    def journal(self) -> EntrySource:
        """The journal as it is now."""
        ...

    @property
    def clock(self) -> SandboxClock:
        """The sandbox clock."""
        ...

    @property
    def faults(self) -> FaultRules:
        """Fault rules and presets."""
        ...

    def tokens(self) -> list[IssuedToken]:
        """Return every token issued since the last reset."""
        ...

    def revoke_tokens(self, client_id: str | None = None) -> int:
        """Revoke the tokens of an OAuth client, or of all; return how many."""
        ...

    def contract_violations(self) -> Sequence[ContractViolation]:
        """Return every way in which a request did not conform to the published contract."""
        ...

    def configure(self, settings: Mapping[str, object]) -> None:
        """Change run-time settings; raise ``InvalidValueError``."""
        ...

    def reset(self) -> None:
        """Return to the seed."""
        ...

    def state(self, *, secrets: bool = False) -> dict[str, Any]:
        """Return everything the sandbox holds as JSON values."""
        ...

    def load_state(self, document: Mapping[str, Any]) -> list[LoadedClient]:
        """Become what a saved state describes; raise ``InvalidValueError`` and stay as it is."""
        ...
