"""The health of a sandbox. Probes ask for it every few seconds, and need no part of the control API for that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from sandbox._version import __version__
from sandbox.foundation.instants import format_instant
from sandbox.foundation.real_time import perf_counter
from sandbox.foundation.rng import Rng
from sandbox.foundation.strict_json import compact_json
from sandbox.journal.log_line import ControlRequest, log_control
from sandbox.state.sandbox import Sandbox
from sandbox.web.paths import HEALTH, READINESS, REQUEST_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_MORE: Final = ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_SEC_FETCH_SITE", "HTTP_X_REQUEST_ID", "QUERY_STRING")
"""The parts of a request about which the control API has rules."""


def health_of(sandbox: Sandbox) -> dict[str, Any]:
    """Return the figures of a sandbox that is well."""
    journal = sandbox.journal
    return {
        "status": "ok",
        "version": __version__,
        "now": sandbox.clock.now(),
        "journal_entries": len(journal),
        "journal_last_seq": journal.last_seq,
        "journal_bytes": journal.bytes,
        "journal_dropped": journal.dropped,
    }


def unreadiness_of(sandbox: Sandbox) -> str | None:
    """Wait for the signing key; return the reason why the sandbox cannot serve, if there is one."""
    sandbox.keys.current()
    if (file := sandbox.journal_file) is not None and (failure := file.failure()) is not None:
        return f"journal_file: {failure} ({file.path}); until it can be written, requests are refused"
    return None


def answer_probe(sandbox: Sandbox, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
    """Answer a plain request for the health of a sandbox that is well; return ``None`` for any other request."""
    path, started = environ.get("PATH_INFO", ""), perf_counter()
    if path not in (HEALTH, READINESS) or environ["REQUEST_METHOD"] != "GET" or any(map(environ.get, _MORE)):
        return None
    if path == READINESS and unreadiness_of(sandbox) is not None:
        return None
    found = health_of(sandbox)
    body = f"{compact_json({**found, 'now': format_instant(found['now'])})}\n".encode("ascii")
    request_id = Rng().bytes(8).hex()
    start_response(
        "200 OK",
        [("Content-Type", "application/json"), ("Content-Length", str(len(body))), (REQUEST_ID, request_id)],
    )
    duration_ms = round((perf_counter() - started) * 1000, 3)
    log_control(ControlRequest(request_id, "GET", path, 200, duration_ms), quiet=True)
    return [body]
