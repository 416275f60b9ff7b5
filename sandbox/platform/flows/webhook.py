"""Webhooks and callbacks: the URLs that start a flow without credentials (FLOWS 4)."""

from __future__ import annotations

import base64
import hmac
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar

from sandbox.faults.fault import Act
from sandbox.foundation.answer import JSON, WITHOUT_BODY, Answer
from sandbox.foundation.form_data import pairs_of, php_fields
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.refusals import MessageError, RefusalError, UnauthenticatedError
from sandbox.foundation.settings import Settings
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.contract_rules import HMAC_HEADER
from sandbox.journal.endpoint_kind import CALLBACK, WEBHOOK, EndpointKind
from sandbox.journal.entry import Exchange
from sandbox.journal.redaction import SIGNATURE
from sandbox.platform.endpoints.responses import Responses
from sandbox.platform.flows.flow_endpoint import FlowEndpoint, json_answer, json_body, operation, parameter
from sandbox.platform.flows.model import ULID, Callback, CustomAnswer, Flow, Format, Hook, Trigger, Webhook
from sandbox.platform.flows.runs import query_payload
from sandbox.platform.platform import Platform

INITIALISED: Final = "Flow initialised."
_WRONG: Final = "Invalid signature."
_INACTIVE: Final = "The flow is not active."
SIGNATURE_HEADER: Final = "patchworks-signature"
TYPES: Final[Mapping[Format, str]] = {"json": JSON, "xml": "application/xml", "txt": "text/plain; charset=UTF-8"}
"""The content type of each format of an answer."""

_H = TypeVar("_H", bound=Hook)
_ID: Final = "01hx3v9k2m8e5n7q4r6s0t1w2y"
_COMPANY: Final = {"type": "string", "minLength": 1, "example": "acme"}
_HOOK: Final = {"type": "string", "pattern": ULID, "example": _ID}
_ENVIRONMENT: Final = {"type": "integer", "minimum": 0, "example": 2}
_ANY: Final = {"type": "object", "additionalProperties": {"type": "string"}}


