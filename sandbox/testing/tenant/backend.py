"""The backend of a tenant: a company of one's own in a sandbox that others use at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import to_builtins

from sandbox.foundation.errors import SharedSandboxError
from sandbox.journal.assertions.verify import EntrySource
from sandbox.journal.assertions.view import JournalRecorder
from sandbox.journal.filter import EVERY_ENTRY
from sandbox.platform.oauth_clients import NewOAuthClient
from sandbox.state.seed.parts import ClientSeed, CompanySeed, ConnectorSeed, EntitySeed, ServiceSeed
from sandbox.testing import verbs
from sandbox.testing.backend import Backend, Credentials, Verb
from sandbox.testing.tenant.ownership import Ownership, TenantJournal, TenantRecorder

if TYPE_CHECKING:
    from sandbox.platform.flows.model import Hook
    from sandbox.state.sandbox import Sandbox

T = TypeVar("T")

_CLIENT_NAME: Final = "Test"


class Tenant:
    """A ``Backend`` that is part of another one: companies of seeds, or a copy of the parent's company.

    It performs verbs as their rows say for isolated companies. ``shared`` is whether others use the sandbox at the same
    time: then a verb that would disturb them raises ``SharedSandboxError``.
    """

    def __init__(self, parent: Backend, seeds: Sequence[CompanySeed] = (), *, shared: bool = True) -> None:
        self._seeds = seeds or [_copy_of(parent.company, parent)]
        self._source = None if seeds else parent.company
        # A part of a part is a part of the whole.
        self.parent: Backend = parent.parent if isinstance(parent, Tenant) else parent
        self.place = parent.place
        self._shared = shared
        self._create_companies()

    def _create_companies(self) -> None:
        parent, since = self.parent, self.parent.journal.last_seq
        taken = [company.slug for company in parent.do(verbs.companies())]
        # Where others may add companies at any time, the sandbox makes up a slug that is free.
        seeds = [replace(seed, slug=None) if self._shared or seed.slug in taken else seed for seed in self._seeds]
        loaded = [_create(seed, parent) for seed in seeds]
        if self._source is not None:  # the sandbox copies flows: the keys of their HMACs do not leave it
            source = self._source if self._source in taken else parent.company
            for flow in parent.do(verbs.flows()):
                if flow.company == source:
                    parent.do(verbs.copy_flow(flow.id, loaded[0][0]))
        self.known_credentials = [Credentials(new.client.id, new.secret) for _, clients in loaded for new in clients]
        client_ids = tuple(client.client_id for client in self.known_credentials)
        self._own = Ownership(tuple(slug for slug, _ in loaded), client_ids, since)

    @property
    def sandbox(self) -> Sandbox:
        return self.parent.sandbox

    @property
    def company(self) -> str:
        return self._own.companies[0]

    @property
    def credentials(self) -> Credentials:
        self._own.first_client()
        return self.known_credentials[0]

    @property
    def journal(self) -> EntrySource:
        return TenantJournal(self.parent.journal, self._own)

    @property
    def recorder(self) -> JournalRecorder:
        return TenantRecorder(self, self.parent.recorder, self._own)

    def do(self, verb: Verb[T]) -> T:
        """Perform a verb as its row says; raise ``SharedSandboxError``, or ``NotFoundError`` for a thing of others."""
        if verb.owned is not None:
            verb.owned(self.parent, self._own)
        if callable(verb.isolated):
            return verb.isolated(self.parent, self._own)
        if verb.empties_journal and self._shared:
            gone = self.journal.count(EVERY_ENTRY)
            self._own = replace(self._own, since=self.parent.journal.last_seq, cleared=True)
            return verb.read({"deleted": gone})
        if verb.isolated and self._shared:
            raise SharedSandboxError(
                f"{verb.isolated} would disturb the other tests that use this sandbox; use revoke_tokens() to have "
                "tokens refused and faults for the rest, or run this test without isolate"
            )
        value = self.parent.do(verb)
        if isinstance(value, NewOAuthClient):
            self.known_credentials.append(Credentials(value.client.id, value.secret))
            self._own = replace(self._own, client_ids=(*self._own.client_ids, value.client.id))
        if verb.kept_clients is not None:
            kept = verb.kept_clients(value)
            if not kept or any(client_id not in kept for client_id in self._own.client_ids):
                self._create_companies()
        return value


def _create(seed: CompanySeed, backend: Backend) -> tuple[str, list[NewOAuthClient]]:
    """Create a company of its seed, with new ids and secrets of OAuth clients; return its slug and these clients."""
    do, clients = backend.do, []
    slug = do(verbs.add_company(seed.name, seed.slug)).slug
    for given in seed.connectors:
        connector = do(verbs.add_connector(slug, given.name, given.environment))
        for entity in given.entities:
            schema = None if entity.json_schema is None else dict(entity.json_schema)
            do(verbs.add_entity(connector.id, entity.type, entity.name, entity.sample, schema))
        clients += [do(verbs.add_client(connector.id, client.name)) for client in given.oauth_clients]
        for service in given.services:
            names = (slug, connector.id, service.entity, service.vanity_url)
            do(verbs.add_service(*names, active=service.active, options=service.options))
    for flow in seed.flows:  # with new ids of versions, webhooks and callbacks
        hooks = {name: list(map(_new, getattr(flow, name))) for name in ("webhooks", "callbacks")}
        deployed = flow.deployed is not False
        do(verbs.add_flow(slug, {"name": flow.name, "enabled": flow.enabled, "deployed": deployed, **hooks}))
    return slug, clients


def _new(hook: Hook) -> dict[str, Any]:
    """Return a webhook or callback without its id and signature; a part that is not given is left out."""
    parts = to_builtins(hook)
    return {name: value for name, value in parts.items() if value is not None and name not in ("id", "signature")}


def _copy_of(slug: str, backend: Backend) -> CompanySeed:
    """Return a seed that makes another company like this one without its flows, with an OAuth client a connector."""
    name = next((company.name for company in backend.do(verbs.companies()) if company.slug == slug), slug)
    services = [service for service in backend.do(verbs.services()) if service.company == slug]
    connectors = [
        ConnectorSeed(
            name=connector.name,
            environment=connector.environment,
            entities=tuple(
                EntitySeed(entity.type, entity.name, entity.sample, None if entity.inferred else entity.json_schema)
                for entity in backend.do(verbs.entities(connector.id))
            ),
            oauth_clients=(ClientSeed(_CLIENT_NAME),),
            services=tuple(
                ServiceSeed(service.vanity_url, service.entity, service.active, service.options)
                for service in services
                if service.connector_id == connector.id
            ),
        )
        for connector in backend.do(verbs.connectors())
        if connector.company == slug
    ]
    return CompanySeed(name, None, tuple(connectors))
