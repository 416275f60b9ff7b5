"""Seeds for tenants: a copy of a company that is there, or a seed made fit to stand beside others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.json_value import JsonValue
from sandbox.platform.model import Company, Connector, Entity, Service
from sandbox.platform.store import NewOAuthClient
from sandbox.state.seed import ClientSeed, CompanySeed, ConnectorSeed, EntitySeed, ServiceSeed
from sandbox.testing import verbs
from sandbox.testing.backend import Backend

_CLIENT_NAME: Final = "Test"


@dataclass(frozen=True)
class CompanyTarget:
    """A ``SeedTarget``: creates what a company's seed describes by verbs."""

    backend: Backend

    def add_company(self, name: str, slug: str | None = None) -> Company:
        """Add a company; its slug is made from the name unless given."""
        return self.backend.do(verbs.add_company(name, slug))

    def add_connector(self, company: str, name: str, environment: str = "test") -> Connector:
        """Add a connector to a company."""
        return self.backend.do(verbs.add_connector(company, name, environment))

    def add_entity(
        self,
        connector_id: int,
        type: str,
        name: str,
        sample: JsonValue = None,
        json_schema: dict[str, Any] | None = None,
    ) -> Entity:
        """Add an entity to a connector."""
        return self.backend.do(verbs.add_entity(connector_id, type, name, sample, json_schema))

    def add_client(
        self, connector_id: int, name: str, client_id: str | None = None, secret: str | None = None
    ) -> NewOAuthClient:
        """Add an OAuth client to a connector; raise ``InvalidValueError`` when its id or secret is given."""
        for field, given in (("client_id", client_id), ("client_secret", secret)):
            if given is not None:
                raise InvalidValueError(field, "(given)", "nothing: a running sandbox makes it")
        return self.backend.do(verbs.add_client(connector_id, name))

    def add_service(
        self, company: str, connector_id: int, entity: str, vanity_url: str, *, active: bool = True
    ) -> Service:
        """Add a service to a company."""
        return self.backend.do(verbs.add_service(company, connector_id, entity, vanity_url, active=active))


def copy_of(slug: str, backend: Backend) -> CompanySeed:
    """Return a seed that makes another company like this one, with one OAuth client for each connector."""
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
                ServiceSeed(service.vanity_url, service.entity, service.active)
                for service in services
                if service.connector_id == connector.id
            ),
        )
        for connector in backend.do(verbs.connectors())
        if connector.company == slug
    ]
    return CompanySeed(name, None, tuple(connectors))


def beside_others(seed: CompanySeed, taken: frozenset[str] | None) -> CompanySeed:
    """Return a seed without ids and secrets of clients, and without a slug that may be taken.

    ``taken`` are the slugs there are; ``None`` where others may add companies at any time.
    """
    slug = None if taken is None or seed.slug in taken else seed.slug
    connectors = tuple(
        replace(connector, oauth_clients=tuple(ClientSeed(client.name) for client in connector.oauth_clients))
        for connector in seed.connectors
    )
    return replace(seed, slug=slug, connectors=connectors)
