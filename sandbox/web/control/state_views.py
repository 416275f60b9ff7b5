"""The state of a sandbox as one document over HTTP: save it, and load it into this sandbox or another."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from marshmallow import fields

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.strict_json import parse_json
from sandbox.state.restore import LoadedClient
from sandbox.state.snapshot import pieces, read_state, state_schema
from sandbox.web.control.base import Blueprint, current_sandbox
from sandbox.web.control.schemas import AnswerSchema, Instant, StrictSchema, says, showing

blueprint = Blueprint("state", __name__, description="Everything as one document")


class StateQuerySchema(StrictSchema):
    secrets = fields.Boolean(
        load_default=False,
        **says("Also the signing key and the hashes of the clients' secrets."),
    )


LoadedClientSchema = showing(
    LoadedClient,
    secret="`saved` in the state; `kept`: the one that the client of this id had here before; `new`: made now, in "  # noqa: S106
    "`client_secret`.",
    client_secret="Of a `new` one: the only time it is shown.",  # noqa: S106
)


class StateLoadedSchema(AnswerSchema):
    now = Instant(**says("On the sandbox clock."))
    clients = fields.List(fields.Nested(LoadedClientSchema))


@blueprint.get("/state", query=StateQuerySchema)
@blueprint.response(200, "State", description="The state.")
def get_state(query: dict[str, Any]) -> Response:
    """Save companies with all that belongs to them, tokens, journal, faults, clock and settings; secrets on request.

    The answer is streamed. The sandbox serves requests in the meantime; requests that are not answered yet are not in
    the state.
    """
    state = current_sandbox().state(secrets=query["secrets"])
    headers = {"Content-Disposition": 'attachment; filename="patchworks-sandbox-state.json"'}
    return Response(pieces(state), content_type="application/json", headers=headers)


@blueprint.put("/state", body="State", answer=StateLoadedSchema)
def put_state() -> Any:
    """Load a saved state in place of the present one: all of it, or nothing if any part is refused.

    The setting `state_limit` bounds its size. Requests in flight finish on the state before. A reset returns to the
    seed of this sandbox.
    """
    sandbox = current_sandbox()
    request.max_content_length = sandbox.settings.state_limit
    document = parse_json(request.get_data(cache=False), in_doubles=True)
    try:
        clients = sandbox.load_state(read_state(document))
    except InvalidValueError as error:
        raise error.at(f"body.{error.field}") from None
    return {"now": sandbox.clock.now(), "clients": clients}


@blueprint.get("/state.schema.json")
@blueprint.response(200, {}, description="The schema.")
def get_state_schema() -> Response:
    """Show the JSON Schema of a state."""
    return jsonify(state_schema())
