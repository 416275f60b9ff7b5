"""The OAuth clients, entities and services of a company, as a test adds, changes and deletes them by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sandbox.foundation.errors import NotFoundError
from sandbox.platform.model import Connector, Entity, OAuthClient, Service
from sandbox.testing import verbs
from sandbox.testing.backend import Backend, Credentials, Verb

if TYPE_CHECKING:
    from sandbox.foundation.json_value import JsonValue
    from sandbox.platform.flows.model import ApiKey, Flow  # noqa: F401 - the base class of `ApiKeys` names it

T = TypeVar("T")


class _Part(Generic[T]):
    """The things of one kind in a company; where a connector is not named, the company's first one is meant."""

    _kind: str
    _listed: Callable[..., Verb[list[Any]]]
    """The verb that lists them: those of all companies, or those of a connector."""
    _of_connectors = False
    _name: Callable[[Any], str] = attrgetter("name")

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._do = backend.do

    def __iter__(self) -> Iterator[T]:
        if self._of_connectors:
            return iter([thing for known in self._connectors() for thing in self._do(self._listed(known.id))])
        slug = self._backend.company
        return iter([thing for thing in self._do(self._listed()) if thing.company == slug])

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(map(self._name, self)) or 'none'}>"

    def _get(self, name: str) -> T:
        return named(self._kind, name, {self._name(thing): thing for thing in self})

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


class OAuthClients(_Part[OAuthClient]):
    """The OAuth clients of a company; iterating over them gives the oldest first."""

    _kind, _listed, _of_connectors = "OAuth client", staticmethod(verbs.clients), True

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._added: dict[str, Credentials] = {}

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
        return next((client for client in self if client.id == name), None) or super()._get(name)


class Entities(_Part[Entity]):
    """The entities of a company's connectors, against which payloads are checked."""

    _kind, _listed, _of_connectors = "entity", staticmethod(verbs.entities), True

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
        entity = self._get(name)
        return self._do(verbs.change_entity(entity.connector_id, entity.id, json_schema))


class Services(_Part[Service]):
    """The services of a company: its inbound URLs."""

    _kind, _listed, _name = "service", staticmethod(verbs.services), attrgetter("vanity_url")

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


class Flows(_Part["Flow"]):
    """The process flows of a company."""

    _kind, _listed = "flow", staticmethod(verbs.flows)

    def add(self, name: str, **parts: object) -> Flow:
        """Add a flow as a seed has it: ``add("Orders in", webhooks=[{}], callbacks=[{"returns": [1]}])``."""
        return self._do(verbs.add_flow(self._backend.company, {"name": name, **parts}))

    def delete(self, name: str) -> None:
        """Delete a flow with its webhooks and callbacks. Raise ``NotFoundError``."""
        self._do(verbs.delete_flow(self._get(name).id))


class ApiKeys(_Part["ApiKey"]):
    """The API keys of a company."""

    _kind, _listed = "API key", staticmethod(verbs.api_keys)

    def add(self, name: str) -> str:
        """Add an API key and return its text, which the sandbox shows once."""
        return self._do(verbs.add_api_key(self._backend.company, name)).secret

    def revoke(self, name: str) -> None:
        """Revoke an API key; requests with it are refused. Raise ``NotFoundError``."""
        self._do(verbs.revoke_api_key(self._get(name).id))

    def delete(self, name: str) -> None:
        """Delete an API key. Raise ``NotFoundError``."""
        self._do(verbs.delete_api_key(self._get(name).id))
