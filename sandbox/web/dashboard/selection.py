"""The choices in the form above the list of requests, and the page of the journal that they select."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final
from urllib.parse import urlencode

from marshmallow import ValidationError

from sandbox.foundation.errors import InvalidValueError, any_of, shorten
from sandbox.journal.contract_rules import RULES
from sandbox.journal.entry import Entry
from sandbox.journal.filter import EVERY_ENTRY, EntryFilter
from sandbox.journal.journal import Journal
from sandbox.platform.endpoints import violations_of
from sandbox.web.control.request_views import RequestFilterSchema, read_filter
from sandbox.web.dashboard.formats import zoned

WINDOW: Final = 100
"""Rows of a page."""

SEARCHED: Final = 5_000
"""Entries that a page searches at most."""

SEARCHED_BYTES: Final = 16 * 1024 * 1024
"""Bytes of bodies after which a page ends the search for a text, by a JSONPath or by a violation of the contract."""

NEAR: Final = 300
"""Entries before and after a page, or an entry, that are looked through for attempts of the same payload."""


_CONDITIONS: Final = (*RequestFilterSchema().load_fields, "service", "violation", "text")
_INSTANTS: Final = ("since", "until")


class Selection:
    """The choices in the form: those of the control API as text, and three of the page, ``""`` where there is none.

    These are ``service`` (``company/vanity-url``), ``violation`` (a rule of the contract) and ``text``.

    ``before`` and ``after`` are numbers of entries: the cursor of an older window, and the last one left out.
    """

    def __init__(self, *, after: int | None = None, before: int | None = None, **conditions: str) -> None:
        self.after, self.before = after, before
        self.conditions = {name: value for name, value in conditions.items() if value}

    def __getitem__(self, name: str) -> str:
        return self.conditions.get(name, "")

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Selection:
        """Read a query string; a cursor that makes no sense counts as not given."""
        given = {name: query.get(name, "").strip() for name in _CONDITIONS}
        return cls(after=cursor(query.get("after", "")), before=cursor(query.get("before", "")), **given)

    @property
    def has_more(self) -> bool:
        """Whether a filter is set that is folded away."""
        return bool(self.conditions.keys() - {"outcome", "service", "text"})

    def query(self, **more: object) -> str:
        """Return the query string of this selection's newest window, with more parameters."""
        given = {**self.conditions, "after": self.after, **more}
        return "?" + urlencode({name: value for name, value in given.items() if value is not None})

    def read_filter(self) -> tuple[EntryFilter, dict[str, str]]:
        """Return the filter, as the control API reads it, and for each choice that it refuses the reason.

        A refused choice counts as not given.
        """
        given = self.as_api
        problems = {name: problem for name, value in given.items() if (problem := _problem(name, value))}
        if (violation := self["violation"]) and violation not in RULES:
            problems["violation"] = f"{shorten(violation)} is not allowed; use {any_of(RULES)}"
        good = {name: value for name, value in given.items() if name not in problems}
        return read_filter(RequestFilterSchema().load(good)), problems

    def takes(self, entry_filter: EntryFilter) -> Callable[[Entry], bool]:
        """Return the condition on entries: the filter, the violation of the contract and the text."""
        text, violation = self["text"], self["violation"]
        return lambda entry: (
            entry_filter.matches(entry)
            and (not text or mentions(entry, text))
            and (violation not in RULES or any(found.code == violation for found in violations_of(entry)))
        )

    @property
    def as_api(self) -> dict[str, str]:
        """The filters that are set as parameters of the control API, which has none for the violation and the text."""
        company, _, vanity_url = self["service"].partition("/")
        given = {"company": company, "vanity_url": vanity_url, **self.conditions}
        return {
            name: zoned(value) if name in _INSTANTS else value
            for name, value in given.items()
            if value and name in RequestFilterSchema().load_fields
        }


def _problem(name: str, value: str) -> str | None:
    """Return why the control API refuses a condition; ``None`` where it does not."""
    try:
        read_filter(RequestFilterSchema().load({name: value}))
    except ValidationError as error:
        return f"{value} is not allowed; {' '.join(error.messages_dict[name])}"
    except InvalidValueError as error:
        return str(error)
    return None


def cursor(text: str) -> int | None:
    """Return the number of an entry in a query; ``None`` for a text that is none."""
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
    takes = selection.takes(entry_filter)
    reads_bodies = any(selection[name] for name in ("text", "json_path", "violation"))
    found: list[Entry] = []
    size = 0
    for looked_at, entry in enumerate(journal.candidates(entry_filter, selection.before)):
        if entry.seq <= (selection.after or 0):
            break
        if len(found) == WINDOW:
            return Window(tuple(found), found[-1].seq, None, problems)
        if looked_at == SEARCHED or size > SEARCHED_BYTES:
            return Window(tuple(found), entry.seq + 1, looked_at, problems)
        if takes(entry):
            found.append(entry)
        size += len(entry.body) if reads_bodies else 0
    return Window(tuple(found), None, None, problems)


def near_page(journal: Journal, selection: Selection, shown: Window) -> tuple[list[Entry], list[Entry]]:
    """Return what the filters take of the entries just before and just after a page, both oldest first.

    A stretch that was chosen in the picture has none: the page shows what it holds.
    """
    if not shown.entries or selection.after is not None:
        return [], []
    takes = selection.takes(selection.read_filter()[0])
    older, newer = near(journal, shown.entries[-1].seq, shown.entries[0].seq)
    return list(filter(takes, older)), list(filter(takes, newer))


def near(
    journal: Journal, first: int, last: int, entry_filter: EntryFilter = EVERY_ENTRY
) -> tuple[list[Entry], list[Entry]]:
    """Return the entries just before the first of a stretch and those just after its last, both oldest first."""
    older = list(_light(journal.newest_first(entry_filter, first)))
    return older[::-1], list(_light(journal.entries(entry_filter, last)))


def _light(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Iterate over the first ``NEAR`` entries, fewer where their bodies are large."""
    size = 0
    for entry in islice(entries, NEAR):
        size += len(entry.body)
        if size > SEARCHED_BYTES:
            return
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
