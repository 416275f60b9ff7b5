"""The fidelity ledger over HTTP."""

from __future__ import annotations

from marshmallow import fields, validate

from sandbox.platform.fidelity import TAGS, Ledger, load_ledger
from sandbox.web.control.base import Blueprint
from sandbox.web.control.fields import StrictSchema
from sandbox.web.paths import PREFIX

blueprint = Blueprint("fidelity", __name__, url_prefix=PREFIX, description="How each behaviour is known")


class RowSchema(StrictSchema):
    """One behaviour of the sandbox: how it is known, which tests pin it and which settings change it."""

    id = fields.String(required=True)
    behaviour = fields.String(required=True)
    tags = fields.List(fields.String(validate=validate.OneOf(list(TAGS))), required=True)
    sources = fields.List(fields.String(), required=True)
    tests = fields.List(fields.String(), required=True)
    settings = fields.List(fields.String(), required=True)


class LedgerSchema(StrictSchema):
    """The whole ledger."""

    rows = fields.List(fields.Nested(RowSchema), required=True)
    sources = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


@blueprint.get("/fidelity")
@blueprint.response(200, LedgerSchema)
def get_ledger() -> Ledger:
    """Tell for every behaviour of the emulated API what is documented, what is the framework's and what is ours."""
    return load_ledger()
