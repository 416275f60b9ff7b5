"""The id of a request to the control API, in its answer and in its line of the log.

The emulated API sends none: no source says that the platform does. There the journal entry has the id.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, cast

from flask import Flask, Response, copy_current_request_context, current_app, g, request

from sandbox.foundation.real_time import perf_counter
from sandbox.foundation.rng import Rng
from sandbox.journal.log_line import ControlRequest, log_control, log_failure
from sandbox.state.sandbox import Sandbox
from sandbox.web.environ import SANDBOX
from sandbox.web.paths import REQUEST_ID

GIVEN_ID: Final = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_QUIET: Final = frozenset(
    {"system.get_health", "system.get_readiness", "metrics.get_metrics", "pages.static", "pages.reference_asset"}
)
"""Endpoints that clients call every few seconds, or along with a page."""


def trace_requests(app: Flask) -> None:
    """Give each request to an application an id and a line of the log. Call it before adding functions that refuse."""
    rng = Rng()

    def begin() -> None:
        given = request.headers.get(REQUEST_ID, "")
        g.request_id = given if GIVEN_ID.fullmatch(given) else rng.bytes(8).hex()
        g.started = perf_counter()

    app.before_request(begin)
    app.after_request(_end)


def request_id() -> str:
    """Return the id of the request that is being served."""
    return cast(str, g.request_id)


def note_failure(error: Exception) -> None:
    """Note that the sandbox itself failed on this request: its line of the log shows the traceback."""
    g.failure = error


def answered_later() -> Callable[[Callable[[], Response]], Response]:
    """Return a function that answers this request after its view has returned; its line is logged then.

    The function takes a function that makes the response, and calls it as Flask calls a view.
    """
    request_id, started = g.request_id, g.started
    g.is_answered_later = True

    @copy_current_request_context
    def answer(make: Callable[[], Response]) -> Response:
        g.request_id, g.started = request_id, started
        g.pop("is_answered_later", None)
        return current_app.process_response(make())

    return answer


def _end(response: Response) -> Response:
    if g.get("is_answered_later"):
        return response
    response.headers[REQUEST_ID] = request_id()
    duration_ms = round((perf_counter() - g.started) * 1000, 3)
    redact = cast(Sandbox, request.environ[SANDBOX]).store.secrets.redact
    said, path = redact(request_id()), redact(request.path)
    line = ControlRequest(said, redact(request.method), path, response.status_code, duration_ms)
    failure: Exception | None = g.get("failure")
    if failure is not None:
        log_failure(line, failure)
    else:
        log_control(line, quiet=request.endpoint in _QUIET)
    return response
