"""OAuth clients: the vendor's page *Generating token credentials for API access* over HTTP (FACTS 1.5, 1.6, 1.19)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from marshmallow import fields

from sandbox.platform.model import OAuthClient
from sandbox.web.control.base import (
    CLIENT_NAME,
    AnswerSchema,
    Blueprint,
    Instant,
    StrictSchema,
    current_sandbox,
    token_endpoint,
)
from sandbox.web.control.openapi import leads_to

blueprint = Blueprint("oauth-clients", __name__, description="OAuth clients of connectors")

_NAME: Final[dict[str, Any]] = {"minLength": 3, "maxLength": 255, "pattern": CLIENT_NAME}


class OAuthClientSchema(AnswerSchema):
    """An OAuth client as the list shows it: never with its secret."""

    id = fields.String()
    client_id = fields.String(metadata={"description": "The same as `id`."})
    connector_id = fields.Integer()
    name = fields.String()
    revoked = fields.Boolean()
    secret_last_four = fields.String()
    created_at = Instant()
    updated_at = Instant()


class NewOAuthClientSchema(StrictSchema):
    """An OAuth client to create."""

    name = fields.String(required=True, metadata={**_NAME, "example": "Order export"})
    client_id = fields.String(
        metadata={
            "description": "A UUID of your choice. The platform takes none; without one, the sandbox makes it.",
            "format": "uuid",
        }
    )
    client_secret = fields.String(
        metadata={
            "description": "A secret of your choice. The platform takes none; without one, the sandbox makes it.",
            "pattern": "^[!-~][ -~]{6,253}[!-~]$",
        }
    )


class CreatedOAuthClientSchema(AnswerSchema):
    """A new client. No other answer shows its secret; if it is lost, create a new client."""

    id = fields.String()
    name = fields.String()
    client_id = fields.String()
    client_secret = fields.String()
    token_endpoint = fields.String()
    created_at = Instant()


class ConfirmationSchema(StrictSchema):
    """The confirmation of a deletion."""

    confirmation = fields.String(
        required=True, metadata={"description": "The client's name.", "example": "Order export"}
    )


def _presented(client: OAuthClient) -> dict[str, Any]:
    return {**asdict(client), "client_id": client.id, "secret_last_four": client.secret_last_four}


@blueprint.get("/connectors/<int:connector_id>/oauth-clients")
@blueprint.response(200, OAuthClientSchema(many=True))
def list_clients(connector_id: int) -> list[dict[str, Any]]:
    """List the OAuth clients of a connector, with the last four characters of their secrets."""
    return [_presented(client) for client in current_sandbox().store.clients(connector_id)]


@blueprint.post("/connectors/<int:connector_id>/oauth-clients")
@blueprint.arguments(NewOAuthClientSchema)
@leads_to(
    201,
    ("delete_client",),
    {"connector_id": "$request.path.connector_id", "client_id": "client_id"},
)
@blueprint.response(201, CreatedOAuthClientSchema, headers={"Cache-Control": {"schema": {"type": "string"}}})
@blueprint.problem(409, "Another client has the id.")
def create_client(body: dict[str, str], connector_id: int) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Create an OAuth client; only this answer shows its secret."""
    client_id, secret = body.get("client_id"), body.get("client_secret")
    new = current_sandbox().store.add_client(connector_id, body["name"], client_id and client_id.lower(), secret)
    shown = {
        "id": new.client.id,
        "name": new.client.name,
        "client_id": new.client.id,
        "client_secret": new.secret,
        "token_endpoint": token_endpoint(),
        "created_at": new.client.created_at,
    }
    return shown, 201, {"Cache-Control": "no-store"}


@blueprint.delete("/connectors/<int:connector_id>/oauth-clients/<client_id>")
@blueprint.arguments(ConfirmationSchema)
@blueprint.response(204)
def delete_client(body: dict[str, str], connector_id: int, client_id: str) -> None:
    """Delete an OAuth client; its name is the confirmation, and its tokens stop working."""
    current_sandbox().delete_client(connector_id, client_id, body["confirmation"])
