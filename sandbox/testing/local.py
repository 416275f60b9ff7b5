"""The backend of a sandbox of this process."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from sandbox.faults.book import RuleState
from sandbox.faults.presets import find_preset, load_presets
from sandbox.faults.rules import FaultRule
from sandbox.foundation.clock import Clock
from sandbox.foundation.errors import InvalidValueError, NotFoundError, NotInProcessError
from sandbox.foundation.strict_json import parse_json
from sandbox.journal.contract import ContractViolation, contract_violations
from sandbox.journal.journal import Journal
from sandbox.platform.endpoints import PublishedContract
from sandbox.platform.store import Store
from sandbox.platform.tokens import IssuedToken
from sandbox.state.restore import LoadedClient
from sandbox.state.sandbox import Sandbox
from sandbox.state.snapshot.codec import read_state, to_document
from sandbox.testing.backend import Credentials
from sandbox.web.addresses import Endpoints
from sandbox.web.app import SandboxApp

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Host(Protocol):
    """Whoever serves the sandbox."""

    @property
    def app(self) -> WSGIApplication:
        """The WSGI application that is served."""
        ...

    def served_by_tls(self, context: ssl.SSLContext) -> AbstractContextManager[int]:
        """Serve it over TLS too, on a port of loopback."""
        ...


@dataclass(frozen=True)
class InProcess:
    """A ``Backend`` over a sandbox and the place where it is served.

    Without a host it has no sockets: only what is mounted reaches it.
    """

    endpoints: Endpoints
    host: Host | None = None

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox itself."""
        return self.endpoints.sandbox

    @property
    def base_url(self) -> str:
        """Base URL, without a trailing slash."""
        return self.endpoints.base_url

    @property
    def token_url(self) -> str:
        """URL of the token endpoint."""
        return self.endpoints.token_url

    @property
    def company(self) -> str:
        """Slug of the seed's first company."""
        if self.endpoints.company is None:
            raise NotFoundError("company", "of the seed")
        return self.endpoints.company

    @property
    def credentials(self) -> Credentials:
        """The seed's first OAuth client."""
        new = self.endpoints.credentials
        if new is None:
            raise NotFoundError("OAuth client", "of the seed")
        return Credentials(new.client.id, new.secret)

    @cached_property
    def wsgi(self) -> WSGIApplication:
        """The WSGI application."""
        return SandboxApp(self.sandbox) if self.host is None else self.host.app

    def served_by_tls(self, context: ssl.SSLContext) -> AbstractContextManager[int]:
        """Serve the sandbox over TLS too, on a port of loopback."""
        if self.host is None:
            raise NotInProcessError("the sandbox is not served; hold it by the handle of a SandboxServer")
        return self.host.served_by_tls(context)

    @property
    def directory(self) -> Store:
        """Companies, connectors, entities and services."""
        return self.sandbox.store

    @property
    def journal(self) -> Journal:
        """The journal as it is now."""
        return self.sandbox.journal

    @property
    def clock(self) -> Clock:
        """The sandbox clock."""
        return self.sandbox.clock

    @property
    def faults(self) -> InProcessFaults:
        """Fault rules and presets."""
        return InProcessFaults(self.sandbox)

    def tokens(self) -> list[IssuedToken]:
        """Return every token issued since the last reset."""
        return self.sandbox.tokens

    def revoke_tokens(self, client_id: str | None = None) -> int:
        """Revoke the tokens of an OAuth client, or of all; return how many."""
        return self.sandbox.revoke_tokens(client_id)

    def contract_violations(self) -> list[ContractViolation]:
        """Return every way in which a request did not conform to the published contract."""
        contract = PublishedContract(self.sandbox.store)
        return [found for entry in self.sandbox.journal.snapshot() for found in contract_violations(entry, contract)]

    def configure(self, settings: Mapping[str, object]) -> None:
        """Change run-time settings; raise ``SettingError``."""
        self.sandbox.change_settings(settings)

    def reset(self) -> None:
        """Return to the seed."""
        self.sandbox.reset()

    def state(self, *, secrets: bool = False) -> dict[str, Any]:
        """Return everything the sandbox holds as JSON values."""
        return to_document(self.sandbox.state(secrets=secrets))

    def load_state(self, document: Mapping[str, Any]) -> list[LoadedClient]:
        """Become what a saved state describes; raise ``InvalidValueError`` and stay as it is."""
        return self.sandbox.load_state(read_state(_as_sent(document)))


def _as_sent(document: Mapping[str, Any]) -> object:
    """Return a state as it would arrive over HTTP: what no JSON can say is refused here as there."""
    try:
        return parse_json(json.dumps(document).encode())
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidValueError("state", "this document", f"JSON whose text is UTF-8 ({error})") from None


@dataclass(frozen=True)
class InProcessFaults:
    """``FaultRules`` over whatever book of rules the sandbox has at the moment."""

    sandbox: Sandbox

    def add(self, rule: FaultRule) -> RuleState:
        """Put a rule behind those there are."""
        return self.sandbox.platform.faults.add(rule)

    def add_preset(self, name: str, match: Mapping[str, object]) -> list[RuleState]:
        """Put the rules of a preset behind those there are, narrowed; raise ``NotFoundError``."""
        preset = find_preset(name, self.sandbox.settings.presets_dir)
        return self.sandbox.platform.faults.add_all(preset.narrowed(match))

    def presets(self) -> dict[str, str]:
        """Return the stories of the presets by name."""
        return {preset.name: preset.story for preset in load_presets(self.sandbox.settings.presets_dir).values()}

    def rules(self) -> list[RuleState]:
        """Return every rule in order, used up or not."""
        return self.sandbox.platform.faults.rules()

    def get(self, rule_id: str) -> RuleState:
        """Return a rule, or raise ``NotFoundError``."""
        return self.sandbox.platform.faults.get(rule_id)

    def remove(self, rule_id: str) -> RuleState:
        """Remove a rule, or raise ``NotFoundError``."""
        return self.sandbox.platform.faults.remove(rule_id)

    def clear(self) -> int:
        """Remove every rule; return how many there were."""
        return self.sandbox.platform.faults.clear()
