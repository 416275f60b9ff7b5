"""The rows of a list of requests: attempts of a payload in one row, and between them events and dates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from itertools import groupby
from typing import Final

from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.attempts import Attempts, chained
from sandbox.journal.endpoint_kind import PAYLOADS
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event, interleaved, jumps_s

_NAMED: Final = 16 * 1024
"""Bytes of the largest payload that is parsed to name it."""

_LOOKED_AT: Final = 100
_EVENTS: Final = 8
"""Events of one kind that are listed without a request between them."""

_TELLING: Final = ("number", "no", "reference", "ref", "order", "rma", "code", "sku", "id", "name", "email")
"""The last words of names of members that tell one payload from another, the best first."""

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")


@dataclass(frozen=True, slots=True)
class Row:
    """The attempts of a payload, or any other request, at the place of the newest."""

    attempts: Attempts
    jump_s: float
    """Seconds by which the sandbox clock jumped before it without an event."""
    name: str | None

    @property
    def entry(self) -> Entry:
        """The newest attempt."""
        return self.attempts.entries[-1]

    @property
    def key(self) -> str:
        """The id of the oldest attempt, which stays as others follow."""
        return self.attempts.entries[0].id


@dataclass(frozen=True, slots=True)
class Day:
    """A date of the sandbox clock, above the rows of that day; ``key`` is that of the oldest, which stays."""

    date: str
    key: str


def story(
    entries: Iterable[Entry], events: Sequence[Event] = (), older: Sequence[Entry] = (), newer: Sequence[Entry] = ()
) -> list[Row | Event | Day]:
    """Return the rows of entries, oldest first, and of events; the newest row is the first.

    Attempts among ``older`` belong to the row of a payload; one that comes again among ``newer`` has its row there.
    """
    shown = list(entries)
    own = {entry.seq for entry in shown}
    chains = {found.entries[-1].seq: found for found in chained((*older, *shown, *newer))}
    newest = (found.entries[-1] for seq, found in chains.items() if seq in own)
    rows = [
        found if isinstance(found, Event) else Row(chains[found.seq], jump_s, payload_name(found))
        for found, jump_s in jumps_s(interleaved(newest, events))
    ]
    return list(_dated(_fewer(rows[::-1])))


def _fewer(rows: Iterable[Row | Event]) -> Iterator[Row | Event]:
    """Iterate over the rows with the newest of many events of one kind in a row, and the number of the others."""
    for kind, found in groupby(rows, lambda row: row.kind if isinstance(row, Event) else None):
        if kind is None:
            yield from found
            continue
        events = [row for row in found if isinstance(row, Event)]
        yield from events[:_EVENTS]
        if len(events) > _EVENTS:
            yield replace(events[-1], text=f"and {len(events) - _EVENTS} more before")


def _dated(rows: Iterable[Row | Event]) -> Iterator[Row | Event | Day]:
    for date, found in groupby(rows, _date):
        of_day = list(found)
        yield Day(date, _key(of_day[-1]))
        yield from of_day


def _date(row: Row | Event) -> str:
    at = row.at if isinstance(row, Event) else row.entry.received_at
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d}"


def _key(row: Row | Event) -> str:
    return f"{row.after}-{row.wall_time}" if isinstance(row, Event) else row.key


def payload_name(entry: Entry) -> str | None:
    """Return the value by which payloads differ, such as an order number; ``None`` where there is none."""
    if entry.kind not in PAYLOADS or not 0 < len(entry.body) <= _NAMED:
        return None
    try:
        value = parse_json(entry.body)
    except NotJsonError:
        return None
    found = min(_scalars(value), key=lambda each: each[0], default=None)
    return None if found is None else found[1]


def _scalars(value: JsonValue) -> Iterator[tuple[tuple[bool, int, int], str]]:
    """Iterate over the values near the top, each with its rank."""
    level: list[JsonValue] = [value]
    looked_at = 0
    for depth in range(3):
        deeper: list[JsonValue] = []
        for parent in level:
            if isinstance(parent, list):
                deeper += parent[:1]
                continue
            for name, item in parent.items() if isinstance(parent, dict) else ():
                looked_at += 1
                if looked_at > _LOOKED_AT:
                    return
                if isinstance(item, (dict, list)):
                    deeper.append(item)
                elif item not in (None, "") and not isinstance(item, bool):
                    word = (_WORD.findall(name) or [name])[-1].lower()
                    rank = _TELLING.index(word) if word in _TELLING else len(_TELLING)
                    yield (rank == len(_TELLING), depth, rank), str(item)
        level = deeper
