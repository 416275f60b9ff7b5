"""Process flows with their webhooks and callbacks, API keys and users: the vendor's pages for them over HTTP."""

from __future__ import annotations

import re
from typing import Any, Final

from flask import Response, request
from marshmallow import fields
from msgspec.structs import asdict

from sandbox.foundation.errors import SeedError
from sandbox.platform.flows import model
from sandbox.platform.flows.store import FlowStore
from sandbox.state.seed import parse_part
from sandbox.web.addresses import hook_address
from sandbox.web.control.base import Blueprint, base_url, current_sandbox, read_json
from sandbox.web.control.problems import refusal
from sandbox.web.control.schemas import (
    ChangeSchema,
    Flag,
    PageQuerySchema,
    WholeNumber,
    between,
    page,
    page_of,
    says,
    showing,
)
from sandbox.web.control.seed_views import may_know_secrets

blueprint = Blueprint("flows", __name__, description="Process flows, their URLs, API keys and users")

_TAKEN: Final = "The name, an id or a version is taken, or there are too many."
_PART: Final = re.compile(r"companies\[0\]\.(?:flows|api_keys|users)\[0\]\.?")
_HOOK: Final = re.compile(_PART.pattern + r"(?:webhooks|callbacks)\[0\]\.?")
"""The places of a body in the seed that it is checked as a part of."""
_HIDDEN: Final = "Null where the asker may not know it: neither on this machine nor with the control key."


_HOOK_FIELDS: Final[dict[str, Any]] = {
    "id": fields.String(),
    "signature": _HIDDEN,
    "url": fields.String(**says("With the signature, where that is shown.")),
}
WebhookSchema = showing(
    model.Webhook,
    **_HOOK_FIELDS,
    hmac=fields.Nested(showing(model.Hmac, key=None), allow_none=True),
    answer=fields.Nested(showing(model.CustomAnswer, "WebhookAnswer"), allow_none=True),
)
CallbackSchema = showing(model.Callback, **_HOOK_FIELDS, returns="Null for the payload itself.")
FlowSchema = showing(
    model.Flow,
    versions="Ids of its versions, oldest first.",
    deployed="Id of the version that is deployed.",
    webhooks=fields.List(fields.Nested(WebhookSchema)),
    callbacks=fields.List(fields.Nested(CallbackSchema)),
    start_url=fields.String(),
)


class FlowChangeSchema(ChangeSchema):
    enabled = Flag()
    deployed = WholeNumber(
        allow_none=True,
        validate=between(1, 2**53),
        **says("Id of the version to deploy; null for none."),
    )


FlowRunSchema = showing(
    model.FlowRun,
    number=None,
    stopped=None,
    ends_at="Null where it never ends.",
    entry="Id of the journal entry of its request.",
    retries="Id of the run that it repeats.",
    status=fields.Integer(**says("That of the Core API: 1 started, 2 success, 3 failure, 4 stopped.")),
)
_KEY: Final[dict[str, Any]] = {"secret": None, "last_four": fields.String()}
ApiKeySchema = showing(model.ApiKey, **_KEY)
NewApiKeySchema = showing(model.ApiKey, "NewApiKey", **_KEY, key=fields.String())
"""A new API key. No other answer shows its text; if it is lost, create another one."""
UserSchema = showing(model.User, secret=None)


def _store() -> FlowStore:
    return current_sandbox().store.flows


@blueprint.errorhandler(SeedError)
def _refused(error: SeedError) -> Response:
    body = _HOOK if request.path.endswith(("/webhooks", "/callbacks")) else _PART
    found = [body.sub("", text, count=1).partition(": ") for text in error.texts]
    return refusal(*(_problem_of(place, message) if message else _problem_of("", place) for place, _, message in found))


def _problem_of(place: str, message: str) -> dict[str, str]:
    field = f"body.{place}" if place else "body"
    given, refused, allowed = message.rpartition(" is not allowed; ")
    return {"field": field, "given": given, "message": allowed} if refused else {"field": field, "message": message}


def _presented(flow: model.Flow) -> dict[str, Any]:
    signed = may_know_secrets()
    return {
        **asdict(flow),
        "start_url": base_url() + model.START_PATH.format(id=flow.id),
        "webhooks": [_hook(flow, hook, signed=signed) for hook in flow.webhooks],
        "callbacks": [_hook(flow, hook, signed=signed) for hook in flow.callbacks],
    }


def _hook(flow: model.Flow, hook: model.Hook, *, signed: bool) -> dict[str, Any]:
    url = hook_address(flow, hook, base_url(), signed=signed)
    return {**asdict(hook), "url": url, "signature": hook.signature if signed else None}


# --- flows ------------------------------------------------------------------------------------------------------------


@blueprint.get("/flows", answer=FlowSchema(many=True), no_store=True)
def list_flows() -> list[dict[str, Any]]:
    """List the process flows, 1,000 at most, with their URLs."""
    return [_presented(flow) for flow in _store().flows()]


@blueprint.post("/companies/<company>/flows", body="SeedFlow", answer=FlowSchema, status=201, no_store=True)
@blueprint.problem(409, _TAKEN)
def add_flow(company: str) -> dict[str, Any]:
    """Add a process flow as a seed has it; what is left out is generated."""
    slug = current_sandbox().store.company(company).slug
    return _presented(_store().add_flow(slug, parse_part("flows", read_json())))