class _HookEndpoint(FlowEndpoint[tuple[Flow, _H]]):
    """The address of webhooks or of callbacks, with or without the prefix of a virtual environment.

    No document can tell the two apart, which have the same path on two hosts, so both have one documentation.
    """

    in_subject: ClassVar[Mapping[str, str]] = {"company": "company", "webhook_id": "hook"}
    hook: type[_H]
    trigger: ClassVar[Trigger]

    def __init__(self, *, environment: bool) -> None:
        in_path: dict[str, tuple[str, Mapping[str, Any]]] = {
            "company": ("The company's part of the URL.", _COMPANY),
            "webhook_id": ("Id of the webhook or callback, a ULID in lower case.", _HOOK),
        }
        if environment:
            in_path["ve_prefix"] = "Prefix of a virtual environment.", _ENVIRONMENT
        self.path = "/api/v1/" + "/".join(f"{{{part}}}" for part in in_path)
        any_query = "Any parameters: the payload, where there is no body."
        in_header = "The signature of a callback, where it is not in the query."
        of_body = "The HMAC of the body, where a webhook asks for one."
        parameters = [
            *(parameter(part, "path", *described) for part, described in in_path.items()),
            parameter(SIGNATURE, "query", "The signature, which never expires.", {"type": "string", "minLength": 1}),
            parameter(SIGNATURE_HEADER, "header", in_header, {"type": "string"}),
            parameter(HMAC_HEADER, "header", of_body, {"type": "string"}),
            parameter("payload", "query", any_query, _ANY, style="form", explode=True),
        ]
        where, suffix = (" in a virtual environment", "InEnvironment") if environment else ("", "")
        get = operation(
            f"Start the flow of a webhook or callback{where} with the query as its payload.",
            f"webhookByGet{suffix}",
            "The parameter of the signature is no part of the payload.",
            parameters=parameters,
        )
        post = operation(
            f"Start the flow of a webhook or callback{where} with a payload.",
            f"webhookByPost{suffix}",
            "A body is the payload, and the query is ignored then.",
            parameters=parameters,
            body={**json_body({}, started={"order": "1001"}), "*/*": {"schema": {}}},
            needs_body=False,
        )
        tags = {"tags": [WEBHOOK.name, CALLBACK.name]}
        self.operations = {"GET": get | tags, "POST": post | tags}
        super().__init__()

    def knows(self, subject: Mapping[str, str], platform: Platform) -> bool:
        """Return whether the id is that of a webhook, or of a callback."""
        return platform.store.flows.find_hook(self.hook, **subject) is not None

    def admit(self, exchange: Exchange, platform: Platform) -> tuple[Flow, _H]:
        """Count a request, find its webhook or callback, and check the signature."""
        company, hook_id = exchange.subject["company"], exchange.subject["hook"]
        self.count(exchange, platform, company)
        found = platform.store.flows.find_hook(self.hook, company, hook_id)
        if found is None:
            raise _unknown(self.kind, f": company {company} has no {self.kind.name} {hook_id}")
        flow, hook = found
        exchange.subject = {"company": company, "flow": flow.name, "hook": hook_id}
        self._check_signature(exchange, platform.settings, hook)
        return flow, hook

    def _check_signature(self, exchange: Exchange, settings: Settings, hook: _H) -> None:
        given = [php_fields(pairs_of(exchange.request.query)).get(SIGNATURE)]
        if self.hook is Callback:
            given.append(exchange.request.header(SIGNATURE_HEADER))
        texts = [text for text in given if isinstance(text, str) and text]
        wanted = (hook.signature or "").encode()
        if not any(hmac.compare_digest(wanted, text.encode("utf-8", "surrogatepass")) for text in texts):
            reason = "wrong_signature: not that of this URL" if texts else f"no_signature: there is no {SIGNATURE}"
            raise _refusal(reason, settings.flow_signature)

    def handle(self, exchange: Exchange, platform: Platform, admitted: tuple[Flow, _H], act: Act | None) -> Answer:
        """Begin a run of the flow, which must be deployed and enabled."""
        flow, hook = admitted
        environment = self.values(exchange, platform).get("ve_prefix")
        version = _active_version(flow, platform)
        platform.runs.begin(exchange, flow, version, self.trigger, environment=environment)
        return self.answer(hook, exchange)

    @abstractmethod
    def answer(self, hook: _H, exchange: Exchange) -> Answer:
        """Return the answer to a request that began a run."""

    def responses(self, method: str, settings: Settings) -> Mapping[str, Any]:
        """Return the responses; the refusals are those of ``admit`` and ``handle``."""
        wrong = "The signature is missing or wrong (setting flow_signature)."
        inactive = "The flow is disabled or has no deployed version (setting inactive_flow)."
        refused = self.refused(
            settings,
            *((wrong, [_refusal("wrong_signature", choice)]) for choice in _STATUSES),
            ("The company has no such webhook or callback.", [_unknown(WEBHOOK), _unknown(CALLBACK)]),
            (inactive, [MessageError("flow_inactive", 422, _INACTIVE)]),
        )
        started = Responses(settings).json(
            "The flow was started. A callback answers with its data in an array; a webhook may have another answer, "
            "with any status and body.",
            "Message",
            {"started": _INITIALISED, "returned": json_answer([{"order": "1001"}])},
        )
        others: dict[str, Any] = {TYPES[name].partition(";")[0]: {"schema": {}} for name in TYPES}
        content = {**others, JSON: {**started["content"][JSON], "schema": {}}}
        own = {"description": "The answer of a webhook that has one of its own.", "content": {"*/*": {"schema": {}}}}
        return {
            **refused,
            "200": {**started, "content": content},
            **dict.fromkeys(("2XX", "3XX", "4XX", "5XX"), own),
        }


def _form_of(text: str, digest: bytes) -> str | None:
    """Return the form in which a text is a digest, or ``None``; it takes as long for any text."""
    in_base64 = base64.b64encode(digest).decode("ascii")
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    forms = (
        ("hex", text.lower(), digest.hex()),
        ("base64", text, in_base64),
        ("base64 for URLs or without padding", plain, in_base64.rstrip("=")),
    )
    same = [
        form
        for form, given, wanted in forms
        if hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode("ascii"))
    ]
    return same[0] if same else None


