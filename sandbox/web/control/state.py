"""Everything a sandbox holds as one document over HTTP: saved, and loaded into this sandbox or another."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from marshmallow import fields

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.strict_json import parse_json
from sandbox.state.snapshot.codec import pieces, read_state
from sandbox.state.snapshot.schema import state_schema
from sandbox.web.control.base import AnswerSchema, Blueprint, Instant, StrictSchema, current_sandbox, one_of

blueprint = Blueprint("state", __name__, description="Everything as one document")


class StateQuerySchema(StrictSchema):
    """Whether to save what can be used to authenticate."""

    secrets = fields.Boolean(
        load_default=False,
        metadata={"description": "Also the signing key and what the clients' secrets are recognised by."},
    )


class LoadedClientSchema(AnswerSchema):
    """An OAuth client of the state, and where its secret is from."""

    client_id = fields.String()
    name = fields.String()
    secret = fields.String(
        validate=one_of("saved", "kept", "new"),
        metadata={
            "description": "`saved` in the state; `kept`: the one that the client of this id had here before; `new`: "
            "made now, in `client_secret`."
        },
    )
    client_secret = fields.String(
        allow_none=True, metadata={"description": "Of a `new` one: the only time it is shown."}
    )


class StateLoadedSchema(AnswerSchema):
    """What was loaded."""

    now = Instant(metadata={"description": "On the sandbox clock."})
    clients = fields.List(fields.Nested(LoadedClientSchema))


@blueprint.get("/state")
@blueprint.arguments(StateQuerySchema, location="query")
@blueprint.response(200, "State", description="The state.")
def get_state(query: dict[str, Any]) -> Response:
    """Save everything: what exists, tokens, journal, faults, clock, settings. Secrets only on request.

    The answer is written piece by piece. Requests are served in the meantime; those that are not answered yet are not
    in it.
    """
    state = current_sandbox().state(secrets=query["secrets"])
    headers = {"Content-Disposition": 'attachment; filename="patchworks-sandbox-state.json"'}
    return Response(pieces(state), content_type="application/json", headers=headers)


@blueprint.put("/state")
@blueprint.json_body("State")
@blueprint.response(200, StateLoadedSchema)
def put_state() -> Any:
    """Become what a saved state describes: all of it, or nothing if any of it is refused.

    The setting `state_limit` says how large it may be. Requests in flight finish on what was there before. A reset
    returns to the seed of this sandbox.
    """
    sandbox = current_sandbox()
    request.max_content_length = sandbox.settings.state_limit
    document = parse_json(request.get_data(cache=False))
    try:
        clients = sandbox.load_state(read_state(document))
    except InvalidValueError as error:
        raise InvalidValueError(f"body.{error.field}", error.given, error.allowed) from None
    return {"now": sandbox.clock.now(), "clients": clients}


@blueprint.get("/state.schema.json")
@blueprint.response(200, {}, description="The schema.")
def get_state_schema() -> Response:
    """Show the JSON Schema of a state."""
    return jsonify(state_schema())
