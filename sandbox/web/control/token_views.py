"""Tokens and the signing key over HTTP: list, revoke, rotate."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from marshmallow import fields

from sandbox.foundation.errors import NotFoundError
from sandbox.platform.tokens import IssuedToken
from sandbox.web.control.base import Blueprint, current_sandbox
from sandbox.web.control.schemas import AnswerSchema, StrictSchema, answer_of, between, says, showing

blueprint = Blueprint("tokens", __name__, description="Access tokens and the key that signs them")


class RevocationSchema(StrictSchema):
    client_id = fields.String(**says("Of this OAuth client; of all when left out."))


IssuedTokenSchema = showing(
    IssuedToken,
    fingerprint="The name of the token in the journal.",
    request="`seq` of the journal entry of the request that it was issued to.",
    jti="The token's own id, a claim in it.",
    uses="Requests it authorised.",
    revoked="Why, if it was revoked.",
    expired=fields.Boolean(**says("By the sandbox clock.")),
)


class IssuedTokenPageSchema(AnswerSchema):
    tokens = fields.List(fields.Nested(IssuedTokenSchema))
    total = fields.Integer(**says("How many there are in all."))


class TokenQuerySchema(StrictSchema):
    client_id = fields.String(**says("Of this OAuth client; of all when left out."))
    limit = fields.Integer(load_default=100, validate=between(1, 1_000), **says("The newest."))
    skip = fields.Integer(
        load_default=0,
        validate=between(0, 1_000_000_000),
        **says("Leaves out so many of the newest: those that earlier pages showed."),
    )


@blueprint.get("/tokens", query=TokenQuerySchema, answer=IssuedTokenPageSchema)
def list_tokens(query: dict[str, Any]) -> dict[str, Any]:
    """List the newest tokens issued since the last reset, oldest first, each with its request, its end and its uses."""
    sandbox, client_id = current_sandbox(), query.get("client_id")
    now = sandbox.clock.timestamp()
    tokens = [token for token in sandbox.tokens if client_id in (None, token.client_id)]
    end = max(0, len(tokens) - query["skip"])
    newest = tokens[max(0, end - query["limit"]) : end]
    return {
        "tokens": [{**asdict(token), "expired": now >= token.expires_at} for token in newest],
        "total": len(tokens),
    }


@blueprint.post("/tokens/revoke", body=RevocationSchema, answer=answer_of("Revoked", revoked=fields.Integer()))
@blueprint.problem(404, "There is no such OAuth client.")
def revoke_tokens(body: dict[str, Any]) -> dict[str, int]:
    """Revoke the access tokens of one OAuth client, or of all."""
    sandbox, client_id = current_sandbox(), body.get("client_id")
    if client_id is not None and sandbox.store.find_client(client_id) is None:
        raise NotFoundError("OAuth client", client_id, [client.id for client in sandbox.store.clients()])
    return {"revoked": sandbox.revoke_tokens(client_id)}


@blueprint.post("/keys/rotate", status=204)
def rotate_keys() -> None:
    """Replace the signing key; tokens signed by the old one are refused from now on."""
    current_sandbox().rotate_keys()
