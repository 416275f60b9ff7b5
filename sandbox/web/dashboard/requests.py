"""The first page: the requests, newest first, filtered as its form says, one of them opened, and the acts on that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sandbox.foundation.strict_json import write_json
from sandbox.journal.attempts import chained
from sandbox.journal.contract_rules import RULES
from sandbox.journal.endpoint_kind import INBOUND, KINDS, TOKEN
from sandbox.journal.entry import OUTCOMES, Entry
from sandbox.journal.event import Event
from sandbox.journal.export.curl import target
from sandbox.journal.journal import Journal
from sandbox.platform.platform import Platform
from sandbox.platform.resend import resend, why_not_resent
from sandbox.web.control.base import base_url, current_sandbox
from sandbox.web.dashboard.blueprint import PAGES, pages
from sandbox.web.dashboard.opened import alike, comparable, compare, opened
from sandbox.web.dashboard.selection import WINDOW, Selection, Window, near, near_page, window
from sandbox.web.dashboard.story import Day, Row, story
from sandbox.web.dashboard.timeline import timeline
from sandbox.web.dashboard.token_life import token_of

KNOWN_PANE: Final = "X-Known-Pane"
"""Header with the request that a live page shows already: an entry never changes, and may hold megabytes."""


@pages.get("/")
def overview() -> str:
    """Show what came in, newest first, and the request that ``open`` names."""
    sandbox = current_sandbox()
    platform, selection = sandbox.platform, Selection.read(request.args)
    journal, store = platform.journal, platform.store
    shown = window(journal, selection)
    entry, other = (journal.find(request.args.get(name, "")) for name in ("open", "with"))
    chain, whole = _chain(journal, entry), "whole" in request.args
    pane = _version(entry, other, chain, whole=whole) if entry else "missing" if "open" in request.args else "none"
    is_known = request.headers.get(KNOWN_PANE) == pane
    return render_template(
        "requests.html",
        selection=selection,
        window=shown,
        link=lambda each: selection.query(before=selection.before, open=each.id),
        rows=rows(shown, journal, selection),
        journal=journal,
        timeline=timeline(sandbox.recent.read(journal), sandbox.clock.wall_timestamp()),
        services=store.services(),
        outcomes=_pairs(OUTCOMES),
        kinds=_pairs(KINDS),
        violations=_pairs(RULES),
        service_paths=_pairs(f"{each.company}/{each.vanity_url}" for each in store.services()),
        companies=[(each.slug, each.name) for each in store.companies()],
        clients=[(each.id, each.name) for each in store.clients()],
        flows=_pairs(dict.fromkeys(each.name for each in store.known_flows.flows())) if store.known_flows else (),
        entry=entry,
        pane=pane,
        chain=chain,
        **({} if entry is None or is_known else _pane(entry, other, platform, whole=whole)),
    )


def _pairs(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


def _version(entry: Entry, other: Entry | None, chain: Sequence[Entry], *, whole: bool) -> str:
    """Return the name of the pane as it is now; the same name is the same pane."""
    marks = {
        "whole": whole,
        "left": entry.closed_after_ms is not None,
        f"with-{other.seq if other else 0}": other is not None,
        f"of-{len(chain)}": len(chain) > 1,
    }
    return "-".join([entry.id, *(mark for mark, holds in marks.items() if holds)])


def _pane(entry: Entry, other: Entry | None, platform: Platform, *, whole: bool) -> dict[str, object]:
    """Return the variables of the pane of an opened request."""
    client = platform.store.find_client(entry.client_id or "")
    name, life = client.name if client else None, token_of(platform, entry)
    return {
        "opened": opened(entry, base_url(), whole=whole, client_name=name, life=life),
        "comparison": None if other is None else compare(other, entry),
        "comparable": list(comparable(platform.journal, entry)),
        "next_failures": next_failures(entry),
        "why_not_resent": why_not_resent(entry),
        "target": target(entry),
    }


def _chain(journal: Journal, entry: Entry | None) -> tuple[Entry, ...]:
    """Return the attempts of the payload of an entry; the page and its filters do not matter."""
    if entry is None:
        return ()
    older, newer = near(journal, entry.seq, entry.seq, alike(entry))
    chains = (found.entries for found in chained([*older, entry, *newer]))
    return next(found for found in chains if entry.seq in [each.seq for each in found])


def rows(shown: Window, journal: Journal, selection: Selection) -> list[Row | Event | Day]:
    """Return the rows of a page, newest first, with the newest events between them."""
    entries = shown.entries[::-1]
    first = entries[0].seq if entries and shown.older else selection.after or 0
    events = [event for event in journal.events(first) if selection.before is None or event.after < selection.before]
    return story(entries, events[-WINDOW:], *near_page(journal, selection, shown))


# --- acts on an opened request ----------------------------------------------------------------------------------------

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
    if text is not None and b"\r\n" not in entry.body:
        text = text.replace("\r\n", "\n")  # a browser adds each CR
    body = None if text is None else text.encode("utf-8", "replace")
    sent = resend(sandbox.platform, entry, base_url(), target=request.form.get("target"), body=body)
    selection = Selection.read(request.args)
    return redirect(url_for("pages.overview") + selection.query(**{"open": sent.id, "with": entry.id}), 303, Response)


def next_failures(entry: Entry) -> list[tuple[str, str]]:
    """Return the faults that the next request like this may meet: the name of each, and its rule as JSON."""
    if entry.kind not in (INBOUND.name, TOKEN.name):
        return []
    match = {"endpoint": entry.kind, "company": entry.company, "vanity_url": entry.vanity_url}
    given = {name: value for name, value in match.items() if value is not None}
    name = f"the next one like #{entry.seq}"
    return [(label, write_json({"name": name, "match": given, "times": 1, **rule})) for label, rule in _FAULTS]
