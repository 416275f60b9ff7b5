"""Services: each receives the payloads of an inbound URL (FACTS 1.12, 1.13, 1.20)."""

from __future__ import annotations

import dataclasses
from typing import Any

from marshmallow import fields

from sandbox.platform.model import Service
from sandbox.web.control.base import AnswerSchema, Blueprint, Flag, Instant, StrictSchema, base_url, current_sandbox
from sandbox.web.control.openapi import leads_to

blueprint = Blueprint("services", __name__, description="Services and their inbound URLs")
_NO_SERVICE = "There is no such service."


class ServiceSchema(AnswerSchema):
    """A service, with the inbound URL that clients post to."""

    id = fields.Integer()
    company = fields.String()
    connector_id = fields.Integer()
    entity = fields.String()
    vanity_url = fields.String()
    active = fields.Boolean()
    url = fields.String()
    created_at = Instant()


class NewServiceSchema(StrictSchema):
    """A service to add."""

    company = fields.String(required=True, metadata={"example": "acme"})
    connector_id = fields.Integer(required=True, strict=True, metadata={"description": "Its source connector."})
    entity = fields.String(required=True, metadata={"description": "An entity of that connector.", "example": "orders"})
    vanity_url = fields.String(
        required=True,
        metadata={
            "pattern": "^[A-Za-z0-9_-]{3,36}$",
            "description": "3-36 letters, digits, - or _; unique in the company.",
            "example": "returns",
        },
    )
    active = Flag(load_default=True)


class ServiceChangeSchema(StrictSchema):
    """A change of a service."""

    active = Flag(required=True)


def _presented(service: Service) -> dict[str, Any]:
    url = base_url() + service.path
    return {**dataclasses.asdict(service), "url": url}


@blueprint.get("/services")
@blueprint.response(200, ServiceSchema(many=True))
def list_services() -> list[dict[str, Any]]:
    """List the services."""
    return [_presented(service) for service in current_sandbox().store.services()]


@blueprint.post("/services")
@blueprint.arguments(NewServiceSchema)
@blueprint.response(201, ServiceSchema)
@leads_to(201, ("get_service", "change_service", "delete_service"), {"service_id": "id"})
@blueprint.problem(404, "There is no such company, connector or entity.")
@blueprint.problem(409, "The vanity URL is taken.")
def add_service(body: dict[str, Any]) -> dict[str, Any]:
    """Add a service; the answer holds its inbound URL."""
    return _presented(current_sandbox().store.add_service(**body))


@blueprint.get("/services/<int:service_id>")
@blueprint.response(200, ServiceSchema)
@blueprint.problem(404, _NO_SERVICE)
def get_service(service_id: int) -> dict[str, Any]:
    """Show a service."""
    return _presented(current_sandbox().store.service(service_id))


@blueprint.patch("/services/<int:service_id>")
@blueprint.arguments(ServiceChangeSchema)
@blueprint.response(200, ServiceSchema)
@blueprint.problem(404, _NO_SERVICE)
def change_service(body: dict[str, bool], service_id: int) -> dict[str, Any]:
    """Activate or deactivate a service."""
    return _presented(current_sandbox().store.set_active(service_id, body["active"]))


@blueprint.delete("/services/<int:service_id>")
@blueprint.response(204)
@blueprint.problem(404, _NO_SERVICE)
def delete_service(service_id: int) -> None:
    """Delete a service; its inbound URL is free again."""
    current_sandbox().store.delete_service(service_id)
