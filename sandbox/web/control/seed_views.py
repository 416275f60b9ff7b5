"""Where the sandbox is, and its seed, over HTTP: what a program needs that did not start the sandbox itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, request
from marshmallow import ValidationError, fields

from sandbox.foundation.errors import SeedError, SettingError
from sandbox.foundation.loopback import is_loopback
from sandbox.foundation.strict_json import write_json
from sandbox.state.seed import parse_seed
from sandbox.state.seed.schema import seed_schema
from sandbox.state.seed_loading import Loaded
from sandbox.web.addresses import Endpoints
from sandbox.web.control.base import TOKEN_ENDPOINT, Blueprint, base_url, current_sandbox, read_json_object
from sandbox.web.control.problems import refusal
from sandbox.web.control.schemas import AnswerSchema, says
from sandbox.web.environ import ENDPOINTS

blueprint = Blueprint("seed", __name__, description="Addresses, credentials, and the seed")

_SECRET: Final = "Null where the asker may not know it: neither on this machine nor with the control key."  # noqa: S105


_UNSIGNED: Final = "Without them where the asker may not know secrets."


class EndpointsSchema(AnswerSchema):
    """Where the sandbox is, and the credentials of the first OAuth client of its seed: what its ready file holds."""

    base_url = fields.String(**says("As the request was addressed, or the setting `public_url`."))
    control_url = fields.String()
    control_key = fields.String(allow_none=True, **says("Null where none is needed."))
    token_url = fields.String()
    inbound_urls = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        **says("Of the first company, by vanity URL.", example={"orders": "http://127.0.0.1:8025/v1/acme/orders"}),
    )
    company = fields.String(allow_none=True, **says("Slug of the first company of the seed."))
    client_id = fields.String(allow_none=True)
    client_secret = fields.String(allow_none=True, **says(_SECRET))
    flows = fields.Dict(
        keys=fields.String(),
        values=fields.Nested("FlowAddressesSchema"),
        **says("Of the first company, by name."),
    )
    api_key = fields.String(allow_none=True, **says(f"The first one of the seed. {_SECRET}"))
    login_url = fields.String(**says("Login of users by `email`."))
    start_url = fields.String(**says("Base URL of the Start API."))
    core_url = fields.String(**says("Base URL of the Core API."))
    version = fields.String()
    pid = fields.Integer()
    tls_base_url = fields.String(allow_none=True, **says("Null without HTTPS."))
    tls_ca_file = fields.String(allow_none=True, **says("On the machine of the sandbox."))


class FlowAddressesSchema(AnswerSchema):
    id = fields.Integer()
    start_url = fields.String()
    webhooks = fields.List(fields.String(), **says(f"With their signatures. {_UNSIGNED}"))
    callbacks = fields.List(fields.String(), **says(f"With their signatures. {_UNSIGNED}"))


class SeededClientSchema(AnswerSchema):
    connector_id = fields.Integer(attribute="client.connector_id")
    name = fields.String(attribute="client.name")
    client_id = fields.String(attribute="client.id")
    client_secret = fields.String(attribute="secret", allow_none=True, **says(_SECRET))
    token_endpoint = TOKEN_ENDPOINT


class SeededSchema(AnswerSchema):
    endpoints = fields.Nested(EndpointsSchema)
    clients = fields.List(fields.Nested(SeededClientSchema))


def may_know_secrets() -> bool:
    """Return whether the asker holds the control key, or is on this machine where none is needed.

    A request that came by no network, from the same process or by a Unix socket, has no address.
    """
    address = request.environ.get("REMOTE_ADDR", "")
    return own_endpoints().control_key is not None or not address or is_loopback(address)


def own_endpoints() -> Endpoints:
    """Return the addresses of the sandbox by the name under which it was asked."""
    found: Endpoints = request.environ[ENDPOINTS](base_url())
    if found.tls is None or current_sandbox().settings.public_url:
        return found
    port = urlsplit(found.tls.base_url).port
    host = urlsplit(base_url()).hostname or ""
    name = f"[{host}]" if ":" in host else host
    return replace(found, tls=replace(found.tls, base_url=f"https://{name}:{port}"))


def _document() -> dict[str, Any]:
    document = own_endpoints().ready_document()
    if may_know_secrets():
        return document
    return {**document, "client_secret": None, "api_key": None, "flows": own_endpoints().flows(signed=False)}


def _seeded(loaded: Loaded) -> dict[str, Any]:
    shows = may_know_secrets()
    clients = [{"client": new.client, "secret": new.secret if shows else None} for new in loaded.clients.values()]
    return {"endpoints": _document(), "clients": clients}


@blueprint.get("/endpoints", answer=EndpointsSchema, no_store=True)
def get_endpoints() -> dict[str, Any]:
    """Show where the sandbox is and the credentials of its first OAuth client, as the ready file does.

    The secret is shown to a request that brings the control key. Where no key is needed it is shown on the machine of
    the sandbox only.
    """
    return _document()


@blueprint.put("/seed", body="Seed", answer=SeededSchema, no_store=True)
def put_seed() -> dict[str, Any]:
    """Replace the seed, and return to it as a reset does: all of it, or nothing if any part is refused.

    Credentials that the seed does not give are new. Settings that the sandbox was started with are stronger than those
    of the seed. `sample_file` and `${NAME}` are for seed files.
    """
    return _seeded(current_sandbox().replace_seed(parse_seed(_sent())))


@blueprint.post("/seed", body="Seed", answer=SeededSchema, no_store=True)
@blueprint.problem(409, "A client id or a company belongs to something else that the sandbox has.")
def post_seed() -> dict[str, Any]:
    """Put a seed on top of what there is: all of it, or nothing if any part is refused.

    It adds what it names, and changes what exists under the same names, now and after each reset. Everything else stays
    as it is, the journal too. An OAuth client keeps its id and its secret unless the seed gives others.
    """
    return _seeded(current_sandbox().extend_seed(_sent()))


def _sent() -> dict[str, Any]:
    if not request.get_data():  # most likely an error, and as an empty seed it would remove everything
        raise ValidationError("missing; send a seed, or {} for an empty one")
    return read_json_object()


@blueprint.errorhandler(SeedError)
@blueprint.errorhandler(SettingError)
def _refused(error: SeedError | SettingError) -> Response:
    if isinstance(error, SettingError):
        return refusal({"field": f"body.settings.{error.field}", "message": str(error).partition(": ")[2]})
    return refusal(*({"field": "body", "message": text} for text in error.texts))


@blueprint.get("/seed.schema.json")
@blueprint.response(
    200, {"type": "object"}, description="A JSON Schema (draft 2020-12), for editors and programs that write seeds."
)
def get_seed_schema() -> Response:
    """Return the JSON Schema of a seed file, the format of `--seed-file`."""
    return Response(write_json(seed_schema(), indent=2), content_type="application/json")
