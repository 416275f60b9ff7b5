"""The backend of a tenant: a company of one's own in a sandbox that others use at the same time."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NoReturn, TypeVar

from sandbox.foundation.errors import SharedSandboxError
from sandbox.journal.assertions.source import EntrySource
from sandbox.journal.assertions.view import JournalRecorder
from sandbox.state.sandbox import Sandbox
from sandbox.state.seed import CompanySeed
from sandbox.state.seed_loading import load_company
from sandbox.testing import verbs
from sandbox.testing.backend import Backend, Credentials, Verb
from sandbox.testing.tenant.companies import CompanyTarget, beside_others, copy_of
from sandbox.testing.tenant.journal import TenantJournal, TenantRecorder
from sandbox.testing.tenant.ownership import Ownership

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

T = TypeVar("T")


class Tenant:
    """A ``Backend`` that is part of another one: companies of seeds, or a copy of the parent's company.

    It performs verbs as their rows say for isolated companies. ``shared`` is whether others use the sandbox at the same
    time: then a verb that would disturb them raises ``SharedSandboxError``.
    """

    def __init__(self, parent: Backend, seeds: Sequence[CompanySeed] = (), *, shared: bool = True) -> None:
        self._seeds = seeds or [copy_of(parent.company, parent)]
        # A part of a part is a part of the whole.
        self.parent: Backend = parent.parent if isinstance(parent, Tenant) else parent
        self._shared = shared
        self._create_companies()

    def _create_companies(self) -> None:
        taken = None if self._shared else frozenset(company.slug for company in self.parent.do(verbs.companies()))
        since, target = self.parent.journal.last_seq, CompanyTarget(self.parent)
        loaded = [load_company(beside_others(seed, taken), target) for seed in self._seeds]
        self._clients = [Credentials(new.client.id, new.secret) for _, clients in loaded for new in clients]
        client_ids = tuple(client.client_id for client in self._clients)
        self._own = Ownership(tuple(company.slug for company, _ in loaded), client_ids, since)

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox, the companies of others included."""
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
        return self._own.companies[0]

    @property
    def credentials(self) -> Credentials:
        """The first OAuth client; raise ``NotFoundError``."""
        self._own.first_client()
        return self._clients[0]

    @property
    def wsgi(self) -> WSGIApplication:
        """The WSGI application."""
        return self.parent.wsgi

    def served_by_tls(self, context: ssl.SSLContext) -> AbstractContextManager[int]:
        """Serve the sandbox over TLS too, on a port of loopback."""
        return self.parent.served_by_tls(context)

    @property
    def journal(self) -> EntrySource:
        """The owned part of the journal."""
        return TenantJournal(self.parent.journal, self._own)

    @property
    def recorder(self) -> JournalRecorder:
        """Answers questions about the owned part of the journal."""
        return TenantRecorder(self, self.parent.recorder, self._own)

    def do(self, verb: Verb[T]) -> T:
        """Perform a verb as its row says; raise ``SharedSandboxError``."""
        if callable(verb.isolated):
            return verb.isolated(self.parent, self._own)
        if verb.isolated and self._shared:
            _refuse(verb.isolated)
        value = self.parent.do(verb)
        if verb.kept_clients is not None:
            kept = verb.kept_clients(value)
            if not kept or any(client_id not in kept for client_id in self._own.client_ids):
                self._create_companies()
        return value


def _refuse(act: str) -> NoReturn:
    raise SharedSandboxError(
        f"{act} would disturb the other tests that use this sandbox; use revoke_tokens() to have tokens refused and "
        "faults for the rest, or run this test without isolate"
    )
