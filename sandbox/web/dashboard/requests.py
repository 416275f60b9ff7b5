"""The first page: the requests, newest first, filtered as its form says, and one of them opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final
from urllib.parse import urlencode

from flask import render_template, request

from sandbox.foundation.errors import NotFoundError
from sandbox.journal.endpoint import KINDS
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event
from sandbox.journal.filter import EntryFilter
from sandbox.journal.journal import Journal
from sandbox.platform.platform import Platform
from sandbox.web.control.base import base_url, current_sandbox
from sandbox.web.dashboard.blueprint import pages
from sandbox.web.dashboard.opened import Opened, opened
from sandbox.web.dashboard.story import Day, Row, story
from sandbox.web.dashboard.timeline import timeline
from sandbox.web.dashboard.token_life import token_of

OUTCOMES: Final = ("accepted", "rejected", "faulted")
KNOWN_PANE: Final = "X-Known-Pane"
"""Header with the request that a live page shows already: an entry never changes, and may hold megabytes."""


@pages.get("/")
def overview() -> str:
    """Show what came in, newest first, and the request that ``open`` names."""
    sandbox = current_sandbox()
    platform, selection = sandbox.platform, Selection.read(request.args)
    journal = platform.journal
    shown = window(journal, selection)
    entry, whole = _entry(request.args.get("open")), "whole" in request.args
    is_missing = entry is None and "open" in request.args
    marks = ("-whole" if whole else "") + ("-left" if entry and entry.closed_after_ms is not None else "")
    pane = f"{entry.id}{marks}" if entry else "missing" if is_missing else "none"
    return render_template(
        "requests.html",
        selection=selection,
        window=shown,
        link=lambda each: selection.query(before=selection.before, open=each.id),
        rows=rows(shown, journal, selection),
        journal=journal,
        timeline=timeline(sandbox.recent.read(journal), sandbox.clock.wall_timestamp()),
        companies=platform.store.companies(),
        services=platform.store.services(),
        kinds=KINDS,
        outcomes=OUTCOMES,
        entry=entry,
        is_missing=is_missing,
        pane=pane,
        opened=_opened(entry, platform, whole=whole) if entry and request.headers.get(KNOWN_PANE) != pane else None,
    )


def _opened(entry: Entry, platform: Platform, *, whole: bool) -> Opened:
    client = platform.store.find_client(entry.client_id or "")
    name, life = client.name if client else None, token_of(platform, entry)
    return opened(entry, base_url(), whole=whole, client_name=name, life=life)


def _entry(entry_id: str | None) -> Entry | None:
    """Return the request to open; ``None`` where none is asked for or it is gone."""
    try:
        return current_sandbox().journal.get(entry_id) if entry_id else None
    except NotFoundError:
        return None


WINDOW: Final = 100
"""Rows of a page."""

SEARCHED: Final = 5_000
"""Entries that a page searches for a text, at most."""


_CONDITIONS: Final = ("kind", "outcome", "company", "service", "text", "reason", "fault")


@dataclass(frozen=True, slots=True)
class Selection:
    """The choices in the form. ``service`` is ``company/vanity-url``; ``before`` is the cursor of an older window."""

    kind: str = ""
    outcome: str = ""
    company: str = ""
    service: str = ""
    text: str = ""
    reason: str = ""
    fault: str = ""
    before: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Selection:
        """Read a query string; a parameter that makes no sense counts as not given."""
        before = query.get("before", "")
        fields = {name: query.get(name, "").strip() for name in _CONDITIONS}
        return cls(
            **fields, before=int(before) if before.isascii() and before.isdecimal() and len(before) < 20 else None
        )

    @property
    def conditions(self) -> dict[str, str]:
        """The filters that are set."""
        given = {name: getattr(self, name) for name in _CONDITIONS}
        return {name: value for name, value in given.items() if value}

    def query(self, **more: object) -> str:
        """Return the query string of this selection's newest window, with more parameters."""
        parameters = {**self.conditions, **{name: value for name, value in more.items() if value is not None}}
        return f"?{urlencode(parameters)}" if parameters else "?"

    @property
    def entry_filter(self) -> EntryFilter:
        """The choices apart from the text."""
        company, _, vanity_url = self.service.partition("/")
        return EntryFilter(
            kind=self.kind or None,
            outcome=self.outcome or None,
            company=self.company or company or None,
            vanity_url=vanity_url or None,
            reason=self.reason or None,
            fault=self.fault or None,
        )


@dataclass(frozen=True, slots=True)
class Window:
    """The entries of a page, newest first; ``older`` is the cursor of the next page, if there is one.

    Where the search for a text ends early, ``searched`` is the number of entries that were searched.
    """

    entries: tuple[Entry, ...]
    older: int | None
    searched: int | None = None


def window(journal: Journal, selection: Selection) -> Window:
    """Return the page of a journal for a selection."""
    newest = journal.newest_first(selection.entry_filter, before=selection.before)
    if selection.text:
        return _searched(newest, selection.text)
    found = list(islice(newest, WINDOW + 1))
    return Window(tuple(found[:WINDOW]), found[WINDOW - 1].seq if len(found) > WINDOW else None)


def rows(shown: Window, journal: Journal, selection: Selection) -> list[Row | Event | Day]:
    """Return the rows of a page, newest first, with the newest events between them."""
    entries = shown.entries[::-1]
    first = entries[0].seq if entries and shown.older else 0
    events = [event for event in journal.events(first) if selection.before is None or event.after < selection.before]
    return story(entries, events[-WINDOW:])


def _searched(newest: Iterator[Entry], text: str) -> Window:
    found: list[Entry] = []
    for number, entry in enumerate(newest):
        if number == SEARCHED or len(found) == WINDOW:
            return Window(tuple(found), entry.seq + 1, SEARCHED if number == SEARCHED else None)
        if mentions(entry, text):
            found.append(entry)
    return Window(tuple(found), None)


def mentions(entry: Entry, text: str) -> bool:
    """Return whether a text occurs anywhere in an entry; ASCII letters match in either case."""
    needle = text.lower()
    facts = (entry.id, entry.method, entry.path, entry.query, str(entry.status), entry.reason, entry.fault)
    if any(needle in fact.lower() for fact in (*facts, entry.client_id) if fact):
        return True
    if any(needle in f"{name}: {value}".lower() for name, value in (*entry.headers, *entry.response_headers)):
        return True
    encoded = text.encode("utf-8", "replace").lower()
    return encoded in entry.body.lower() or encoded in entry.response_body.lower()
