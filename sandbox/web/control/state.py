"""Everything a sandbox holds as one document over HTTP: saved, and loaded into this sandbox or another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, request
from marshmallow import fields

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.state.snapshot.codec import pieces, read_state
from sandbox.state.snapshot.schema import components, state_schema
from sandbox.web.control.base import READS, Blueprint, answers, current_sandbox, problems, takes_body
from sandbox.web.control.fields import Instant, StrictSchema, one_of
from sandbox.web.control.problems import problem
from sandbox.web.paths import PREFIX

blueprint = Blueprint("state", __name__, url_prefix=PREFIX, description="Everything as one document")

_STATE = {"$ref": "#/components/schemas/State"}


class StateQuerySchema(StrictSchema):
    """Whether to save what can be used to authenticate."""

    secrets = fields.Boolean(
        load_default=False,
        metadata={"description": "Also the signing key and what the clients' secrets are recognised by."},
    )


class LoadedClientSchema(StrictSchema):
    """An OAuth client of the state, and where its secret is from."""

    client_id = fields.String(required=True)
    name = fields.String(required=True)
    secret = fields.String(
        required=True,
        validate=one_of("saved", "kept", "new"),
        metadata={
            "description": "`saved` in the state; `kept`: the one that the client of this id had here before; `new`: "
            "made now, in `client_secret`."
        },
    )
    client_secret = fields.String(
        required=True, allow_none=True, metadata={"description": "Of a `new` one: the only time it is shown."}
    )


class StateLoadedSchema(StrictSchema):
    """What was loaded."""

    now = Instant(required=True, metadata={"description": "On the sandbox clock."})
    clients = fields.List(fields.Nested(LoadedClientSchema), required=True)


def _reads_json(view: Callable[[], Any]) -> Callable[[], Any]:
    """Mark a view that reads its body itself, as it may be larger than any other's."""
    setattr(view, READS, frozenset({"json"}))
    return view


def describe_state(spec: Any) -> None:
    """Put the schemas of a state, which come from its shapes, into an OpenAPI document."""
    spec.components.schemas.update(components())


@blueprint.get("/state")
@blueprint.arguments(StateQuerySchema, location="query")
@answers(blueprint, "application/json", "The state.", _STATE)
@problems(blueprint, unprocessable="A parameter is unknown or holds a value that is not allowed.")
def get_state(query: dict[str, Any]) -> Response:
    """Save everything: what exists, tokens, journal, faults, clock, settings. Secrets only on request.

    The answer is written piece by piece. Requests are served in the meantime; those that are not answered yet are not
    in it.
    """
    state = current_sandbox().state(secrets=query["secrets"])
    headers = {"Content-Disposition": 'attachment; filename="patchworks-sandbox-state.json"'}
    return Response(pieces(state), content_type="application/json", headers=headers)


@blueprint.put("/state")
@blueprint.doc(requestBody={"required": True, "content": {"application/json": {"schema": _STATE}}})
@blueprint.response(200, StateLoadedSchema)
@takes_body(blueprint)
@_reads_json
def put_state() -> Any:
    """Become what a saved state describes: all of it, or nothing if any of it is refused.

    The setting `state_limit` says how large it may be. Requests in flight finish on what was there before. A reset
    returns to the seed of this sandbox.
    """
    sandbox = current_sandbox()
    request.max_content_length = sandbox.settings.state_limit
    try:
        document = parse_json(request.get_data(cache=False))
    except NotJsonError as error:
        return problem(400, f"body: the body is not JSON: {error}")
    try:
        clients = sandbox.load_state(read_state(document))
    except InvalidValueError as error:
        raise InvalidValueError(f"body.{error.field}", error.given, error.allowed) from None
    return {"now": sandbox.clock.now(), "clients": clients}


@blueprint.get("/state.schema.json")
@answers(blueprint, "application/json", "The schema.")
def get_state_schema() -> dict[str, Any]:
    """Show the JSON Schema of a state."""
    return state_schema()
