"""The figures of the last minutes, for the picture of the dashboard: a page costs the same however full the journal is.

They are counted in buckets of ten seconds of the machine's clock. Requests cost nothing until a page asks. That page
counts those that came before; from then on each is counted when it comes. The sandbox clock does not count: it may jump
a day between two requests.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sandbox.journal.entry import Entry, Exchange, Outcome
from sandbox.journal.hooks import Observer
from sandbox.journal.journal import Journal

OUTCOMES: Final[tuple[Outcome, ...]] = ("accepted", "rejected", "faulted")
BUCKET_S: Final = 10
BUCKETS: Final = 60
_SAMPLE: Final = 250
"""Durations of a bucket that are kept for its median."""


@dataclass(slots=True)
class Bucket:
    """The requests of ten seconds. ``number`` counts the tens of seconds since 1970."""

    number: int
    first_seq: int = 0
    last_seq: int = 0
    counts: list[int] = field(default_factory=lambda: [0] * len(OUTCOMES))
    slowest_ms: float = 0.0
    sample_ms: list[float] = field(default_factory=list)
    """Durations of the first requests, at most 250."""


class Recent:
    """The requests of the last minutes. Safe to use from several threads.

    The first reading makes it one of the ``observers`` of the requests.
    """

    def __init__(self, observers: list[Observer]) -> None:
        self._observers = observers
        self._lock = threading.Lock()
        self._journal = ""
        self._counted = 0  # the number of the last entry that was
        self._buckets: dict[int, Bucket] = {}

    def read(self, journal: Journal) -> Sequence[Bucket]:
        """Return the buckets of which a journal still has an entry; another journal begins all counts again.

        Entries that the journal dropped before they were counted are in no bucket.
        """
        with self._lock:
            if self._observe not in self._observers:
                self._observers.append(self._observe)
            if journal.id != self._journal:
                self._journal, self._counted, self._buckets = journal.id, 0, {}
            for entry in journal.entries(after=self._counted):
                self._count(entry)
            first = journal.first_seq
            return [
                replace(each, counts=each.counts.copy(), sample_ms=each.sample_ms.copy())
                for each in self._buckets.values()
                if each.last_seq >= first
            ]

    def _observe(self, entry: Entry, _exchange: Exchange, _size: int) -> None:
        """Count an entry that follows the last one; the next reading counts any other."""
        with self._lock:
            if entry.seq == self._counted + 1 and entry.journal == self._journal:
                self._count(entry)

    def _count(self, entry: Entry) -> None:
        self._counted = entry.seq
        number, duration_ms = int(entry.wall_time // BUCKET_S), entry.duration_ms + entry.delay_ms
        bucket = self._buckets.get(number)
        if bucket is None:
            bucket = self._buckets[number] = Bucket(number, entry.seq)
            if len(self._buckets) > BUCKETS:
                del self._buckets[next(iter(self._buckets))]
        bucket.last_seq = entry.seq
        bucket.counts[OUTCOMES.index(entry.outcome)] += 1
        bucket.slowest_ms = max(bucket.slowest_ms, duration_ms)
        if len(bucket.sample_ms) < _SAMPLE:
            bucket.sample_ms.append(duration_ms)
