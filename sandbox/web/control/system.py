"""The sandbox itself over HTTP: health, reset and its own documents."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Response
from marshmallow import fields, validate

from sandbox._version import __version__
from sandbox.state.seed.schema import seed_schema
from sandbox.web.control.base import Blueprint, answers, current_sandbox, problems
from sandbox.web.control.fields import Instant, StrictSchema
from sandbox.web.control.problems import problem
from sandbox.web.paths import PREFIX

blueprint = Blueprint("system", __name__, url_prefix=PREFIX, description="Health and reset")

_SCHEMA_TYPE: Final = "application/json"


class HealthSchema(StrictSchema):
    """Whether the sandbox is well."""

    status = fields.String(required=True, validate=validate.Equal("ok"))
    version = fields.String(required=True)
    now = Instant(required=True, metadata={"description": "On the sandbox clock."})
    journal_entries = fields.Integer(required=True, strict=True)
    journal_last_seq = fields.Integer(
        required=True, strict=True, metadata={"description": "Number of the newest request; 0 before the first."}
    )
    journal_bytes = fields.Integer(required=True, strict=True)
    journal_dropped = fields.Integer(required=True, strict=True)


class ResetSchema(StrictSchema):
    """The time at which the sandbox began anew."""

    now = Instant(required=True)


def _health() -> dict[str, Any]:
    sandbox = current_sandbox()
    return {
        "status": "ok",
        "version": __version__,
        "now": sandbox.clock.now(),
        "journal_entries": len(sandbox.journal),
        "journal_last_seq": sandbox.journal.last_seq,
        "journal_bytes": sandbox.journal.bytes,
        "journal_dropped": sandbox.journal.dropped,
    }


@blueprint.get("/health")
@blueprint.response(200, HealthSchema)
def get_health() -> dict[str, Any]:
    """Tell that the sandbox is alive."""
    return _health()


@blueprint.get("/health/ready")
@blueprint.response(200, HealthSchema)
@problems(blueprint, unavailable="The journal file cannot be written; until it can, requests are refused.")
def get_readiness() -> dict[str, Any] | Response:
    """Tell that the sandbox can serve: answers once the signing key is made, and whether the journal file is kept."""
    sandbox = current_sandbox()
    sandbox.keys.current()
    if (file := sandbox.journal_file) is not None and (failure := file.failure()) is not None:
        return problem(503, f"journal_file: {failure} ({file.path}); until it can be written, requests are refused")
    return _health()


@blueprint.post("/reset")
@blueprint.response(200, ResetSchema)
def reset() -> dict[str, Any]:
    """Return to the seed: new journal, no tokens, the settings of the start, real time, the same clients."""
    return {"now": current_sandbox().reset()}


@blueprint.get("/seed.schema.json")
@answers(
    blueprint,
    _SCHEMA_TYPE,
    "A JSON Schema (draft 2020-12), for editors and programs that write seeds.",
    {"type": "object"},
)
def get_seed_schema() -> Response:
    """Return what a seed file may hold: the format of `--seed-file`."""
    return Response(json.dumps(seed_schema(), indent=2), content_type=_SCHEMA_TYPE)
