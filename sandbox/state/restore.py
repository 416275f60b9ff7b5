"""Restoring a saved state: the checks that it must pass, and the secrets of its OAuth clients.

``restore`` works on a platform that does not serve yet, so a state that is refused halfway leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from sandbox.foundation.errors import InvalidValueError, SettingError, did_you_mean
from sandbox.foundation.rng import Rng
from sandbox.foundation.settings import kept_settings
from sandbox.platform.model import OAuthClient, StoreSnapshot, recognised_by
from sandbox.platform.names import checked_client_id, checked_slug, checked_vanity_url
from sandbox.platform.oauth_clients import NewOAuthClient
from sandbox.platform.platform import Platform
from sandbox.platform.store import Store

if TYPE_CHECKING:
    from sandbox.platform.flows.model import FlowsSnapshot
    from sandbox.platform.snapshot import PlatformSnapshot

Origin = Literal["saved", "kept", "new"]


@dataclass(frozen=True, slots=True)
class LoadedClient:
    """An OAuth client of a loaded state.

    ``secret`` is the origin of its secret: ``saved`` in the state; ``kept``, the secret that the client with this id
    had here before; ``new``, made now and shown in ``client_secret``, the only time.
    """

    client_id: str
    name: str
    secret: Origin
    client_secret: str | None = field(default=None, repr=False)


def restore(
    platform: Platform, snapshot: PlatformSnapshot, store: Store, known: Mapping[str, NewOAuthClient]
) -> tuple[list[LoadedClient], dict[str, NewOAuthClient]]:
    """Fill a fresh platform from a snapshot; return its clients, and those with a known secret by id.

    A client without a secret gets the secret of the client with its id in ``store`` or in ``known``, else a new one.
    Raise ``InvalidValueError``.
    """
    _check_references(snapshot.store)
    if snapshot.flows is not None:
        _check_flows(snapshot.flows, [company.slug for company in snapshot.store.companies])
    _check_once("platform.tokens", "jti", [token.jti for token in snapshot.tokens])
    _check_once("platform.tokens", "fingerprint", [token.fingerprint for token in snapshot.tokens])
    _check_once("platform.faults.rules", "id", [rule.id for rule in snapshot.faults.rules])
    allowed = kept_settings(platform.settings)
    for name in snapshot.settings:
        if name not in allowed:
            hint = f"a known setting; {did_you_mean(name, allowed)}"
            raise InvalidValueError(f"platform.settings.{name}", snapshot.settings[name], hint)
    try:
        platform.use(platform.settings.changed(snapshot.settings, runtime=True))
    except SettingError as error:
        raise error.at(f"platform.settings.{error.field}") from None
    with_secrets = [_with_secret(client, store, known) for client in snapshot.store.clients]
    clients = tuple(client for client, _ in with_secrets)
    platform.restore(replace(snapshot, store=replace(snapshot.store, clients=clients)), store)
    loaded = [outcome for _, outcome in with_secrets]
    return loaded, _known_credentials(platform.store, known, loaded)


def _with_secret(
    client: OAuthClient, store: Store, known: Mapping[str, NewOAuthClient]
) -> tuple[OAuthClient, LoadedClient]:
    if client.secret is not None:
        return client, LoadedClient(client.id, client.name, "saved")
    here = store.find_client(client.id) or (known[client.id].client if client.id in known else None)
    if here is not None:
        return replace(client, secret=here.secret), LoadedClient(client.id, client.name, "kept")
    rng = Rng()
    plain = rng.secret()
    return replace(client, secret=recognised_by(plain, rng)), LoadedClient(client.id, client.name, "new", plain)


def _known_credentials(
    store: Store, known: Mapping[str, NewOAuthClient], loaded: Iterable[LoadedClient]
) -> dict[str, NewOAuthClient]:
    plain = {client_id: new.secret for client_id, new in known.items()}
    plain |= {client.client_id: client.client_secret for client in loaded if client.client_secret is not None}
    return {
        client_id: NewOAuthClient(client, secret)
        for client_id, secret in plain.items()
        if (client := store.find_client(client_id)) is not None and store.secret_matches(client, secret)
    }


# --- consistency ------------------------------------------------------------------------------------------------------


def _check_references(store: StoreSnapshot) -> None:
    """Raise ``InvalidValueError`` where a table has a bad name or an item twice, or refers to a missing item."""
    for at, company in enumerate(store.companies):
        checked_slug(f"platform.store.companies[{at}].slug", company.slug)
    for at, service in enumerate(store.services):
        checked_vanity_url(f"platform.store.services[{at}].vanity_url", service.vanity_url)
    for at, client in enumerate(store.clients):
        checked_client_id(f"platform.store.clients[{at}].id", client.id)
    _check_once("platform.store.companies", "slug", [company.slug for company in store.companies])
    for table in ("connectors", "entities", "clients", "services"):
        _check_once(f"platform.store.{table}", "id", [row.id for row in getattr(store, table)])
    companies = {company.slug for company in store.companies}
    connectors = {connector.id: connector.company for connector in store.connectors}
    entities = [(entity.connector_id, entity.name) for entity in store.entities]
    _check_once("platform.store.entities", "name", entities)
    _check_once("platform.store.services", "vanity_url", [(row.company, row.vanity_url) for row in store.services])
    for table in ("connectors", "services"):
        for at, row in enumerate(getattr(store, table)):
            _check_one_of(f"platform.store.{table}[{at}].company", row.company, companies)
    for table in ("entities", "clients", "services"):
        for at, row in enumerate(getattr(store, table)):
            _check_one_of(f"platform.store.{table}[{at}].connector_id", row.connector_id, connectors)
    for at, service in enumerate(store.services):
        where = f"platform.store.services[{at}]"
        _check_one_of(f"{where}.company", service.company, [connectors[service.connector_id]])
        known = [name for connector_id, name in entities if connector_id == service.connector_id]
        _check_one_of(f"{where}.entity", service.entity, known)
    for kind, rows in (("connector", store.connectors), ("entity", store.entities), ("service", store.services)):
        _check_last_id(f"platform.store.last_ids.{kind}", getattr(store.last_ids, kind), [row.id for row in rows])


def _check_flows(flows: FlowsSnapshot, companies: Iterable[str]) -> None:
    """Raise ``InvalidValueError`` where flows, keys or users have an id twice, or refer to a missing item."""
    for table in ("flows", "api_keys", "users"):
        rows = getattr(flows, table)
        _check_once(f"platform.flows.{table}", "id", [row.id for row in rows])
        for at, row in enumerate(rows):
            _check_one_of(f"platform.flows.{table}[{at}].company", row.company, companies)
    versions = [version for flow in flows.flows for version in flow.versions]
    _check_once("platform.flows.flows.versions", "id", versions)
    _check_once("platform.flows.flows.webhooks", "id", [hook.id for flow in flows.flows for hook in flow.hooks])
    for at, flow in enumerate(flows.flows):
        for name in ("webhooks", "callbacks"):
            for number, hook in enumerate(getattr(flow, name)):
                if hook.id is None:  # a seed may leave it out
                    where = f"platform.flows.flows[{at}].{name}[{number}].id"
                    raise InvalidValueError(where, None, "a value; it must be given")
        if flow.deployed is not None:
            _check_one_of(f"platform.flows.flows[{at}].deployed", flow.deployed, flow.versions)
    _check_last_id("platform.flows.last_ids.version", flows.last_ids.version, versions)
    for kind, rows in (("flow", flows.flows), ("api_key", flows.api_keys), ("user", flows.users)):
        _check_last_id(f"platform.flows.last_ids.{kind}", getattr(flows.last_ids, kind), [row.id for row in rows])


def _check_once(where: str, key: str, values: Iterable[object]) -> None:
    seen = set()
    for at, value in enumerate(values):
        if value in seen:
            raise InvalidValueError(f"{where}[{at}].{key}", value, "one that is there only once")
        seen.add(value)


def _check_last_id(where: str, last: int, numbers: Iterable[int]) -> None:
    highest = max(numbers, default=0)
    if last < highest:
        raise InvalidValueError(where, last, f"at least {highest}, the highest in use")


def _check_one_of(where: str, value: object, known: Iterable[object]) -> None:
    names = list(known)
    if value not in names:
        raise InvalidValueError(where, value, f"one that is in the state: {', '.join(map(str, names[:20])) or 'none'}")
