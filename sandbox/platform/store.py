"""The emulated platform's data and its rules: what may be added, changed and deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.foundation.errors import ConflictError, InvalidValueError, NotFoundError, UnknownNameError
from sandbox.foundation.fields import fields_of
from sandbox.foundation.json_value import JsonValue
from sandbox.platform.entity_check import EntityCheck
from sandbox.platform.model import Company, Connector, Entity, EntitySnapshot, OAuthClient, Service, ServiceOptions
from sandbox.platform.names import checked_environment, checked_name, checked_slug, checked_vanity_url, slugify
from sandbox.platform.oauth_clients import OAuthClients
from sandbox.platform.tables import saved_entity


class Store(OAuthClients):
    """The companies, connectors, entities, OAuth clients and services of one emulated platform.

    Every method is safe to call from several threads.
    """

    # --- companies --------------------------------------------------------------------------------------------------

    def add_company(self, name: str, slug: str | None = None) -> Company:
        """Add a company; its slug is generated from the name unless given, and made unique by a number."""
        name = checked_name("name", name)
        with self._lock:
            if slug is None:
                slug = self._free_slug(slugify(name))
            elif checked_slug("slug", slug) in self._companies:
                raise ConflictError(f"company {slug!r} exists already; choose another slug")
            company = self._companies[slug] = Company(slug, name, self._now())
            return company

    def _free_slug(self, wanted: str) -> str:
        slug, number = wanted, 1
        while slug in self._companies:
            number += 1
            slug = f"{wanted}-{number}"
        return slug

    def companies(self) -> list[Company]:
        """Return all companies, oldest first."""
        return self._listed(self._companies)

    def company(self, slug: str) -> Company:
        """Return a company or raise ``NotFoundError``."""
        return self._get(self._companies, "company", slug)

    def has_company(self, slug: str) -> bool:
        """Return whether there is such a company."""
        return slug in self._companies

    # --- connectors -------------------------------------------------------------------------------------------------

    def add_connector(
        self, company: str, name: str, environment: str = "test", *, replacing: bool = False
    ) -> Connector:
        """Add an Inbound API connector (FACTS 1.2, 1.4).

        With ``replacing`` the company's first one with this name gets the environment instead, if there is one.
        """
        name, purpose = checked_name("name", name), checked_environment("environment", environment)
        with self._lock:
            self.company(company)
            of_that_name = (c for c in self._connectors.values() if (c.company, c.name) == (company, name))
            found = next(of_that_name, None) if replacing else None
            connector = (
                replace(found, environment=purpose)
                if found
                else Connector(self._next_id("connector"), company, name, purpose, self._now())
            )
            self._connectors[connector.id] = connector
            return connector

    def connectors(self) -> list[Connector]:
        """Return all connectors, oldest first."""
        return self._listed(self._connectors)

    def delete_connector(self, connector_id: int) -> list[OAuthClient]:
        """Delete a connector with its entities and clients; refused while a service uses it. Return the clients."""
        with self._lock:
            self.connector(connector_id)
            used_by = [each.vanity_url for each in self._services.values() if each.connector_id == connector_id]
            if used_by:
                raise ConflictError(
                    f"connector {connector_id} is the source of service {', '.join(used_by)}; delete the service first"
                )
            clients = self.clients(connector_id)
            for client in clients:
                del self._clients[client.id]
            for entity in self.entities(connector_id):
                del self._entities[entity.id], self._checks[entity.id], self._entity_ids[connector_id, entity.name]
            del self._connectors[connector_id]
            return clients

    # --- entities ---------------------------------------------------------------------------------------------------

    def add_entity(
        self,
        connector_id: int,
        type: str,
        name: str,
        sample: JsonValue = None,
        json_schema: dict[str, Any] | None = None,
        *,
        replacing: bool = False,
    ) -> Entity:
        """Add a custom entity (FACTS 1.3) from a sample, a JSON Schema, or neither: then any non-blank body will do.

        With ``replacing`` it takes the place of the one with this name, if there is one.
        """
        with self._lock:
            self.connector(connector_id)
            name = checked_name("name", name)
            found = self._entities.get(self._entity_ids.get((connector_id, name), 0))
            if found is not None and not replacing:
                raise ConflictError(f"connector {connector_id} has an entity {name!r} already; choose another name")
            kind, last = checked_name("type", type), self._last_ids["entity"]
            number, made = (found.id, found.created_at) if found else (last + 1, self._now())
            entity = self._put_entity(EntitySnapshot(number, connector_id, kind, name, sample, json_schema, made))
            self._last_ids["entity"] = max(last, number)
            return entity

    def set_entity_schema(self, connector_id: int, entity_id: int, json_schema: dict[str, Any] | None) -> Entity:
        """Replace an entity's JSON Schema by a hand-written one; ``None`` returns to the inferred one."""
        with self._lock:
            return self._put_entity(
                replace(saved_entity(self.entity(connector_id, entity_id)), json_schema=json_schema)
            )

    def entities(self, connector_id: int | None = None) -> list[Entity]:
        """Return the entities, oldest first; of one connector if one is given."""
        if connector_id is not None:
            self.connector(connector_id)
        return [e for e in self._listed(self._entities) if connector_id in (None, e.connector_id)]

    def entity(self, connector_id: int, entity_id: int) -> Entity:
        """Return an entity of a connector or raise ``NotFoundError``."""
        found = self._entities.get(entity_id)
        if found is None or found.connector_id != connector_id:
            raise NotFoundError("entity", entity_id, [entity.id for entity in self.entities(connector_id)])
        return found

    def entity_of(self, service: Service) -> Entity | None:
        """Return the entity of a service, or ``None``."""
        return self._entities.get(self._entity_ids.get((service.connector_id, service.entity), 0))

    def check_for(self, service: Service) -> EntityCheck | None:
        """Return the check of a service's payloads; ``None`` when its entity is free-form."""
        return self._checks.get(self._entity_ids.get((service.connector_id, service.entity), 0))

    # --- services ---------------------------------------------------------------------------------------------------

    def add_service(
        self,
        company: str,
        connector_id: int,
        entity: str,
        vanity_url: str,
        *,
        active: bool = True,
        options: ServiceOptions | None = None,
        replacing: bool = False,
    ) -> Service:
        """Add a service with its vanity URL (FACTS 1.13, 1.20).

        With ``replacing`` it takes the place of the one with this vanity URL, if there is one.
        """
        vanity_url = checked_vanity_url("vanity_url", vanity_url.lower())
        if replacing and (known := self.find_service(company, vanity_url)):
            self.before_change(known)
        with self._lock:
            self.company(company)
            connector = self.connector(connector_id)
            if connector.company != company:
                raise InvalidValueError("connector_id", connector_id, f"a connector of company {company!r}")
            if (connector_id, entity) not in self._entity_ids:
                known_names = [each.name for each in self.entities(connector_id)]
                raise NotFoundError("entity", entity, known_names, named=True)
            found = self.find_service(company, vanity_url)
            if found is not None and not replacing:
                raise ConflictError(
                    f"company {company!r} has a service at {vanity_url!r} already; choose another vanity URL"
                )
            number, made = (found.id, found.created_at) if found else (self._next_id("service"), self._now())
            options = options or ServiceOptions()
            service = Service(number, company, connector_id, entity, vanity_url, active, made, options)
            self._services[service.id] = service
            self._service_ids[company, vanity_url] = service.id
            return service

    def services(self) -> list[Service]:
        """Return all services, oldest first."""
        return self._listed(self._services)

    def service(self, service_id: int) -> Service:
        """Return a service or raise ``NotFoundError``."""
        return self._get(self._services, "service", service_id)

    def find_service(self, company: str, vanity_url: str) -> Service | None:
        """Return the service behind an inbound URL, active or not, or ``None``."""
        return self._services.get(self._service_ids.get((company, vanity_url), 0))

    def change_service(self, service_id: int, *, active: bool | None = None, **options: object) -> Service:
        """Activate or deactivate a service (FACTS 1.20), and change options by name; raise ``InvalidValueError``."""
        known = [option.name for option in fields_of(ServiceOptions)]
        for name, value in options.items():
            if name not in known:
                raise UnknownNameError(name, value, "option of a service", known)
        self.before_change(self.service(service_id))
        with self._lock:
            service = self.service(service_id)
            self._services[service_id] = replace(
                service,
                active=service.active if active is None else active,
                options=replace(service.options, **options),  # type: ignore[arg-type]
            )
            return self._services[service_id]

    def delete_service(self, service_id: int) -> Service:
        """Delete a service; its URL is free again."""
        self.before_change(self.service(service_id))
        with self._lock:
            service = self.service(service_id)
            del self._services[service_id], self._service_ids[service.company, service.vanity_url]
            return service
