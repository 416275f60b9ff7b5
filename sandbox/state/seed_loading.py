"""Seed loading: creates what a seed describes, in a store of this process or through a control API."""

from __future__ import annotations

from typing import Any, Protocol

from sandbox.faults.presets import find_preset
from sandbox.faults.rules import FaultRule
from sandbox.foundation.errors import InputError, SeedError
from sandbox.foundation.json_value import JsonValue
from sandbox.platform.model import Company, Connector, Entity, Service
from sandbox.platform.store import NewOAuthClient
from sandbox.state.seed import CompanySeed, PresetSeed, Seed


class SeedTarget(Protocol):
    """Where a seed can be loaded; a ``Store`` is one."""

    def add_company(self, name: str, slug: str | None = None) -> Company:
        """Add a company; its slug is made from the name unless given."""
        ...

    def add_connector(self, company: str, name: str, environment: str = "test") -> Connector:
        """Add a connector to a company."""
        ...

    def add_entity(
        self,
        connector_id: int,
        type: str,
        name: str,
        sample: JsonValue = None,
        json_schema: dict[str, Any] | None = None,
    ) -> Entity:
        """Add an entity to a connector."""
        ...

    def add_client(
        self, connector_id: int, name: str, client_id: str | None = None, secret: str | None = None
    ) -> NewOAuthClient:
        """Add an OAuth client to a connector."""
        ...

    def add_service(
        self, company: str, connector_id: int, entity: str, vanity_url: str, *, active: bool = True
    ) -> Service:
        """Add a service to a company."""
        ...


def load(seed: Seed, target: SeedTarget) -> dict[str, NewOAuthClient]:
    """Create what a seed describes; return its OAuth clients by id, with their secrets."""
    credentials: dict[str, NewOAuthClient] = {}
    for company in seed.companies:
        _, clients = load_company(company, target)
        credentials.update((new.client.id, new) for new in clients)
    return credentials


def load_company(seed: CompanySeed, target: SeedTarget) -> tuple[Company, list[NewOAuthClient]]:
    """Create one company of a seed; return it and its OAuth clients."""
    company = target.add_company(seed.name, seed.slug)
    clients: list[NewOAuthClient] = []
    for connector_seed in seed.connectors:
        connector = target.add_connector(company.slug, connector_seed.name, connector_seed.environment)
        for entity in connector_seed.entities:
            schema = None if entity.json_schema is None else dict(entity.json_schema)
            target.add_entity(connector.id, entity.type, entity.name, entity.sample, schema)
        clients += [
            target.add_client(connector.id, client.name, client.client_id, client.client_secret)
            for client in connector_seed.oauth_clients
        ]
        for service in connector_seed.services:
            target.add_service(company.slug, connector.id, service.entity, service.vanity_url, active=service.active)
    return company, clients


def seeded_rules(seed: Seed, presets_dir: str | None) -> list[FaultRule]:
    """Return the fault rules of a seed, those of its presets among them; raise ``SeedError``."""
    rules: list[FaultRule] = []
    for item in seed.faults:
        rules += _rules_of(item, presets_dir) if isinstance(item, PresetSeed) else [item]
    return rules


def _rules_of(preset: PresetSeed, presets_dir: str | None) -> list[FaultRule]:
    try:
        return find_preset(preset.name, presets_dir).narrowed(preset.match)
    except InputError as error:
        if preset.place is None:
            raise
        raise SeedError(*preset.place.problem(str(error))) from None
