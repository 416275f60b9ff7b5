"""Companies, their Inbound API connectors, and the entities and OAuth clients of connectors (FACTS 1.2-1.6, 1.19).

The vendor's page *Generating token credentials for API access* is the model of the views of OAuth clients.
"""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from sandbox.platform.model import Company, Connector, Entity, OAuthClient
from sandbox.platform.oauth_clients import NewOAuthClient
from sandbox.web.control.base import TOKEN_ENDPOINT, Blueprint, current_sandbox
from sandbox.web.control.openapi import leads_to
from sandbox.web.control.schemas import CLIENT_NAME, NAME, AnswerSchema, Instant, StrictSchema, one_of, says, showing

companies = Blueprint("companies", __name__, description="Customers of the emulated platform")
clients = Blueprint("oauth-clients", __name__, description="OAuth clients of connectors")
blueprint = Blueprint("connectors", __name__, description="Inbound API connectors and their entities")
_NAME: Final[dict[str, Any]] = {"minLength": 1, "maxLength": 255, "pattern": NAME}
_SLUG: Final[dict[str, Any]] = {"pattern": "^[a-z0-9][a-z0-9-]{1,62}$"}


CompanySchema = showing(Company)


class NewCompanySchema(StrictSchema):
    name = fields.String(required=True, metadata={**_NAME, "example": "Beta Ltd"})
    slug = fields.String(metadata={**_SLUG, "description": "Generated from the name unless given.", "example": "beta"})


ConnectorSchema = showing(Connector, token_endpoint=TOKEN_ENDPOINT)


class NewConnectorSchema(StrictSchema):
    company = fields.String(required=True, **says("Slug of its company.", example="acme"))
    name = fields.String(required=True, metadata={**_NAME, "example": "Web shop"})
    environment = fields.String(load_default="test", validate=one_of("test", "live"))


EntitySchema = showing(
    Entity,
    sample="The sample payload; any JSON.",
    json_schema="The schema in force; null: any non-blank body will do.",
    inferred="Whether the schema was inferred from the sample.",
)


class NewEntitySchema(StrictSchema):
    """An entity to add: from a sample, from a JSON Schema, or from neither (free-form)."""

    type = fields.String(required=True, metadata={**_NAME, "example": "orders"})
    name = fields.String(required=True, metadata={**_NAME, "example": "Web orders"})
    sample = fields.Raw(load_default=None, allow_none=True, metadata={"example": {"order": "1001"}})
    json_schema = fields.Dict(load_default=None, allow_none=True, **says("A hand-written JSON Schema, draft 2020-12."))


class EntityChangeSchema(StrictSchema):
    json_schema = fields.Dict(
        required=True,
        allow_none=True,
        **says("A hand-written JSON Schema; null returns to the one inferred from the sample."),
    )


@companies.get("/companies", answer=CompanySchema(many=True))
def list_companies() -> list[Company]:
    """List the companies."""
    return current_sandbox().store.companies()


@companies.post("/companies", body=NewCompanySchema, answer=CompanySchema, status=201)
@companies.problem(409, "The slug is taken.")
def add_company(body: dict[str, str]) -> Company:
    """Add a company; its slug is generated from the name."""
    return current_sandbox().store.add_company(body["name"], body.get("slug"))


@blueprint.get("/connectors", answer=ConnectorSchema(many=True))
def list_connectors() -> list[Connector]:
    """List the connectors."""
    return current_sandbox().store.connectors()


@blueprint.post("/connectors", body=NewConnectorSchema, answer=ConnectorSchema, status=201)
@leads_to(
    201,
    ("get_connector", "delete_connector", "list_entities", "add_entity", "list_clients", "create_client"),
    {"connector_id": "id"},
)
@blueprint.problem(404, "There is no such company.")
def add_connector(body: dict[str, Any]) -> Connector:
    """Add an Inbound API connector to a company."""
    return current_sandbox().store.add_connector(**body)


@blueprint.get("/connectors/<int:connector_id>", answer=ConnectorSchema)
def get_connector(connector_id: int) -> Connector:
    """Show a connector."""
    return current_sandbox().store.connector(connector_id)


@blueprint.delete("/connectors/<int:connector_id>", status=204)
@blueprint.problem(409, "A service uses the connector.")
def delete_connector(connector_id: int) -> None:
    """Delete a connector with its entities and OAuth clients; their tokens stop working."""
    current_sandbox().delete_connector(connector_id)