@blueprint.post("/companies/<company>/flows/<int:flow_id>/copy", answer=FlowSchema, status=201, no_store=True)
@blueprint.problem(404, "There is no such company or flow.")
@blueprint.problem(409, _TAKEN)
def copy_flow(company: str, flow_id: int) -> dict[str, Any]:
    """Copy a flow into a company; it gets new ids and signatures, and its webhooks keep the keys of their HMACs."""
    slug = current_sandbox().store.company(company).slug
    return _presented(_store().copy_flow(flow_id, slug))


@blueprint.get("/flows/<int:flow_id>", answer=FlowSchema, no_store=True)
def get_flow(flow_id: int) -> dict[str, Any]:
    """Show a process flow."""
    return _presented(_store().flow(flow_id))


@blueprint.patch("/flows/<int:flow_id>", body=FlowChangeSchema, answer=FlowSchema, no_store=True)
def change_flow(body: dict[str, Any], flow_id: int) -> dict[str, Any]:
    """Enable or disable a flow, and deploy a version of it."""
    return _presented(_store().change_flow(flow_id, **body))


@blueprint.delete("/flows/<int:flow_id>", status=204)
def delete_flow(flow_id: int) -> None:
    """Delete a flow with its webhooks and callbacks."""
    _store().delete_flow(flow_id)


@blueprint.post("/flows/<int:flow_id>/versions", answer=FlowSchema, status=201, no_store=True)
@blueprint.problem(409, "There are too many.")
def add_version(flow_id: int) -> dict[str, Any]:
    """Add a version to a flow; it is not deployed."""
    return _presented(_store().add_version(flow_id))


@blueprint.post("/flows/<int:flow_id>/webhooks", body="SeedWebhook", answer=WebhookSchema, status=201, no_store=True)
@blueprint.problem(409, "The id is taken, or there are too many.")
def add_webhook(flow_id: int) -> dict[str, Any]:
    """Add a webhook to a flow; id and signature are generated unless given."""
    return _add_hook(flow_id, "webhooks")


@blueprint.post("/flows/<int:flow_id>/callbacks", body="SeedCallback", answer=CallbackSchema, status=201, no_store=True)
@blueprint.problem(409, "The id is taken, or there are too many.")
def add_callback(flow_id: int) -> dict[str, Any]:
    """Add a callback to a flow; id and signature are generated unless given."""
    return _add_hook(flow_id, "callbacks")


def _add_hook(flow_id: int, kind: str) -> dict[str, Any]:
    [hook] = parse_part("flows", {"name": "-", kind: [read_json()]}).hooks
    added = _store().add_hook(flow_id, hook)
    return _hook(_store().flow(flow_id), added, signed=True)


@blueprint.delete("/flows/<int:flow_id>/hooks/<hook_id>", status=204)
def delete_hook(flow_id: int, hook_id: str) -> None:
    """Delete a webhook or callback of a flow."""
    _store().delete_hook(flow_id, hook_id)


@blueprint.get("/flows/<int:flow_id>/runs", query=PageQuerySchema, answer=page_of("FlowRuns", FlowRunSchema))
def list_flow_runs(query: dict[str, int], flow_id: int) -> dict[str, Any]:
    """List the runs of a flow in the last seven days, oldest first, a page at a time."""
    flow, now = _store().flow(flow_id), current_sandbox().clock.timestamp()
    runs = current_sandbox().platform.runs
    answer = page((run for run in runs.runs() if run.flow_id == flow.id), **query, dropped=runs.dropped)
    return {**answer, "runs": [{**asdict(run), "status": run.status(now)} for run in answer["runs"]]}


# --- API keys and users -----------------------------------------------------------------------------------------------


@blueprint.get("/api-keys", answer=ApiKeySchema(many=True))
def list_api_keys() -> list[model.ApiKey]:
    """List the API keys, 100 a company at most, revoked ones too, with the last four characters of their text."""
    return _store().api_keys()


@blueprint.post("/companies/<company>/api-keys", body="SeedApiKey", answer=NewApiKeySchema, status=201, no_store=True)
@blueprint.problem(409, "The name or the text is taken, or there are too many.")
def add_api_key(company: str) -> dict[str, Any]:
    """Create an API key; only this answer shows its text."""
    slug = current_sandbox().store.company(company).slug
    new = _store().add_api_key(slug, parse_part("api_keys", read_json()))
    return {**asdict(new.key), "last_four": new.key.last_four, "key": new.secret}


@blueprint.post("/api-keys/<int:key_id>/revoke", answer=ApiKeySchema)
def revoke_api_key(key_id: int) -> model.ApiKey:
    """Revoke an API key; it stays in the list."""
    return _store().revoke_api_key(key_id)


@blueprint.delete("/api-keys/<int:key_id>", status=204)
def delete_api_key(key_id: int) -> None:
    """Delete an API key."""
    _store().delete_api_key(key_id)


@blueprint.get("/users", answer=UserSchema(many=True))
def list_users() -> list[model.User]:
    """List the users that may log in, 100 a company at most."""
    return _store().users()


@blueprint.post("/companies/<company>/users", body="SeedUser", answer=UserSchema, status=201)
@blueprint.problem(409, "The address belongs to another company, or there are too many.")
def put_user(company: str) -> model.User:
    """Add a user, or give the user with this address another password."""
    slug = current_sandbox().store.company(company).slug
    return _store().put_user(slug, parse_part("users", read_json()))


@blueprint.delete("/users/<int:user_id>", status=204)
def delete_user(user_id: int) -> None:
    """Delete a user; the tokens of its logins stop working."""
    current_sandbox().delete_user(user_id)
