"""The first page: every request as it comes in, and one of them opened."""

from __future__ import annotations

from typing import Final

from flask import render_template, request

from sandbox.foundation.errors import NotFoundError
from sandbox.journal.export.curl import curl
from sandbox.journal.journal import Entry
from sandbox.web.control.base import base_url, current_sandbox
from sandbox.web.dashboard.blueprint import pages
from sandbox.web.dashboard.explanation import explain
from sandbox.web.dashboard.listing import Selection, window
from sandbox.web.dashboard.opened import Opened, opened
from sandbox.web.dashboard.timeline import timeline
from sandbox.web.dashboard.token_life import token_of

KINDS: Final = ("token", "inbound", "other")
OUTCOMES: Final = ("accepted", "rejected", "faulted")
KNOWN_PANE: Final = "X-Known-Pane"
"""Header by which a live page tells which request it shows already: an entry never changes, and may hold megabytes."""


@pages.get("/")
def overview() -> str:
    """Show what came in, newest first, and the request that ``open`` names."""
    sandbox = current_sandbox()
    platform, selection = sandbox.platform, Selection.read(request.args)
    journal = platform.journal
    entry, whole = _entry(request.args.get("open")), "whole" in request.args
    is_missing = entry is None and "open" in request.args
    version = f"{entry.id}{'-whole' if whole else ''}" if entry else "missing" if is_missing else "none"
    return render_template(
        "requests.html",
        selection=selection,
        window=window(journal, selection),
        journal=journal,
        timeline=timeline(reversed(list(journal.snapshot())), sandbox.clock.wall_timestamp()),
        companies=platform.store.companies(),
        services=platform.store.services(),
        kinds=KINDS,
        outcomes=OUTCOMES,
        entry=entry,
        is_missing=is_missing,
        version=version,
        opened=_opened(entry, whole=whole) if entry and request.headers.get(KNOWN_PANE) != version else None,
    )


def _entry(entry_id: str | None) -> Entry | None:
    """Return the request to open; ``None`` where none is asked for or it is gone."""
    try:
        return current_sandbox().journal.get(entry_id) if entry_id else None
    except NotFoundError:
        return None


def _opened(entry: Entry, *, whole: bool) -> Opened:
    platform = current_sandbox().platform
    client = platform.store.find_client(entry.client_id or "")
    return opened(
        entry,
        explanation=explain(entry),
        client_name=client.name if client else None,
        life=token_of(platform, entry),
        curl=curl(entry, base_url()),
        whole=whole,
    )
