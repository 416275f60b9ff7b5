"""The list of requests: newest first, a window at a time, filtered as its form says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final
from urllib.parse import urlencode

from sandbox.journal.filter import EntryFilter
from sandbox.journal.journal import Entry, Journal

WINDOW: Final = 100
"""Rows of one window; however long the journal, a page holds no more."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the form asks for. ``service`` is ``company/vanity-url``; ``before`` is the cursor of an older window."""

    kind: str = ""
    outcome: str = ""
    company: str = ""
    service: str = ""
    text: str = ""
    before: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Selection:
        """Read a query string; what makes no sense counts as not given."""
        before = query.get("before", "")
        fields = {name: query.get(name, "").strip() for name in ("kind", "outcome", "company", "service", "text")}
        return cls(
            **fields, before=int(before) if before.isascii() and before.isdecimal() and len(before) < 20 else None
        )

    @property
    def conditions(self) -> dict[str, str]:
        """The filters that are set."""
        given = {name: getattr(self, name) for name in ("kind", "outcome", "company", "service", "text")}
        return {name: value for name, value in given.items() if value}

    def query(self, **more: object) -> str:
        """Return the query string of this selection's newest window, with more parameters."""
        parameters = {**self.conditions, **{name: value for name, value in more.items() if value is not None}}
        return f"?{urlencode(parameters)}" if parameters else "?"

    @property
    def entry_filter(self) -> EntryFilter:
        """What it asks for apart from the text."""
        company, _, vanity_url = self.service.partition("/")
        return EntryFilter(
            kind=self.kind or None,
            outcome=self.outcome or None,
            company=self.company or company or None,
            vanity_url=vanity_url or None,
        )


@dataclass(frozen=True, slots=True)
class Window:
    """Entries of one window, newest first; ``older`` is the cursor of the next one, if there is one."""

    entries: tuple[Entry, ...]
    older: int | None


def window(journal: Journal, selection: Selection) -> Window:
    """Return the window of a journal that a selection asks for."""
    found = list(islice(_newest_first(journal, selection), WINDOW + 1))
    entries = tuple(found[:WINDOW])
    return Window(entries, entries[-1].seq if len(found) > WINDOW else None)


def _newest_first(journal: Journal, selection: Selection) -> Iterator[Entry]:
    wanted, text = selection.entry_filter, selection.text
    for entry in reversed(list(journal.snapshot())):
        if selection.before is not None and entry.seq >= selection.before:
            continue
        if wanted.matches(entry) and (not text or mentions(entry, text)):
            yield entry


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
