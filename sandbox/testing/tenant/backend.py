"""The backend of a tenant.

Its companies are created when it is made. Its entries are those of their inbound URLs and OAuth clients, its fault
rules act on these only. What there is but one of, the clock and the settings, can be looked at and not changed, unless
nobody else uses the sandbox.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from sandbox.foundation.errors import NotFoundError
from sandbox.journal.assertions.source import EntrySource
from sandbox.journal.contract import ContractViolation
from sandbox.platform.tokens import IssuedToken
from sandbox.state.restore import LoadedClient
from sandbox.state.sandbox import Sandbox
from sandbox.state.seed import CompanySeed
from sandbox.state.seed_loading import load_company
from sandbox.testing.backend import Backend, Credentials, Directory, FaultRules, SandboxClock
from sandbox.testing.tenant.copying import beside_others, copy_of
from sandbox.testing.tenant.journal import TenantJournal
from sandbox.testing.tenant.steering import SharedClock, TenantFaults, refuse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Tenant:
    """A ``Backend`` that is part of another one: companies from seeds, or a copy of the one that is meant there.

    ``shared`` is whether others use the sandbox at the same time.
    """

    def __init__(self, parent: Backend, seeds: Sequence[CompanySeed] = (), *, shared: bool = True) -> None:
        self._seeds = seeds or [copy_of(parent.company, parent.directory)]
        # A part of a part is a part of the whole.
        self.parent: Backend = parent.parent if isinstance(parent, Tenant) else parent
        self._shared = shared
        self._copy_company()

    def _copy_company(self) -> None:
        parent = self.parent
        taken = None if self._shared else frozenset(company.slug for company in parent.directory.companies())
        self._since = parent.journal.last_seq
        loaded = [load_company(beside_others(seed, taken), parent.directory) for seed in self._seeds]
        self._companies = tuple(company.slug for company, _ in loaded)
        self._clients = [Credentials(new.client.id, new.secret) for _, clients in loaded for new in clients]
        self._client_ids = tuple(client.client_id for client in self._clients)

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox, others' companies included."""
        return self.parent.sandbox

    @property
    def base_url(self) -> str:
        """Base URL, without a trailing slash."""
        return self.parent.base_url

    @property
    def token_url(self) -> str:
        """URL of the token endpoint."""
        return self.parent.token_url

    @property
    def company(self) -> str:
        """Slug of the first company."""
        return self._companies[0]

    @property
    def credentials(self) -> Credentials:
        """The first OAuth client."""
        if not self._clients:
            raise NotFoundError("OAuth client", f"of company {self.company}")
        return self._clients[0]

    @property
    def wsgi(self) -> WSGIApplication:
        """The WSGI application."""
        return self.parent.wsgi

    def served_by_tls(self, context: ssl.SSLContext) -> AbstractContextManager[int]:
        """Serve the sandbox over TLS too, on a port of loopback."""
        return self.parent.served_by_tls(context)

    @property
    def directory(self) -> Directory:
        """Everything there is; all of it is told apart by its company."""
        return self.parent.directory

    @property
    def journal(self) -> EntrySource:
        """The tenant's part of the journal."""
        return TenantJournal(self.parent.journal, self._companies, self._client_ids, self._since)

    @property
    def clock(self) -> SandboxClock:
        """The clock; it cannot be changed where others go by it."""
        return SharedClock(self.parent.clock) if self._shared else self.parent.clock

    @property
    def faults(self) -> FaultRules:
        """The tenant's fault rules."""
        return TenantFaults(self.parent.faults, self._companies, self._client_ids)

    def tokens(self) -> list[IssuedToken]:
        """Return the tokens of the tenant's OAuth clients."""
        return [token for token in self.parent.tokens() if token.client_id in self._client_ids]

    def revoke_tokens(self, client_id: str | None = None) -> int:
        """Revoke the tokens of the tenant's OAuth clients, or of one of them."""
        return sum(self.parent.revoke_tokens(known) for known in self._client_ids if client_id in (None, known))

    def contract_violations(self) -> list[ContractViolation]:
        """Return what is wrong with the tenant's requests."""
        own = {entry.id for entry in self.journal.entries()}
        return [found for found in self.parent.contract_violations() if found.request in own]

    def configure(self, settings: Mapping[str, object]) -> None:
        """Change run-time settings, where nobody else goes by them."""
        if self._shared:
            refuse("changing settings")
        self.parent.configure(settings)

    def reset(self) -> None:
        """Return to the seed, where nobody else is thrown back by it."""
        if self._shared:
            refuse("a reset")
        self.parent.reset()
        self._copy_company()

    def state(self, *, secrets: bool = False) -> dict[str, Any]:
        """Return everything the sandbox holds, where none of it is somebody else's."""
        if self._shared:
            refuse("saving the state")
        return self.parent.state(secrets=secrets)

    def load_state(self, document: Mapping[str, Any]) -> list[LoadedClient]:
        """Become what a saved state describes, where nobody else is thrown back by it."""
        if self._shared:
            refuse("loading a state")
        return self.parent.load_state(document)
