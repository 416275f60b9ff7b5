"""Companies, their Inbound API connectors, and the entities of connectors (FACTS 1.2-1.4)."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from marshmallow import fields

from sandbox.platform.model import Company, Connector, Entity
from sandbox.web.control.base import (
    NAME,
    AnswerSchema,
    Blueprint,
    Instant,
    StrictSchema,
    current_sandbox,
    one_of,
    token_endpoint,
)
from sandbox.web.control.openapi import leads_to

companies = Blueprint("companies", __name__, description="Customers of the emulated platform")
blueprint = Blueprint("connectors", __name__, description="Inbound API connectors and their entities")
_NAME: Final[dict[str, Any]] = {"minLength": 1, "maxLength": 255, "pattern": NAME}
_SLUG: Final[dict[str, Any]] = {"pattern": "^[a-z0-9][a-z0-9-]{1,62}$"}


class CompanySchema(AnswerSchema):
    """A company; its slug is the `{company}` of its inbound URLs."""

    slug = fields.String()
    name = fields.String()
    created_at = Instant()


class NewCompanySchema(StrictSchema):
    """A company to add."""

    name = fields.String(required=True, metadata={**_NAME, "example": "Beta Ltd"})
    slug = fields.String(metadata={**_SLUG, "description": "Generated from the name unless given.", "example": "beta"})


class ConnectorSchema(AnswerSchema):
    """A connector, with the token endpoint its authentication tab shows."""

    id = fields.Integer()
    company = fields.String()
    name = fields.String()
    environment = fields.String(validate=one_of("test", "live"))
    token_endpoint = fields.String()
    created_at = Instant()


class NewConnectorSchema(StrictSchema):
    """A connector to add."""

    company = fields.String(required=True, metadata={"description": "Slug of its company.", "example": "acme"})
    name = fields.String(required=True, metadata={**_NAME, "example": "Web shop"})
    environment = fields.String(load_default="test", validate=one_of("test", "live"))


class EntitySchema(AnswerSchema):
    """An entity: the data structure that a connector expects, and the JSON Schema that checks payloads."""

    id = fields.Integer()
    connector_id = fields.Integer()
    type = fields.String()
    name = fields.String()
    sample = fields.Raw(allow_none=True, metadata={"description": "The sample payload; any JSON."})
    json_schema = fields.Dict(
        allow_none=True, metadata={"description": "The schema in force; null: any non-blank body will do."}
    )
    inferred = fields.Boolean(metadata={"description": "Whether the schema was inferred from the sample."})
    created_at = Instant()


class NewEntitySchema(StrictSchema):
    """An entity to add: from a sample, from a JSON Schema, or from neither (free-form)."""

    type = fields.String(required=True, metadata={**_NAME, "example": "orders"})
    name = fields.String(required=True, metadata={**_NAME, "example": "Web orders"})
    sample = fields.Raw(load_default=None, allow_none=True, metadata={"example": {"order": "1001"}})
    json_schema = fields.Dict(
        load_default=None, allow_none=True, metadata={"description": "A hand-written JSON Schema, draft 2020-12."}
    )


class EntityChangeSchema(StrictSchema):
    """A change of an entity."""

    json_schema = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "A hand-written JSON Schema; null returns to the one inferred from the sample."},
    )


@companies.get("/companies")
@companies.response(200, CompanySchema(many=True))
def list_companies() -> list[Company]:
    """List the companies."""
    return current_sandbox().store.companies()


@companies.post("/companies")
@companies.arguments(NewCompanySchema)
@companies.response(201, CompanySchema)
@companies.problem(409, "The slug is taken.")
def add_company(body: dict[str, str]) -> Company:
    """Add a company; its slug is generated from the name."""
    return current_sandbox().store.add_company(body["name"], body.get("slug"))


def _presented(connector: Connector) -> dict[str, Any]:
    return {**dataclasses.asdict(connector), "token_endpoint": token_endpoint()}


@blueprint.get("/connectors")
@blueprint.response(200, ConnectorSchema(many=True))
def list_connectors() -> list[dict[str, Any]]:
    """List the connectors."""
    return [_presented(connector) for connector in current_sandbox().store.connectors()]


@blueprint.post("/connectors")
@blueprint.arguments(NewConnectorSchema)
@blueprint.response(201, ConnectorSchema)
@leads_to(
    201,
    ("get_connector", "delete_connector", "list_entities", "add_entity", "list_clients", "create_client"),
    {"connector_id": "id"},
)
@blueprint.problem(404, "There is no such company.")
def add_connector(body: dict[str, str]) -> dict[str, Any]:
    """Add an Inbound API connector to a company."""
    return _presented(current_sandbox().store.add_connector(body["company"], body["name"], body["environment"]))


@blueprint.get("/connectors/<int:connector_id>")
@blueprint.response(200, ConnectorSchema)
def get_connector(connector_id: int) -> dict[str, Any]:
    """Show a connector."""
    return _presented(current_sandbox().store.connector(connector_id))


@blueprint.delete("/connectors/<int:connector_id>")
@blueprint.response(204)
@blueprint.problem(409, "A service uses the connector.")
def delete_connector(connector_id: int) -> None:
    """Delete a connector with its entities and OAuth clients; their tokens stop working."""
    current_sandbox().delete_connector(connector_id)


@blueprint.get("/connectors/<int:connector_id>/entities")
@blueprint.response(200, EntitySchema(many=True))
def list_entities(connector_id: int) -> list[Entity]:
    """List the entities of a connector, with their samples."""
    return current_sandbox().store.entities(connector_id)


@blueprint.post("/connectors/<int:connector_id>/entities")
@blueprint.arguments(NewEntitySchema)
@blueprint.response(201, EntitySchema)
@leads_to(201, ("get_entity", "change_entity"), {"connector_id": "connector_id", "entity_id": "id"})
@blueprint.problem(409, "The name is taken.")
def add_entity(body: dict[str, Any], connector_id: int) -> Entity:
    """Add a custom entity; the answer shows the schema inferred from its sample."""
    return current_sandbox().store.add_entity(connector_id, **body)


@blueprint.get("/connectors/<int:connector_id>/entities/<int:entity_id>")
@blueprint.response(200, EntitySchema)
def get_entity(connector_id: int, entity_id: int) -> Entity:
    """Show an entity and the JSON Schema in force."""
    return current_sandbox().store.entity(connector_id, entity_id)


@blueprint.patch("/connectors/<int:connector_id>/entities/<int:entity_id>")
@blueprint.arguments(EntityChangeSchema)
@blueprint.response(200, EntitySchema)
def change_entity(body: dict[str, Any], connector_id: int, entity_id: int) -> Entity:
    """Replace an entity's JSON Schema by a hand-written one, or return to the inferred one."""
    return current_sandbox().store.set_entity_schema(connector_id, entity_id, body["json_schema"])