@blueprint.get("/connectors/<int:connector_id>/entities", answer=EntitySchema(many=True))
def list_entities(connector_id: int) -> list[Entity]:
    """List the entities of a connector, with their samples."""
    return current_sandbox().store.entities(connector_id)


@blueprint.post("/connectors/<int:connector_id>/entities", body=NewEntitySchema, answer=EntitySchema, status=201)
@leads_to(201, ("get_entity", "change_entity"), {"connector_id": "connector_id", "entity_id": "id"})
@blueprint.problem(409, "The name is taken.")
def add_entity(body: dict[str, Any], connector_id: int) -> Entity:
    """Add a custom entity; the answer shows the schema inferred from its sample."""
    return current_sandbox().store.add_entity(connector_id, **body)


@blueprint.get("/connectors/<int:connector_id>/entities/<int:entity_id>", answer=EntitySchema)
def get_entity(connector_id: int, entity_id: int) -> Entity:
    """Show an entity and the JSON Schema in force."""
    return current_sandbox().store.entity(connector_id, entity_id)


@blueprint.patch(
    "/connectors/<int:connector_id>/entities/<int:entity_id>", body=EntityChangeSchema, answer=EntitySchema
)
def change_entity(body: dict[str, Any], connector_id: int, entity_id: int) -> Entity:
    """Replace an entity's JSON Schema by a hand-written one, or return to the inferred one."""
    return current_sandbox().store.set_entity_schema(connector_id, entity_id, body["json_schema"])


# --- OAuth clients ----------------------------------------------------------------------------------------------------

_CLIENT_NAME: Final[dict[str, Any]] = {"minLength": 3, "maxLength": 255, "pattern": CLIENT_NAME}


OAuthClientSchema = showing(
    OAuthClient,
    secret=None,
    client_id=fields.String(attribute="id", **says("The same as `id`.")),
    secret_last_four=fields.String(),
)


class NewOAuthClientSchema(StrictSchema):
    name = fields.String(required=True, metadata={**_CLIENT_NAME, "example": "Order export"})
    client_id = fields.String(
        **says("A UUID of your choice. The platform takes none; without one, the sandbox makes it.", format="uuid")
    )
    client_secret = fields.String(
        **says(
            "A secret of your choice. The platform takes none; without one, the sandbox makes it.",
            pattern="^[!-~][ -~]{6,253}[!-~]$",
        )
    )


class CreatedOAuthClientSchema(AnswerSchema):
    """A new client. No other answer shows its secret; if it is lost, create a new client."""

    id = fields.String(attribute="client.id")
    name = fields.String(attribute="client.name")
    client_id = fields.String(attribute="client.id")
    client_secret = fields.String(attribute="secret")
    token_endpoint = TOKEN_ENDPOINT
    created_at = Instant(attribute="client.created_at")


class ConfirmationSchema(StrictSchema):
    confirmation = fields.String(required=True, **says("The client's name.", example="Order export"))


@clients.get("/connectors/<int:connector_id>/oauth-clients", answer=OAuthClientSchema(many=True))
def list_clients(connector_id: int) -> list[OAuthClient]:
    """List the OAuth clients of a connector, with the last four characters of their secrets."""
    return current_sandbox().store.clients(connector_id)


@clients.post(
    "/connectors/<int:connector_id>/oauth-clients",
    body=NewOAuthClientSchema,
    answer=CreatedOAuthClientSchema,
    status=201,
    no_store=True,
)
@leads_to(
    201,
    ("delete_client",),
    {"connector_id": "$request.path.connector_id", "client_id": "client_id"},
)
@clients.problem(409, "Another client has the id.")
def create_client(body: dict[str, str], connector_id: int) -> NewOAuthClient:
    """Create an OAuth client; only this answer shows its secret."""
    client_id, secret = body.get("client_id"), body.get("client_secret")
    return current_sandbox().store.add_client(connector_id, body["name"], client_id and client_id.lower(), secret)


@clients.delete("/connectors/<int:connector_id>/oauth-clients/<client_id>", body=ConfirmationSchema, status=204)
def delete_client(body: dict[str, str], connector_id: int, client_id: str) -> None:
    """Delete an OAuth client; its name is the confirmation, and its tokens stop working."""
    current_sandbox().delete_client(connector_id, client_id, body["confirmation"])
