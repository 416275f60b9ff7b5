"""Seed loading: creates in a store what a seed describes."""

from __future__ import annotations

from sandbox.faults.presets import find_preset
from sandbox.faults.rules import FaultRule
from sandbox.foundation.errors import InputError, SeedError
from sandbox.platform.store import NewOAuthClient, Store
from sandbox.state.seed import PresetSeed, Seed


def load(seed: Seed, store: Store) -> dict[str, NewOAuthClient]:
    """Create what a seed describes; return its OAuth clients by id, with their secrets."""
    created: list[NewOAuthClient] = []
    for company in seed.companies:
        slug = store.add_company(company.name, company.slug).slug
        for given in company.connectors:
            connector = store.add_connector(slug, given.name, given.environment)
            for entity in given.entities:
                schema = None if entity.json_schema is None else dict(entity.json_schema)
                store.add_entity(connector.id, entity.type, entity.name, entity.sample, schema)
            created += [
                store.add_client(connector.id, client.name, client.client_id, client.client_secret)
                for client in given.oauth_clients
            ]
            for service in given.services:
                store.add_service(slug, connector.id, service.entity, service.vanity_url, active=service.active)
    return {new.client.id: new for new in created}


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
