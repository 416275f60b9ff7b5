"""Events: acts upon the sandbox between two requests, which explain why the later one is answered differently.

An event has a place among the entries: behind the entry with the number ``after``, and before the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from sandbox.foundation.bounds import Count, Seconds
from sandbox.foundation.instants import format_timestamp, parse_instant
from sandbox.journal.entry import Entry

EventKind = Literal["clock", "faults", "tokens", "keys", "settings", "reset"]

Note = Callable[..., None]
"""Notes an event: ``note(kind, text, company=…, client_id=…)``."""

MAX_EVENTS: Final = 1_000
"""Events that a journal holds; beyond it the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class Event:
    """An act upon the sandbox. ``at`` is Unix seconds on the sandbox clock after it, ``wall_time`` on the machine's.

    ``company`` and ``client_id`` are given where the act concerns the requests of one of them only.
    """

    after: Count
    """Number of the newest entry when it happened; 0 before the first."""
    kind: EventKind
    text: str
    """On one line, without characters that act upon a terminal."""
    at: Seconds
    wall_time: Seconds
    company: str | None = None
    client_id: str | None = None

    @property
    def concerns_all(self) -> bool:
        """Whether it concerns the requests of every company and client."""
        return self.company is None and self.client_id is None


def shown_event(event: Event) -> dict[str, Any]:
    """Return an event as the control API and a line of NDJSON show it; only an event has the key ``event``."""
    document = asdict(event)
    kind = document.pop("kind")
    return {"event": kind, **document, **{name: format_timestamp(document[name]) for name in _TIMES}}


_TIMES: Final = ("at", "wall_time")


def read_event(document: Any) -> Event:
    """Return the event that ``shown_event`` made a document of."""
    fields = {**document, **{name: parse_instant(document[name]).timestamp() for name in _TIMES}}
    return Event(kind=fields.pop("event"), **fields)


def interleaved(entries: Iterable[Entry], events: Sequence[Event]) -> Iterator[Entry | Event]:
    """Iterate over entries, oldest first, with the events at their places; those behind the last entry follow it."""
    left = list(reversed(events))
    for entry in entries:
        while left and left[-1].after < entry.seq:
            yield left.pop()
        yield entry
    yield from reversed(left)


_JUMP_S: Final = 10.0


def jumps_s(rows: Iterable[Entry | Event]) -> Iterator[tuple[Entry | Event, float]]:
    """Iterate over rows, oldest first, each with the seconds that the sandbox clock jumped before it.

    0 where it ran as the machine's did, within 10 seconds, where it was frozen, and where an event explains the jump.
    freezegun and time-machine move a clock that follows them without an event.
    """
    before: Entry | None = None
    for row in rows:
        if isinstance(row, Event):
            before = None if row.kind == "clock" else before
            yield row, 0.0
        else:
            last = before or row
            passed = row.received_at - last.received_at
            moved = passed - (row.wall_time - last.wall_time)
            yield row, passed if min(abs(passed), abs(moved)) > _JUMP_S else 0.0
            before = row
