"""Services: each receives the payloads of an inbound URL (FACTS 1.12, 1.13, 1.20)."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Final

from marshmallow import fields

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.fields import fields_of
from sandbox.platform.model import Service, ServiceOptions
from sandbox.platform.processing.mapping import MappedField, MappingPreview, preview
from sandbox.web.control.base import Blueprint, base_url, current_sandbox
from sandbox.web.control.openapi import leads_to
from sandbox.web.control.schemas import ChangeSchema, Flag, Instant, StrictSchema, WholeNumber, says, showing

blueprint = Blueprint("services", __name__, description="Services and their inbound URLs")


_OPTIONS: Final = fields_of(ServiceOptions)


def _option_fields() -> dict[str, fields.Field[Any]]:
    """Return the fields of the options, which the core declares and checks."""
    return {
        option.name: fields.Raw(
            allow_none=option.default is None,
            metadata={**option.schema, "type": option.type.schema["type"], "allowed": option.type.allowed},
        )
        for option in _OPTIONS
    }


ServiceSchema = showing(
    Service,
    options=None,
    url=fields.String(),
    next_run=Instant(
        allow_none=True,
        **says("By its schedule, on the sandbox clock; null where `processing` is not `scheduled`."),
    ),
    **_option_fields(),
)
"""A service, with the inbound URL that clients post to."""


class _NewServiceSchema(StrictSchema):
    company = fields.String(required=True, metadata={"example": "acme"})
    connector_id = WholeNumber(required=True, **says("Its source connector."))
    entity = fields.String(required=True, **says("An entity of that connector.", example="orders"))
    vanity_url = fields.String(
        required=True,
        metadata={
            "pattern": "^[A-Za-z0-9_-]{3,36}$",
            "description": "3-36 letters, digits, - or _; unique in the company.",
            "example": "returns",
        },
    )
    active = Flag(load_default=True)


NewServiceSchema: Final = _NewServiceSchema.from_dict(_option_fields(), name="NewServiceSchema")
"""A service to add."""


class _ServiceChangeSchema(ChangeSchema):
    active = Flag()


ServiceChangeSchema: Final = _ServiceChangeSchema.from_dict(_option_fields(), name="ServiceChangeSchema")
"""A change of a service; fields that are left out stay as they are."""


def _presented(service: Service) -> dict[str, Any]:
    platform = current_sandbox().platform
    scheduled = platform.settings.processing == "scheduled"
    return {
        **dataclasses.asdict(service),
        **{option.name: option.type.dump(getattr(service.options, option.name)) for option in _OPTIONS},
        "url": base_url() + service.path,
        "next_run": platform.processing.next_run(service) if scheduled else None,
    }


@blueprint.get("/services", answer=ServiceSchema(many=True))
def list_services() -> list[dict[str, Any]]:
    """List the services."""
    return [_presented(service) for service in current_sandbox().store.services()]


@blueprint.post("/services", body=NewServiceSchema, answer=ServiceSchema, status=201)
@leads_to(201, ("get_service", "change_service", "delete_service"), {"service_id": "id"})
@blueprint.problem(404, "There is no such company, connector or entity.")
@blueprint.problem(409, "The vanity URL is taken.")
def add_service(body: dict[str, Any]) -> dict[str, Any]:
    """Add a service; the answer holds its inbound URL."""
    options = {option.name: body.pop(option.name) for option in _OPTIONS if option.name in body}
    return _presented(current_sandbox().store.add_service(**body, options=ServiceOptions(**options)))


@blueprint.get("/services/<int:service_id>", answer=ServiceSchema)
def get_service(service_id: int) -> dict[str, Any]:
    """Show a service."""
    return _presented(current_sandbox().store.service(service_id))


@blueprint.patch("/services/<int:service_id>", body=ServiceChangeSchema, answer=ServiceSchema)
def change_service(body: dict[str, Any], service_id: int) -> dict[str, Any]:
    """Activate or deactivate a service, and change its options."""
    return _presented(current_sandbox().store.change_service(service_id, **body))


@blueprint.delete("/services/<int:service_id>", status=204)
def delete_service(service_id: int) -> None:
    """Delete a service; its inbound URL is free again."""
    current_sandbox().store.delete_service(service_id)


class PreviewedSchema(StrictSchema):
    """The payload to map, given or of a journal entry; the sample of the entity where neither is given."""

    keywords: ClassVar = {"maxProperties": 1}
    payload = fields.Raw(allow_none=True, **says("Any JSON value."))
    entry = fields.String(**says("Id of a journal entry."))


MappingPreviewSchema = showing(
    MappingPreview,
    mapped=fields.List(fields.Nested(showing(MappedField, values="The first ones."))),
    unmapped="Fields of the payload that no row takes.",
    missing="Sources that the payload does not have.",
)


@blueprint.post("/services/<int:service_id>/mapping-preview", body=PreviewedSchema, answer=MappingPreviewSchema)
@blueprint.problem(404, "There is no such service or journal entry.")
def preview_mapping(body: dict[str, Any], service_id: int) -> dict[str, Any]:
    """Show which fields of a payload the mapping takes, which it does not, and which it misses.

    The payload is given, or that of a journal entry, or else the sample of the service's entity.
    """
    sandbox = current_sandbox()
    service = sandbox.store.service(service_id)
    if len(body) > 1:
        raise InvalidValueError("entry", body["entry"], "either this or payload, not both")
    if "entry" in body:
        payload = sandbox.journal.get(body["entry"]).json
    elif "payload" in body:
        payload = body["payload"]
    else:
        entity = sandbox.store.entity_of(service)
        payload = None if entity is None else entity.sample
    return preview(service.options.mappings, payload)._asdict()
