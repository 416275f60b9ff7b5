"""Companies: list and add."""

from __future__ import annotations

from marshmallow import fields

from sandbox.platform.model import Company
from sandbox.web.control.base import Blueprint, current_sandbox, takes_body
from sandbox.web.control.fields import NAME, SLUG, Instant, StrictSchema
from sandbox.web.paths import PREFIX

blueprint = Blueprint("companies", __name__, url_prefix=PREFIX, description="Customers of the emulated platform")


class CompanySchema(StrictSchema):
    """A company; its slug is the `{company}` of its inbound URLs."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    created_at = Instant(required=True)


class NewCompanySchema(StrictSchema):
    """A company to add."""

    name = fields.String(required=True, metadata={**NAME, "example": "Beta Ltd"})
    slug = fields.String(metadata={**SLUG, "description": "Generated from the name unless given.", "example": "beta"})


@blueprint.get("/companies")
@blueprint.response(200, CompanySchema(many=True))
def list_companies() -> list[Company]:
    """List the companies."""
    return current_sandbox().store.companies()


@blueprint.post("/companies")
@blueprint.arguments(NewCompanySchema)
@blueprint.response(201, CompanySchema)
@takes_body(blueprint, conflict="The slug is taken.")
def add_company(body: dict[str, str]) -> Company:
    """Add a company; its slug is generated from the name."""
    return current_sandbox().store.add_company(body["name"], body.get("slug"))
