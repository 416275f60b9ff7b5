"""The OAuth clients, entities and services of a company, as a test adds, changes and deletes them by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.foundation.errors import NotFoundError
from sandbox.platform.model import Connector, Entity, OAuthClient, Service
from sandbox.testing import verbs
from sandbox.testing.backend import Backend, Credentials

if TYPE_CHECKING:
    from sandbox.foundation.json_value import JsonValue
    from sandbox.platform.flows.model import ApiKey, Flow

T = TypeVar("T")


class _Part:
    """A part of a company; where a connector is not named, the company's first one is meant."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._do = backend.do

    def _connectors(self) -> list[Connector]:
        slug = self._backend.company
        return [connector for connector in self._do(verbs.connectors()) if connector.company == slug]

    def _connector(self, name: str | None) -> Connector:
        connectors = self._connectors()
        if name is not None:
            return named("connector", name, {connector.name: connector for connector in connectors})
        if not connectors:
            raise NotFoundError(f"connector of company {self._backend.company}")
        return connectors[0]


def named(kind: str, name: str, known: Mapping[str, T]) -> T:
    """Return the thing of a name; raise ``NotFoundError``, which lists the names."""
    if name not in known:
        raise NotFoundError(kind, name, known, named=True)
    return known[name]


class OAuthClients(_Part):
    """The OAuth clients of a company; iterating over them gives the oldest first."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._added: dict[str, Credentials] = {}

    def __iter__(self) -> Iterator[OAuthClient]:
        return iter([client for known in self._connectors() for client in self._do(verbs.clients(known.id))])

    def __repr__(self) -> str:
        return f"<OAuthClients: {_listed(client.name for client in self)}>"

    def add(self, name: str, connector: str | None = None) -> Credentials:
        """Add an OAuth client and return its id and its secret, which the sandbox shows once."""
        new = self._do(verbs.add_client(self._connector(connector).id, name))
        self._added[new.client.id] = Credentials(new.client.id, new.secret)
        return self._added[new.client.id]

    def delete(self, name: str) -> None:
        """Delete an OAuth client, given by its name or its id; its tokens stop working. Raise ``NotFoundError``."""
        client = self._get(name)
        self._do(verbs.delete_client(client.connector_id, client.id, client.name))

    def credentials(self, name: str) -> Credentials:
        """Return id and secret of an OAuth client, given by its name or its id.

        The secrets of clients of the seed are known here, and of clients that this handle has added; behind a URL only
        the latter. Raise ``NotFoundError``.
        """
        client = self._get(name)
        known = {each.client_id: each for each in (*self._backend.known_credentials, *self._added.values())}
        if client.id not in known:
            raise NotFoundError(
                f"secret of OAuth client {client.name!r} here: a sandbox shows it once, when it makes the client; "
                f"oauth_clients.add({client.name!r}) makes another one"
            )
        return known[client.id]

    def _get(self, name: str) -> OAuthClient:
        clients = list(self)
        by_id = {client.id: client for client in clients}
        return by_id[name] if name in by_id else named("OAuth client", name, {each.name: each for each in clients})


class Entities(_Part):
    """The entities of a company's connectors, against which payloads are checked."""

    def __iter__(self) -> Iterator[Entity]:
        return iter([entity for known in self._connectors() for entity in self._do(verbs.entities(known.id))])

    def __repr__(self) -> str:
        return f"<Entities: {_listed(entity.name for entity in self)}>"

    def add(
        self,
        name: str,
        sample: JsonValue = None,
        *,
        type: str | None = None,
        json_schema: dict[str, Any] | None = None,
        connector: str | None = None,
    ) -> Entity:
        """Add an entity: free-form, or as a sample payload or a JSON Schema describes it.

        ``type`` is its name if left out.
        """
        return self._do(verbs.add_entity(self._connector(connector).id, type or name, name, sample, json_schema))

    def set_schema(self, name: str, json_schema: dict[str, Any] | None) -> Entity:
        """Replace the JSON Schema of an entity, or return to the one that follows from its sample (``None``)."""
        entity = named("entity", name, {each.name: each for each in self})
        return self._do(verbs.change_entity(entity.connector_id, entity.id, json_schema))


class Services(_Part):
    """The services of a company: its inbound URLs."""

    def __iter__(self) -> Iterator[Service]:
        slug = self._backend.company
        return iter([service for service in self._do(verbs.services()) if service.company == slug])

    def __repr__(self) -> str:
        return f"<Services: {_listed(service.vanity_url for service in self)}>"

    def add(self, vanity_url: str, entity: str, *, connector: str | None = None, active: bool = True) -> Service:
        """Add a service that takes payloads of an entity of the connector at a vanity URL."""
        found = self._connector(connector)
        return self._do(verbs.add_service(found.company, found.id, entity, vanity_url, active=active))

    def activate(self, vanity_url: str) -> Service:
        """Activate a service; raise ``NotFoundError``."""
        return self._do(verbs.change_service(self._get(vanity_url).id, {"active": True}))

    def deactivate(self, vanity_url: str) -> Service:
        """Deactivate a service: its URL answers as the setting ``inactive_service`` says. Raise ``NotFoundError``."""
        return self._do(verbs.change_service(self._get(vanity_url).id, {"active": False}))

    def delete(self, vanity_url: str) -> None:
        """Delete a service; its inbound URL is free again. Raise ``NotFoundError``."""
        self._do(verbs.delete_service(self._get(vanity_url).id))

    def _get(self, vanity_url: str) -> Service:
        return named("service", vanity_url, {service.vanity_url: service for service in self})


class Flows(_Part):
    """The process flows of a company."""

    def __iter__(self) -> Iterator[Flow]:
        slug = self._backend.company
        return iter([flow for flow in self._do(verbs.flows()) if flow.company == slug])

    def __repr__(self) -> str:
        return f"<Flows: {_listed(flow.name for flow in self)}>"

    def add(self, name: str, **parts: object) -> Flow:
        """Add a flow as a seed has it: ``add("Orders in", webhooks=[{}], callbacks=[{"returns": [1]}])``."""
        return self._do(verbs.add_flow(self._backend.company, {"name": name, **parts}))

    def delete(self, name: str) -> None:
        """Delete a flow with its webhooks and callbacks. Raise ``NotFoundError``."""
        self._do(verbs.delete_flow(named("flow", name, {flow.name: flow for flow in self}).id))


class ApiKeys(_Part):
    """The API keys of a company."""

    def __iter__(self) -> Iterator[ApiKey]:
        slug = self._backend.company
        return iter([key for key in self._do(verbs.api_keys()) if key.company == slug])

    def __repr__(self) -> str:
        return f"<ApiKeys: {_listed(key.name for key in self)}>"

    def add(self, name: str) -> str:
        """Add an API key and return its text, which the sandbox shows once."""
        return self._do(verbs.add_api_key(self._backend.company, name)).secret

    def revoke(self, name: str) -> None:
        """Revoke an API key; requests with it are refused. Raise ``NotFoundError``."""
        self._do(verbs.revoke_api_key(self._get(name).id))

    def delete(self, name: str) -> None:
        """Delete an API key. Raise ``NotFoundError``."""
        self._do(verbs.delete_api_key(self._get(name).id))

    def _get(self, name: str) -> ApiKey:
        return named("API key", name, {key.name: key for key in self})


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
