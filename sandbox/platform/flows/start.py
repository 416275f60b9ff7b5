"""The Start API: a request starts a flow with a payload (FLOWS 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from sandbox.faults.fault import Act
from sandbox.foundation.answer import JSON, Answer
from sandbox.foundation.form_data import pairs_of, php_fields
from sandbox.foundation.refusals import InvalidPayloadError, MessageError, Violation
from sandbox.foundation.settings import Settings
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.endpoint_kind import START
from sandbox.journal.entry import Exchange
from sandbox.platform.endpoints.responses import Responses
from sandbox.platform.flows.flow_endpoint import (
    MANAGED,
    NO_CALLER,
    Caller,
    ManagedEndpoint,
    json_answer,
    json_body,
    operation,
    parameter,
)
from sandbox.platform.flows.model import Flow, Trigger, User
from sandbox.platform.flows.webhook import INITIALISED
from sandbox.platform.platform import Platform

_NOT_DEPLOYED: Final = "The flow has no deployed version."
_DISABLED: Final = "The flow is not enabled."
_IDS: Final = {"flow_id": "Id of the flow.", "version_id": "Id of the version of the flow."}
_VARIABLES: Final = {
    "type": "string",
    "contentMediaType": JSON,
    "contentSchema": {"type": "object"},
    "example": '{"x": 1}',
}
FLOW_NOT_FOUND: Final = "Flow not found"
_VERSION_NOT_FOUND: Final = "Flow version not found"
_RUN_ID: Final = "01hx3v9k2m8e5n7q4r6s0t1w2y"


class StartEndpoint(ManagedEndpoint):
    """One of the eight addresses on which a flow is started: queued or not, wrapped or raw, of a version or not."""

    kind = START
    description = "Start API of process flows"
    in_subject: ClassVar[Mapping[str, str]] = {"flow_id": "flow"}

    def __init__(self, *, manual: bool, raw: bool, versioned: bool) -> None:
        words = ["manual" if manual else "start", *(["raw"] if raw else []), *(["{version_id}"] if versioned else [])]
        self.path = "/api/v1/flows/{flow_id}/" + "/".join(words)
        self._manual = manual
        self._raw = raw
        if raw:
            taken, body = "any JSON", json_body({}, started={"order": "1001"})
        else:
            wrapped = {"type": "object", "required": ["payload"], "properties": {"payload": {"type": "string"}}}
            taken, body = "the text in `payload`", json_body(wrapped, started={"payload": '{"order":"1001"}'})
        queued = "past the queue" if manual else "by the queue"
        self.operations = {
            "POST": operation(
                f"Start {'a version of ' if versioned else ''}a flow {queued}, with {taken}.",
                f"{words[0]}{'Raw' if raw else ''}Flow{'Version' if versioned else ''}",
                "An empty body starts the flow with an empty payload.",
                parameters=[
                    *(
                        parameter(name, "path", description, {"type": "integer", "example": 1})
                        for name, description in _IDS.items()
                        if f"{{{name}}}" in self.path
                    ),
                    parameter("virtual_environment_id", "query", "Id of a virtual environment.", {"type": "integer"}),
                    parameter("flow_variables", "query", "Flow variables, a JSON object.", _VARIABLES),
                ],
                body=body,
                needs_body=False,
                security=MANAGED,
            )
        }
        super().__init__()

    def handle(self, exchange: Exchange, platform: Platform, admitted: Caller, act: Act | None) -> Answer:
        """Begin a run, in the order: flow, version, body."""
        values = self.values(exchange, platform)
        flow = _flow(values["flow_id"], platform, admitted)
        exchange.subject = {"company": flow.company, "flow": flow.name}
        version = _version(flow, values.get("version_id"), platform)
        query = php_fields(pairs_of(exchange.request.query))
        variables = environment = None
        with _accepting(exchange, platform.settings):
            variables = _variables(query.get("flow_variables"))
        with _accepting(exchange, platform.settings):
            environment = _environment(query.get("virtual_environment_id"))
        with _accepting(exchange, platform.settings):
            self._check_body(exchange)
        trigger: Trigger = "Manual" if self._manual else "API"
        user_id = admitted.id if isinstance(admitted, User) else None
        run = platform.runs.begin(
            exchange, flow, version, trigger, environment=environment, variables=variables, user_id=user_id
        )
        return _started(platform.settings, run.id)

    def _check_body(self, exchange: Exchange) -> None:
        """Refuse a body that is no JSON, or in the wrapped form one that holds no text in ``payload``."""
        if not exchange.request.body.strip():
            return
        try:
            document = exchange.request.json()
        except NotJsonError as error:
            raise InvalidPayloadError("flow_payload", [Violation("payload", "json", f"not JSON: {error}")]) from None
        if self._raw or document == {}:
            return
        if not isinstance(document, dict) or document.get("payload") is None:
            raise InvalidPayloadError("flow_payload", [Violation("payload", "required")])
        if not isinstance(document["payload"], str):
            raise InvalidPayloadError("flow_payload", [Violation("payload", "string", "text; /raw takes JSON")])

    def responses(self, method: str, settings: Settings) -> Mapping[str, Any]:
        """Return the responses; the refusals are those of ``admit`` and ``handle``."""
        unknown = [MessageError("unknown_flow", 404, FLOW_NOT_FOUND)]
        unknown.append(MessageError("unknown_version", 404, _VERSION_NOT_FOUND))
        not_startable = [
            MessageError("flow_not_deployed", 422, _NOT_DEPLOYED),
            InvalidPayloadError("flow_payload", [Violation("payload", "string")]),
        ]
        refused = self.refused(
            settings,
            NO_CALLER,
            ("The company has no such flow, or the flow no such version.", unknown),
            ("The flow has no deployed version, or the body is not as documented.", not_startable),
        )
        description = "The flow was started; the key of the run's id is ours (setting flow_run_key)."
        started = {"started": _started(settings, _RUN_ID)}
        return refused | {"200": Responses(settings).json(description, "FlowStarted", started)}


@contextmanager
def _accepting(exchange: Exchange, settings: Settings) -> Iterator[None]:
    """Note in the journal why a part of a request is not used, where the setting ``flow_payload`` accepts that."""
    try:
        yield
    except InvalidPayloadError as error:
        if settings.flow_payload == "reject":
            raise
        exchange.reason = exchange.reason or error.reason


def _started(settings: Settings, run_id: str) -> Answer:
    return json_answer({"message": INITIALISED, settings.flow_run_key: run_id})


def _flow(flow_id: str, platform: Platform, caller: Caller) -> Flow:
    flow = platform.store.flows.find_flow(flow_id)
    if flow is None or flow.company != caller.company:
        raise MessageError(f"unknown_flow: company {caller.company} has no flow {flow_id}", 404, FLOW_NOT_FOUND)
    return flow


def _version(flow: Flow, given: str | None, platform: Platform) -> int:
    """Return the version to start: the one given, else the one that is deployed."""
    if not flow.enabled and platform.settings.disabled_flow != "accept":
        raise MessageError(f"flow_disabled: flow {flow.name}", 422, _DISABLED)
    known = [str(version) for version in flow.versions]
    if given is not None and given not in known:
        reason = f"unknown_version: flow {flow.name} has the versions {', '.join(known)}"
        raise MessageError(reason, 404, _VERSION_NOT_FOUND)
    version = flow.deployed if given is None else int(given)
    if version is None:
        raise MessageError(f"flow_not_deployed: flow {flow.name}", 422, _NOT_DEPLOYED)
    return version


def _variables(given: Any) -> str | None:
    """Return the text of the flow variables, which is a JSON object."""
    if given in (None, ""):
        return None
    try:
        variables = parse_json(str(given).encode("utf-8", "surrogatepass"))
    except NotJsonError as error:
        wrong = Violation("flow_variables", "json", f"not JSON: {error}")
        raise InvalidPayloadError("flow_variables", [wrong]) from None
    if not isinstance(given, str) or not isinstance(variables, dict):
        raise InvalidPayloadError("flow_variables", [Violation("flow_variables", "array", "a JSON object")])
    return given


def _environment(given: Any) -> str | None:
    if given in (None, ""):
        return None
    if not isinstance(given, str) or not (given.isascii() and given.isdecimal() and len(given) <= 18):
        raise InvalidPayloadError("virtual_environment", [Violation("virtual_environment_id", "integer")])
    return given


ENDPOINTS: Final = tuple(
    StartEndpoint(manual=manual, raw=raw, versioned=versioned)
    for versioned in (False, True)
    for raw in (True, False)
    for manual in (False, True)
)
"""``…/start/raw`` comes before ``…/start/{version_id}``, which takes its path too."""
