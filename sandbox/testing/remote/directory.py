"""Companies, connectors, entities, OAuth clients and services of a sandbox behind a URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.json_value import JsonValue
from sandbox.platform.model import Company, Connector, Entity, Service
from sandbox.platform.store import NewOAuthClient
from sandbox.testing.remote.control_api import ControlApi
from sandbox.testing.remote.reading import read_company, read_connector, read_entity, read_new_client, read_service


@dataclass(frozen=True)
class RemoteDirectory:
    """A ``Directory`` that asks a control API."""

    api: ControlApi

    def companies(self) -> list[Company]:
        """Return all companies, oldest first."""
        return [read_company(given) for given in self.api.get("/companies")]

    def connectors(self) -> list[Connector]:
        """Return all connectors, oldest first."""
        return [read_connector(given) for given in self.api.get("/connectors")]

    def entities(self, connector_id: int) -> list[Entity]:
        """Return the entities of a connector, oldest first."""
        return [read_entity(given) for given in self.api.get(f"/connectors/{connector_id}/entities")]

    def services(self) -> list[Service]:
        """Return all services, oldest first."""
        return [read_service(given) for given in self.api.get("/services")]

    def add_company(self, name: str, slug: str | None = None) -> Company:
        """Add a company; its slug is made from the name unless given."""
        body = {"name": name} if slug is None else {"name": name, "slug": slug}
        return read_company(self.api.call("POST", "/companies", body))

    def add_connector(self, company: str, name: str, environment: str = "test") -> Connector:
        """Add a connector to a company."""
        body = {"company": company, "name": name, "environment": environment}
        return read_connector(self.api.call("POST", "/connectors", body))

    def add_entity(
        self,
        connector_id: int,
        type: str,
        name: str,
        sample: JsonValue = None,
        json_schema: dict[str, Any] | None = None,
    ) -> Entity:
        """Add an entity to a connector."""
        body = {"type": type, "name": name, "sample": sample, "json_schema": json_schema}
        return read_entity(self.api.call("POST", f"/connectors/{connector_id}/entities", body))

    def add_client(
        self, connector_id: int, name: str, client_id: str | None = None, secret: str | None = None
    ) -> NewOAuthClient:
        """Add an OAuth client to a connector; its id and secret are made there."""
        for field, given in (("client_id", client_id), ("client_secret", secret)):
            if given is not None:
                raise InvalidValueError(field, "(given)", "nothing: a running sandbox makes it")
        answer = self.api.call("POST", f"/connectors/{connector_id}/oauth-clients", {"name": name})
        return read_new_client(answer, connector_id)

    def add_service(
        self, company: str, connector_id: int, entity: str, vanity_url: str, *, active: bool = True
    ) -> Service:
        """Add a service to a company."""
        body = {
            "company": company,
            "connector_id": connector_id,
            "entity": entity,
            "vanity_url": vanity_url,
            "active": active,
        }
        return read_service(self.api.call("POST", "/services", body))
