"""Seeds for tenants: a copy of a company that is there, or a seed made fit to stand beside others."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sandbox.state.seed import ClientSeed, CompanySeed, ConnectorSeed, EntitySeed, ServiceSeed
from sandbox.testing.backend import Directory

CLIENT_NAME: Final = "Test"


def copy_of(slug: str, directory: Directory) -> CompanySeed:
    """Return a seed that makes another company like this one, with one OAuth client for each connector."""
    name = next((company.name for company in directory.companies() if company.slug == slug), slug)
    services = [service for service in directory.services() if service.company == slug]
    connectors = [
        ConnectorSeed(
            name=connector.name,
            environment=connector.environment,
            entities=tuple(
                EntitySeed(entity.type, entity.name, entity.sample, None if entity.inferred else entity.json_schema)
                for entity in directory.entities(connector.id)
            ),
            oauth_clients=(ClientSeed(CLIENT_NAME),),
            services=tuple(
                ServiceSeed(service.vanity_url, service.entity, service.active)
                for service in services
                if service.connector_id == connector.id
            ),
        )
        for connector in directory.connectors()
        if connector.company == slug
    ]
    return CompanySeed(name, None, tuple(connectors))


def beside_others(seed: CompanySeed, taken: frozenset[str] | None) -> CompanySeed:
    """Return a seed without what can be there only once: ids and secrets of clients, and a slug that may be taken.

    ``taken`` are the slugs there are; ``None`` where others may add companies at any time.
    """
    slug = None if taken is None or seed.slug in taken else seed.slug
    connectors = tuple(
        replace(connector, oauth_clients=tuple(ClientSeed(client.name) for client in connector.oauth_clients))
        for connector in seed.connectors
    )
    return replace(seed, slug=slug, connectors=connectors)
