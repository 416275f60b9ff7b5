"""Seed loading: creates in a store what a seed describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from msgspec.structs import replace as replace_struct

from sandbox.faults.presets import find_preset
from sandbox.faults.rules import FaultRule
from sandbox.foundation.errors import InputError, SeedError
from sandbox.platform.model import Company
from sandbox.platform.oauth_clients import NewOAuthClient
from sandbox.platform.store import Store
from sandbox.state.seed.parts import ClientSeed, CompanySeed, ConnectorSeed, PresetSeed, Seed


class Loaded(NamedTuple):
    """A seed in a store: with every slug, id and secret that was generated, and its OAuth clients by id."""

    seed: Seed
    clients: dict[str, NewOAuthClient]


def load(seed: Seed, store: Store) -> Loaded:
    """Create what a seed describes, or change what the store has under the same names."""
    created: list[NewOAuthClient] = []
    known = store.companies()
    companies = tuple(_load_company(company, store, known, created) for company in seed.companies)
    return Loaded(replace(seed, companies=companies), {new.client.id: new for new in created})


def _load_company(given: CompanySeed, store: Store, known: list[Company], created: list[NewOAuthClient]) -> CompanySeed:
    by_name = {company.name: company.slug for company in reversed(known)}
    if given.slug is None:
        slug = by_name.get(given.name.strip())
    else:
        slug = next((company.slug for company in known if company.slug == given.slug), None)
    slug = slug or store.add_company(given.name, given.slug).slug
    connectors = tuple(_load_connector(slug, connector, store, created) for connector in given.connectors)
    completed = replace(given, slug=slug, connectors=connectors)
    return _load_flows(slug, completed, store) if given.flows or given.api_keys or given.users else completed


def _load_flows(slug: str, given: CompanySeed, store: Store) -> CompanySeed:
    """Create process flows, API keys and users; return the company with every id and secret that was generated."""
    made = store.flows
    flows = [(seed, made.add_flow(slug, seed, replacing=True)) for seed in given.flows]
    for user in given.users:
        made.put_user(slug, user)
    keys = [(seed, made.add_api_key(slug, seed, replacing=True)) for seed in given.api_keys]
    return replace(
        given,
        flows=tuple(replace_struct(seed, webhooks=flow.webhooks, callbacks=flow.callbacks) for seed, flow in flows),
        api_keys=tuple(replace_struct(seed, key=new.secret) for seed, new in keys),
    )


def _load_connector(slug: str, given: ConnectorSeed, store: Store, created: list[NewOAuthClient]) -> ConnectorSeed:
    connector = store.add_connector(slug, given.name, given.environment, replacing=True)
    for entity in given.entities:
        schema = None if entity.json_schema is None else dict(entity.json_schema)
        store.add_entity(connector.id, entity.type, entity.name, entity.sample, schema, replacing=True)
    wanted = [(client.name, client.client_id, client.client_secret) for client in given.oauth_clients]
    made = store.put_clients(connector.id, wanted)
    created += made
    for service in given.services:
        names = (slug, connector.id, service.entity, service.vanity_url)
        store.add_service(*names, active=service.active, options=service.options, replacing=True)
    clients = tuple(ClientSeed(new.client.name, new.client.id, new.secret) for new in made)
    return replace(given, oauth_clients=clients)


def completed(addition: Seed, loaded: Seed) -> Seed:
    """Return an addition with the slugs, ids and secrets that its companies and clients have in a loaded seed."""
    by_slug = {company.slug: company for company in loaded.companies}
    by_name = {company.name: company for company in reversed(loaded.companies)}
    companies = []
    for part in addition.companies:
        company = by_slug.get(part.slug) if part.slug else by_name.get(part.name)
        if company is not None:
            known = {each.name: {client.name: client for client in each.oauth_clients} for each in company.connectors}
            connectors = [
                replace(each, oauth_clients=tuple(_completed(c, known.get(each.name, {})) for c in each.oauth_clients))
                for each in part.connectors
            ]
            keys = {key.name: key for key in company.api_keys}
            api_keys = tuple(key if key.key else keys.get(key.name, key) for key in part.api_keys)
            part = replace(part, slug=company.slug, connectors=tuple(connectors), api_keys=api_keys)  # noqa: PLW2901
        companies.append(part)
    return replace(addition, companies=tuple(companies))


def _completed(client: ClientSeed, known: Mapping[str, ClientSeed]) -> ClientSeed:
    found = known.get(client.name, client)
    return ClientSeed(client.name, client.client_id or found.client_id, client.client_secret or found.client_secret)


def seeded_rules(seed: Seed, presets_dir: str | None) -> list[FaultRule]:
    """Return the fault rules of a seed, those of its presets among them; raise ``SeedError``."""
    rules: list[FaultRule] = []
    for item in seed.faults:
        if not isinstance(item, PresetSeed):
            rules.append(item)
            continue
        try:
            rules += find_preset(item.name, presets_dir).narrowed(item.match)
        except InputError as error:
            if item.place is None:
                raise
            raise SeedError(*item.place.problem(str(error))) from None
    return rules