class WebhookEndpoint(_HookEndpoint[Webhook]):
    """Takes a payload for a flow, and answers at once."""

    kind = WEBHOOK
    description = "Webhooks of process flows"
    limit: ClassVar[int] = 120
    hook = Webhook
    trigger = "Webhook"

    def _check_signature(self, exchange: Exchange, settings: Settings, hook: Webhook) -> None:
        """Check the HMAC of the body too, where the webhook asks for one."""
        super()._check_signature(exchange, settings, hook)
        if hook.hmac is None:
            return
        function: Any = hook.hmac.algorithm
        if function == "ripemd128":
            from sandbox.platform.flows.ripemd128 import Ripemd128  # slow, and seldom asked for

            function = Ripemd128
        digest = hmac.new((hook.hmac.key or "").encode(), exchange.request.body, function).digest()
        given, wanted = (exchange.request.header(HMAC_HEADER) or "").strip(), settings.hmac_encoding
        form = _form_of(given, digest)
        if form != wanted:
            said = f"{HMAC_HEADER} is not the HMAC of the body" if given else f"there is no {HMAC_HEADER}"
            but = f"; it is that in {form}" if form else ""
            reason = f"wrong_hmac: {said} by {hook.hmac.algorithm} in {wanted}{but}"
            raise _refusal(reason, settings.flow_signature)

    def answer(self, hook: Webhook, exchange: Exchange) -> Answer:
        """Return the documented answer, or that of the webhook."""
        return _INITIALISED if hook.answer is None else _custom(hook.answer)


class CallbackEndpoint(_HookEndpoint[Callback]):
    """Takes a payload for a flow, and answers with data of the flow."""

    kind = CALLBACK
    description = "Callbacks of process flows"
    hook = Callback
    trigger = "Callback"

    def answer(self, hook: Callback, exchange: Exchange) -> Answer:
        """Return the data in an array: that of the callback, or else the payload. The type changes the header only."""
        returned = hook.returns
        if returned is None:
            returned = _parsed(exchange.request.body or query_payload(exchange.request.query))
        data = returned if isinstance(returned, list) else [returned]
        return json_answer(data, content_type=TYPES[hook.format])


_INITIALISED: Final = json_answer({"message": INITIALISED})
_STATUSES: Final = {"forbidden": 403, "unauthenticated": 401, "not_found": 404}


def _custom(own: CustomAnswer) -> Answer:
    body = own.body.encode("utf-8", "surrogatepass") if isinstance(own.body, str) else own.body
    if own.status in WITHOUT_BODY:  # bytes after it would be the beginning of the next answer
        body = b""
    return json_answer(body, own.status, content_type=TYPES[own.format])


def _parsed(payload: bytes) -> JsonValue:
    """Return a payload as JSON, or else as text; an empty array of nothing."""
    if not payload:
        return []
    try:
        return parse_json(payload)
    except NotJsonError:
        return payload.decode("utf-8", "replace")


def _unknown(kind: EndpointKind, detail: str = "") -> MessageError:
    return MessageError(f"unknown_{kind.name}{detail}", 404, f"{kind.name.capitalize()} not found")


def _refusal(reason: str, choice: str) -> RefusalError:
    if choice == "unauthenticated":
        return UnauthenticatedError(reason)
    return MessageError(reason, _STATUSES[choice], _WRONG if choice == "forbidden" else "Not Found")


def _active_version(flow: Flow, platform: Platform) -> int:
    if flow.enabled and flow.deployed is not None:
        return flow.deployed
    choice = platform.settings.inactive_flow
    if choice == "accept":
        return flow.current
    state = "is not enabled" if flow.deployed is not None else "has no deployed version"
    status = {"unprocessable": 422, "not_found": 404, "forbidden": 403}[choice]
    raise MessageError(f"flow_inactive: flow {flow.name} {state}", status, _INACTIVE)


ENDPOINTS: Final = tuple(
    cls(environment=environment) for environment in (False, True) for cls in (WebhookEndpoint, CallbackEndpoint)
)
