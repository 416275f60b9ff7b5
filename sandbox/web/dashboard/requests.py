"""The first page: the requests, newest first, filtered as its form says, and one of them opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final
from urllib.parse import urlencode

from flask import render_template, request
from marshmallow import ValidationError

from sandbox.foundation.errors import InvalidValueError, NotFoundError
from sandbox.journal.endpoint import KINDS
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event
from sandbox.journal.export.curl import target
from sandbox.journal.filter import EntryFilter
from sandbox.journal.journal import Journal
from sandbox.platform.platform import Platform
from sandbox.platform.resend import why_not_resent
from sandbox.web.control.base import base_url, current_sandbox
from sandbox.web.control.requests import FilterSchema, read_filter
from sandbox.web.dashboard.blueprint import pages
from sandbox.web.dashboard.comparison import comparable, compare
from sandbox.web.dashboard.opened import Opened, opened
from sandbox.web.dashboard.resending import next_failures
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
    listed = rows(shown, journal, selection)
    chain = _chain(listed, entry)
    other = _entry(request.args.get("with"))
    marks += (f"-with-{other.seq}" if other else "") + (f"-of-{len(chain)}" if len(chain) > 1 else "")
    pane = f"{entry.id}{marks}" if entry else "missing" if is_missing else "none"
    return render_template(
        "requests.html",
        selection=selection,
        window=shown,
        link=lambda each: selection.query(before=selection.before, open=each.id),
        rows=listed,
        journal=journal,
        timeline=timeline(sandbox.recent.read(journal), sandbox.clock.wall_timestamp()),
        services=platform.store.services(),
        outcomes=_pairs(OUTCOMES),
        kinds=_pairs(KINDS),
        service_paths=_pairs(f"{each.company}/{each.vanity_url}" for each in platform.store.services()),
        companies=[(each.slug, each.name) for each in platform.store.companies()],
        clients=[(each.id, each.name) for each in platform.store.clients()],
        entry=entry,
        is_missing=is_missing,
        pane=pane,
        chain=chain,
        comparison=compare(other, entry) if entry and other else None,
        comparable=[] if entry is None else list(comparable(journal, entry)),
        next_failures=[] if entry is None else next_failures(entry),
        why_not_resent=None if entry is None else why_not_resent(entry),
        target=None if entry is None else target(entry),
        opened=_opened(entry, platform, whole=whole) if entry and request.headers.get(KNOWN_PANE) != pane else None,
    )


def _pairs(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


def _chain(rows: Iterable[Row | Event | Day], entry: Entry | None) -> tuple[Entry, ...]:
    """Return the attempts of the row that an entry belongs to."""
    chains = (row.attempts.entries for row in rows if isinstance(row, Row) and entry in row.attempts.entries)
    return next(chains, ())


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
"""Entries that a page searches at most."""

SEARCHED_BYTES: Final = 16 * 1024 * 1024
"""Bytes of bodies after which a page ends the search for a text or by a JSONPath."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The choices in the form: those of the control API as text, ``service`` (``company/vanity-url``) and ``text``.

    ``before`` and ``after`` are numbers of entries: the cursor of an older window, and the last one left out.
    """

    kind: str = ""
    outcome: str = ""
    company: str = ""
    vanity_url: str = ""
    client_id: str = ""
    status: str = ""
    accepted: str = ""
    since: str = ""
    until: str = ""
    json_path: str = ""
    reason: str = ""
    fault: str = ""
    service: str = ""
    text: str = ""
    after: int | None = None
    before: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Selection:
        """Read a query string; a cursor that makes no sense counts as not given."""
        given = {name: query.get(name, "").strip() for name in _CONDITIONS}
        return cls(**given, after=_cursor(query.get("after", "")), before=_cursor(query.get("before", "")))

    @property
    def conditions(self) -> dict[str, str]:
        """The filters that are set."""
        given = {name: getattr(self, name) for name in _CONDITIONS}
        return {name: value for name, value in given.items() if value}

    @property
    def has_more(self) -> bool:
        """Whether a filter is set that is folded away."""
        return bool(self.conditions.keys() - {"outcome", "service", "text"})

    def query(self, **more: object) -> str:
        """Return the query string of this selection's newest window, with more parameters."""
        given = {"after": self.after, **more}
        parameters = {**self.conditions, **{name: value for name, value in given.items() if value is not None}}
        return f"?{urlencode(parameters)}" if parameters else "?"

    def read_filter(self) -> tuple[EntryFilter, dict[str, str]]:
        """Return the filter, as the control API reads it, and for each choice that it refuses the reason.

        A refused choice counts as not given.
        """
        given = self.as_api
        problems = {name: problem for name, value in given.items() if (problem := _problem(name, value))}
        good = {name: value for name, value in given.items() if name not in problems}
        return read_filter(FilterSchema().load(good)), problems

    @property
    def as_api(self) -> dict[str, str]:
        """The filters that are set as parameters of the control API, which has none for the text."""
        company, _, vanity_url = self.service.partition("/")
        given = {**self.conditions, "company": self.company or company, "vanity_url": self.vanity_url or vanity_url}
        return {
            name: _zoned(value) if name in _INSTANTS else value
            for name, value in given.items()
            if value and name in FilterSchema().load_fields
        }


def _problem(name: str, value: str) -> str | None:
    """Return why the control API refuses a condition; ``None`` where it does not."""
    try:
        read_filter(FilterSchema().load({name: value}))
    except ValidationError as error:
        return f"{value} is not allowed; {' '.join(error.messages_dict[name])}"
    except InvalidValueError as error:
        return str(error)
    return None


_CONDITIONS: Final = tuple(each.name for each in fields(Selection) if each.name not in ("after", "before"))
_INSTANTS: Final = ("since", "until")


def _zoned(instant: str) -> str:
    """Return an instant of a browser's control, which has no zone and leaves out seconds that are 0, in UTC."""
    return f"{instant}:00Z" if len(instant) == 16 else f"{instant}Z" if len(instant) == 19 else instant


def _cursor(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None


@dataclass(frozen=True, slots=True)
class Window:
    """The entries of a page, newest first; ``older`` is the cursor of the next page, if there is one.

    Where the search ends early, ``searched`` is the number of entries that were searched. ``problems`` has the reason
    for each choice that is refused.
    """

    entries: tuple[Entry, ...]
    older: int | None
    searched: int | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


def window(journal: Journal, selection: Selection) -> Window:
    """Return the page of a journal for a selection, after a search of ``SEARCHED`` entries at most."""
    entry_filter, problems = selection.read_filter()
    found: list[Entry] = []
    size = 0
    for looked_at, entry in enumerate(journal.candidates(entry_filter, selection.before)):
        if entry.seq <= (selection.after or 0):
            break
        if len(found) == WINDOW:
            return Window(tuple(found), found[-1].seq, None, problems)
        if looked_at == SEARCHED or size > SEARCHED_BYTES:
            return Window(tuple(found), entry.seq + 1, looked_at, problems)
        if entry_filter.matches(entry) and (not selection.text or mentions(entry, selection.text)):
            found.append(entry)
        size += len(entry.body) if selection.text or selection.json_path else 0
    return Window(tuple(found), None, None, problems)


def rows(shown: Window, journal: Journal, selection: Selection) -> list[Row | Event | Day]:
    """Return the rows of a page, newest first, with the newest events between them."""
    entries = shown.entries[::-1]
    first = entries[0].seq if entries and shown.older else selection.after or 0
    events = [event for event in journal.events(first) if selection.before is None or event.after < selection.before]
    return story(entries, events[-WINDOW:])


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
