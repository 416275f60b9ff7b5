"""The interface of an endpoint of process flows, and the callers of those that need credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, TypeAlias

from sandbox.foundation.answer import JSON, Answer, compact
from sandbox.foundation.refusals import (
    RefusalError,
    TooManyAttemptsError,
    UnauthenticatedError,
)
from sandbox.foundation.settings import Settings
from sandbox.journal.entry import Exchange
from sandbox.journal.request import Request
from sandbox.platform.endpoints.endpoint import Admitted, Endpoint
from sandbox.platform.endpoints.responses import Responses
from sandbox.platform.flows.model import ApiKey, User
from sandbox.platform.platform import Platform

_WINDOW_S: Final = 60

Refusals: TypeAlias = tuple[str, Sequence[RefusalError]]
"""A description, and the refusals with one status that it describes."""


class FlowEndpoint(Endpoint[Admitted]):
    """One address of process flows. Several may have one kind, such as the routes of the Start API."""

    limit: ClassVar[int] = 240
    """Requests a minute (FLOWS 7)."""
    in_subject: ClassVar[Mapping[str, str]] = {}
    """Names of values in the path, with the names that they have in the subject of an entry."""

    def __init__(self) -> None:
        super().__init__()
        self._at_end = re.compile(f"(?:{self._pattern.pattern})$")

    def subject_of(self, path: str, settings: Settings) -> Mapping[str, str] | None:
        """Return the values of a path that ``in_subject`` names; ``admit`` adds others."""
        values = super().subject_of(path, settings)
        return values and {self.in_subject[name]: value for name, value in values.items() if name in self.in_subject}

    def methods(self, settings: Settings) -> Sequence[str]:
        """Return the methods of its operations; GET brings HEAD."""
        return [name for method in self.operations for name in ((method, "HEAD") if method == "GET" else (method,))]

    def knows(self, subject: Mapping[str, str], platform: Platform) -> bool:
        """Return whether the values in a path name something of this endpoint, where another takes the path too."""
        return True

    def refused(self, settings: Settings, *refusals: Refusals) -> dict[str, Any]:
        """Return the responses that every endpoint has, and those to these refusals."""
        describe, path = Responses(settings), re.sub(r"\{\w+\}", "9", self.path)
        exchange, found = Exchange(Request("POST", path), 0.0, 0.0), describe.shared()
        for description, errors in refusals:
            status = describe.wire.refusal(errors[0], exchange).status
            found[str(status)] = describe.refusals(description, *errors, path=path)
        return found

    def values(self, exchange: Exchange, platform: Platform) -> Mapping[str, str]:
        """Return the values that the path of a request holds, also where the path has a prefix (FLOWS 1)."""
        return self.values_of(platform.wire.route_path(exchange.request.path)) or {}

    def values_of(self, path: str) -> Mapping[str, str] | None:
        """Return the values that a path holds, with a prefix or without it; ``None`` where it is not its path."""
        match = self._at_end.search(path)
        return match and match.groupdict()

    def count(self, exchange: Exchange, platform: Platform, client_id: str | None) -> None:
        """Count a request of a caller, else of an address; raise ``TooManyAttemptsError`` beyond its limit."""
        if not platform.settings.flow_limits:
            exchange.rate = self.limit, self.limit - 1
            return
        key = f"{self.kind.name} {client_id or exchange.request.remote_addr}"
        verdict = platform.throttle.hit(key, self.limit, _WINDOW_S, exchange.received_at)
        exchange.rate = verdict.limit, verdict.remaining
        if not verdict.allowed:
            raise TooManyAttemptsError(verdict.retry_after_s, verdict.reset_at)


Caller: TypeAlias = ApiKey | User
"""The API key or the logged-in user of a request."""


MANAGED: Final = ("apiKey", "loginToken")
"""The security schemes of a ``ManagedEndpoint``."""

NO_CALLER: Final[Refusals] = (
    "There is no API key and no token of the login, or it is not good.",
    [UnauthenticatedError("no_api_key")],
)
"""The refusal by ``caller_of``."""


class ManagedEndpoint(FlowEndpoint[Caller]):
    """An endpoint that takes an API key as it is, or a token of the login after ``Bearer`` (FLOWS 2)."""

    def admit(self, exchange: Exchange, platform: Platform) -> Caller:
        """Return the caller of a request; the throttle comes first and counts for each company."""
        try:
            caller = caller_of(exchange, platform)
        except UnauthenticatedError:
            self.count(exchange, platform, None)
            raise
        exchange.client_id = caller.email if isinstance(caller, User) else caller.name
        exchange.subject = {**exchange.subject, "company": caller.company}
        self.count(exchange, platform, caller.company)
        return caller


def json_answer(document: object, status: int = 200, *, content_type: str = JSON) -> Answer:
    """Return an answer that is not to be stored: bytes as they are, anything else as JSON."""
    body = document if isinstance(document, bytes) else compact(document)
    return Answer(status, (("Content-Type", content_type), ("Cache-Control", "no-cache, private")), body)


def parameter(name: str, place: str, description: str, schema: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a parameter of the path, the query or the headers as OpenAPI has it."""
    required = {"required": True} if place == "path" else {}
    return {"name": name, "in": place, **required, "description": description, "schema": dict(schema), **more}


def operation(
    summary: str,
    operation_id: str,
    description: str,
    *,
    parameters: Sequence[Mapping[str, Any]] = (),
    body: Mapping[str, Any] | None = None,
    needs_body: bool = True,
    security: Sequence[str] = (),
) -> dict[str, Any]:
    """Return an operation as OpenAPI has it; ``body`` is the content of its body, ``security`` has names of schemes."""
    return {
        "summary": summary,
        "description": description,
        "operationId": operation_id,
        **({"parameters": list(parameters)} if parameters else {}),
        **({"requestBody": {"required": needs_body, "content": body}} if body else {}),
        "security": [{name: []} for name in security],
    }


def json_body(schema: Mapping[str, Any], **examples: Any) -> dict[str, Any]:
    """Return the content of a JSON body with examples by their names."""
    return {JSON: {"schema": schema, "examples": {name: {"value": value} for name, value in examples.items()}}}


def caller_of(exchange: Exchange, platform: Platform) -> Caller:
    """Return the API key or the user of a request; raise ``UnauthenticatedError``."""
    given, flows = (exchange.request.header("Authorization") or "").strip(), platform.store.flows
    if not given:
        raise UnauthenticatedError("no_api_key: there is no Authorization header")
    access_token = platform.wire.credentials(given, "Bearer")
    if access_token is None:
        key = flows.find_api_key(given)
        if key is None:
            raise UnauthenticatedError("unknown_api_key: no API key has this text")
        if key.revoked:
            raise UnauthenticatedError(f"api_key_revoked: API key {key.name} was revoked")
        return key
    if flows.find_api_key(access_token) is not None:
        raise UnauthenticatedError("api_key_as_bearer: an API key is sent as it is, without Bearer")
    token = platform.tokens.find(access_token)
    exchange.client_id, exchange.token = token.client_id, token.link
    token.check(exchange.received_at)
    user = flows.find_user(token.client_id)
    if user is None:
        raise UnauthenticatedError(
            "user_deleted: the user of the token was deleted"
            if platform.store.find_client(token.client_id) is None
            else "inbound_token: the token is for inbound URLs"
        )
    platform.tokens.note_use(token)
    return user
