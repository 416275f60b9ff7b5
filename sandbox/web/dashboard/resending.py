"""The acts on an opened request: it is sent again, changed or not, and the next one like it fails."""

from __future__ import annotations

from typing import Any, Final

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from sandbox.foundation.strict_json import write_json
from sandbox.journal.endpoint import INBOUND, TOKEN
from sandbox.journal.entry import Entry
from sandbox.platform.resend import resend
from sandbox.web.control.base import base_url, current_sandbox
from sandbox.web.dashboard.blueprint import PAGES, pages
from sandbox.web.dashboard.selection import Selection

_FAULTS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("503", {"fault": {"kind": "status", "code": 503}}),
    ("429", {"fault": {"kind": "rate_limit"}}),
    ("Connection reset", {"fault": {"kind": "connection_reset"}}),
    ("10 s late", {"fault": {"kind": "latency", "seconds": 10}}),
    ("Done, but the answer is lost", {"fault": {"kind": "connection_reset"}, "accept": True}),
)


@pages.post(f"{PAGES}/requests/<entry_id>/send")
def send_again(entry_id: str) -> Response:
    """Send a request again, with the path and the body of the form if it has them, and show what came of it."""
    sandbox = current_sandbox()
    entry = sandbox.journal.get(entry_id)
    text = request.form.get("body")
    body = None if text is None else _as_written(text, entry)
    sent = resend(sandbox.platform, entry, base_url(), target=request.form.get("target"), body=body)
    selection = Selection.read(request.args)
    return redirect(url_for("pages.overview") + selection.query(**{"open": sent.id, "with": entry.id}), 303, Response)


def _as_written(text: str, entry: Entry) -> bytes:
    """Return a text without the CR before each LF that a browser adds, unless the body had them before."""
    return (text if b"\r\n" in entry.body else text.replace("\r\n", "\n")).encode("utf-8", "replace")


def next_failures(entry: Entry) -> list[tuple[str, str]]:
    """Return the faults that the next request like this may meet: the name of each, and its rule as JSON."""
    if entry.kind not in (INBOUND.name, TOKEN.name):
        return []
    match = {"endpoint": entry.kind, "company": entry.company, "vanity_url": entry.vanity_url}
    given = {name: value for name, value in match.items() if value is not None}
    name = f"the next one like #{entry.seq}"
    return [(label, write_json({"name": name, "match": given, "times": 1, **rule})) for label, rule in _FAULTS]
