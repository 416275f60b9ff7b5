"""The life of a request to the emulated API, from the value that was received to the effect on the client.

``serve`` finds the endpoint, which admits the request (throttle, credentials). It chooses a fault. The endpoint handles
the request, the fault changes the answer, and the journal entry is closed: the observers get it, and the stages after
acceptance get an accepted payload. The server performs the effect afterwards, so the entry is published before a byte
of the answer leaves. The engine, a mounted WSGI application and a test call the same function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import partial
from typing import Any, Final

from msgspec import Struct

from sandbox.faults.effects import Cancellation, Effect, delay_s, outcome, received
from sandbox.faults.fault import Act
from sandbox.faults.matching import Faultable
from sandbox.foundation.answer import Answer
from sandbox.foundation.errors import NotKeptError
from sandbox.foundation.real_time import perf_counter
from sandbox.foundation.refusals import IncompleteBodyError, MethodNotAllowedError, RefusalError, RouteNotFoundError
from sandbox.journal.endpoint_kind import FLOW_PATHS, OTHER
from sandbox.journal.entry import Entry, Exchange
from sandbox.journal.journal import call_hook
from sandbox.journal.request import Request
from sandbox.platform.endpoints import ENDPOINTS, Endpoint
from sandbox.platform.html_errors import as_page, expects_json
from sandbox.platform.method_override import may_be_overridden, override_of
from sandbox.platform.platform import Platform
from sandbox.platform.wire import OAUTH_ERRORS

_MAX_ROUTES: Final = 1_024
"""Paths whose endpoint is found by one look-up."""


class Served(Struct, frozen=True):
    """The result of a request: the effect that the client is to see.

    ``timestamp`` is the time of the ``Date`` header in Unix seconds. ``cancellation`` ends an effect that takes time;
    every effect but an ``Answer`` has one, and a ``hung_up``, which notes in the journal that the client left early.
    """

    effect: Effect
    timestamp: float
    cancellation: Cancellation | None
    hung_up: Callable[[], None] | None


def serve(platform: Platform, request: Request) -> Served:
    """Serve a request and put it into the journal. Nothing is raised: each failure has its answer."""
    routes = platform.routes
    exchange, endpoint = receive(platform, request)
    try:
        answer = _answer(platform, exchange, endpoint)
    except RefusalError as error:
        answer = _refused(platform, exchange, error)
        exchange.structured = endpoint is not None and endpoint.is_structured(exchange, platform.store)
        error.__traceback__ = error.__context__ = None  # they lead to frames that hold the request
    except Exception as error:  # noqa: BLE001 - answered and logged like any other request
        answer = _failed(platform, exchange, error)
    if exchange.rate is not None:  # counted by the throttle (WIRE D)
        answer = platform.rated(answer, exchange.rate)
    if endpoint is not None and endpoint.kind.surface == "flows":
        answer = platform.wire.to_any_origin(answer)
    if request.method == "HEAD":
        answer = answer.without_body()
    effect, cancellation = (answer, None) if exchange.act is None else _faulted(exchange, answer)
    effect, entry = _closed(platform, exchange, effect)
    if exchange.accepted and endpoint is not None:
        if request.path not in routes and len(routes) < _MAX_ROUTES and endpoint.kind.surface == "inbound":
            routes[request.path] = endpoint, exchange.subject
        if platform.after_acceptance:
            call_hook(entry, endpoint.hand_on, entry, exchange, platform)
    hung_up = None if cancellation is None else partial(_note_hang_up, platform, entry.seq, exchange.started)
    return Served(effect, exchange.received_at, cancellation, hung_up)


def _note_hang_up(platform: Platform, seq: int, started: float) -> None:
    platform.journal.note_hang_up(seq, perf_counter() - started)


def refuse(platform: Platform, request: Request, status: int, reason: str) -> None:
    """Put a request into the journal that the server refused itself, with the answer of the server."""
    exchange, _ = receive(platform, request)
    exchange.reason = f"refused_by_server: {reason}"
    try:
        platform.journal.close(exchange, status, (), reason.encode())
    except NotKeptError as error:
        exchange.reason = f"{exchange.reason}; {error}"
        platform.journal.close(exchange, status, (), reason.encode(), keep=False)


def receive(platform: Platform, request: Request) -> tuple[Exchange, Endpoint[Any] | None]:
    """Return the exchange of a request and its endpoint: by the path, of process flows also by the host."""
    received_at, wall_time = platform.clock.timestamps()
    found = platform.routes.get(request.path)
    if found is None:
        found = _route(platform, request)
    endpoint, subject = found
    kind = OTHER if endpoint is None else endpoint.kind.name
    return Exchange(request, received_at, wall_time, kind=kind, subject=subject), endpoint


def _route(platform: Platform, request: Request) -> tuple[Endpoint[Any] | None, Mapping[str, str]]:
    path, settings = platform.wire.route_path(request.path), platform.settings
    for endpoint in ENDPOINTS:
        subject = endpoint.subject_of(path, settings)
        if subject is not None:
            return endpoint, subject
    if path.startswith(FLOW_PATHS):
        from sandbox.platform.flows.routes import flow_endpoint  # the first such request imports it

        return flow_endpoint(platform, request.base_url, path) or (None, {})
    return None, {}


def _answer(platform: Platform, exchange: Exchange, endpoint: Endpoint[Any] | None) -> Answer:
    request = exchange.request
    if request.problem is not None:
        raise _in_front(platform, exchange, request.problem)
    method, asked_by = request.method, None
    if method == "POST" and may_be_overridden(request):
        method, asked_by = override_of(request, platform.wire) or (method, None)
    if endpoint is None:
        raise _in_front(platform, exchange, RouteNotFoundError("unknown_route"))
    allowed = endpoint.methods(platform.settings)
    if method in allowed:
        exchange.reads_query = method != "POST"
        return handle(platform, exchange, endpoint)
    if method == "OPTIONS":
        preflight = platform.wire.preflight(request) if endpoint.kind.surface == "flows" else None
        if preflight is not None:
            exchange.reason = "preflight: a browser asked whether it may send a request"
            return preflight
        exchange.reason = "options: returned the methods of this address"
        return platform.wire.options(allowed)
    raise MethodNotAllowedError(method, list(allowed), asked_by)


def handle(platform: Platform, exchange: Exchange, endpoint: Endpoint[Any]) -> Answer:
    """Return the answer of an endpoint to a request with one of its methods; raise a ``RefusalError``.

    A fault acts on requests that the endpoint admits. It may refuse the request before or after it is handled.
    """
    admitted = endpoint.admit(exchange, platform)
    act = _chosen_fault(platform, exchange)
    if act is None:
        answer = endpoint.handle(exchange, platform, admitted, None)
        exchange.accepted = True
        return answer
    endpoint.spoil(act, admitted, platform)
    if act.handles:
        answer = endpoint.handle(exchange, platform, admitted, act)
        exchange.accepted = act.accepts
        if not act.replaces_answer:
            return answer
    raise _faulted_refusal(platform, exchange, act)


def _in_front(platform: Platform, exchange: Exchange, refusal: RefusalError) -> RefusalError:
    """Return the refusal of a request that reaches no endpoint, or that of a fault for any request.

    The body of a request that broke off never came to the end of its way, so no fault acts on it.
    """
    act = None if isinstance(refusal, IncompleteBodyError) else _chosen_fault(platform, exchange, in_front=True)
    return _faulted_refusal(platform, exchange, act) if act is not None and act.replaces_answer else refusal


def _chosen_fault(platform: Platform, exchange: Exchange, *, in_front: bool = False) -> Act | None:
    if not platform.faults.armed:
        return None
    request, kind, subject = exchange.request, exchange.kind, exchange.subject
    looked_at = Faultable(kind, request.method, subject, exchange.client_id, request.json, request.header)
    act = platform.faults.choose(looked_at, in_front=in_front)
    if act is not None:
        exchange.act, exchange.fault = act, act.label
    return act


def _faulted_refusal(platform: Platform, exchange: Exchange, act: Act) -> RefusalError:
    """Return the refusal of a fault, which also decides on the headers of the throttle."""
    exchange.rate = act.fault.refused_rate(exchange.rate)
    return act.fault.refusal(act, platform.clock.timestamp())


def _faulted(exchange: Exchange, answer: Answer) -> tuple[Effect, Cancellation | None]:
    """Return the effect of the fault that acts on the request, if there is one; the answer is the effect otherwise."""
    if not isinstance(exchange.act, Act):
        return answer, None
    effect = exchange.act.fault.effect(exchange.act, answer)
    exchange.effect = f"{exchange.act.fault.kind}: {outcome(effect)}"
    exchange.delay_ms = round(delay_s(effect) * 1000, 3)
    return effect, exchange.act.cancellation


def _closed(platform: Platform, exchange: Exchange, effect: Effect) -> tuple[Effect, Entry]:
    """Close the journal entry. Return it with the effect, or with the answer that replaces it where it was not kept."""
    answer = effect if isinstance(effect, Answer) else received(effect)
    try:
        entry = platform.journal.close(exchange, answer.status, answer.headers, answer.body)
    except NotKeptError as error:
        return _not_kept(platform, exchange, error)
    if exchange.issued is not None and entry.token is not None:
        platform.tokens.note_origin(entry.token)
    return effect, entry


def _not_kept(platform: Platform, exchange: Exchange, error: NotKeptError) -> tuple[Answer, Entry]:
    """Close a journal entry that could not be kept, and return the answer; the work of the endpoint does not count."""
    exchange.accepted = False
    exchange.act = exchange.fault = exchange.effect = None
    exchange.delay_ms = 0.0
    if exchange.issued is not None:
        platform.tokens.withdraw(exchange.issued.fingerprint)
        exchange.token = None
    exchange.reason = str(error)
    answer = _as_accepted(platform, exchange, platform.wire.server_error(503))
    if exchange.request.method == "HEAD":
        answer = answer.without_body()
    return answer, platform.journal.close(exchange, answer.status, answer.headers, answer.body, keep=False)


def _refused(platform: Platform, exchange: Exchange, error: RefusalError) -> Answer:
    exchange.reason = error.reason
    answer = platform.wire.refusal(error, exchange)
    return answer if isinstance(error, OAUTH_ERRORS) else _as_accepted(platform, exchange, answer)


def _failed(platform: Platform, exchange: Exchange, error: Exception) -> Answer:
    """Return the answer to a failure of the sandbox itself; it is logged with the journal entry."""
    exchange.failure = error
    exchange.accepted = False
    exchange.reason = "internal_error: the sandbox itself failed, see its log"
    return _as_accepted(platform, exchange, platform.wire.server_error())


def _as_accepted(platform: Platform, exchange: Exchange, error: Answer) -> Answer:
    """Return an error in the form that the setting ``accept`` and the client's header ask for."""
    accept = platform.settings.accept
    if accept != "documented" and not expects_json(exchange.request):
        return as_page(error, exchange.request.base_url, accept)
    return error


class DateStamp:
    """The ``Date`` header, made once a second."""

    def __init__(self) -> None:
        self._last = (-1, "")

    def __call__(self, timestamp: float) -> str:
        """Return the header's value for a time in Unix seconds."""
        second, text = self._last
        if second != int(timestamp):
            second, text = int(timestamp), formatdate(timestamp, usegmt=True)
            self._last = (second, text)
        return text
