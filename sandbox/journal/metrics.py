"""The counts of what a sandbox does, for its metrics: cheap where requests pass, put into words by an exposition.

Counts only grow, as programs that compute rates from them require: a reset of the sandbox and an emptied journal leave
them as they are. The sandbox bounds the values of a label; clients cannot add any.

``Recent`` has the figures of the last minutes, for the picture of the dashboard: a page costs the same however full the
journal is. They are counted in buckets of ten seconds of the machine's clock, because the sandbox clock may jump a day
between two requests. Requests cost nothing until a page asks. That page counts those that came before; from then on
each is counted when it comes.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Final

from sandbox.journal.endpoint_kind import ISSUERS, KINDS
from sandbox.journal.entry import OUTCOMES, Entry, Exchange, Kind, Outcome
from sandbox.journal.journal import Journal, Observer

BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram's buckets in seconds; the last bucket has none."""


@dataclass(slots=True)
class Durations:
    """Durations of requests: the number in each bucket, and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    sum_ms: float = 0.0


@dataclass(slots=True)
class Figures:
    """The counts at one moment."""

    requests: dict[tuple[Kind, int, Outcome], int] = field(default_factory=dict)
    """By endpoint, status (0: no answer) and outcome."""
    durations: dict[Kind, Durations] = field(default_factory=lambda: {kind: Durations() for kind in KINDS})
    """By endpoint: from the request's arrival until its answer is ready, without what a fault adds after it."""
    tokens_issued: int = 0
    faults_acted: Counter[str] = field(default_factory=Counter)
    """By kind."""
    entries_dropped: int = 0
    """Journal entries dropped because a bound was reached."""


class Metrics:
    """The counts of one sandbox. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._figures = Figures()

    def count(self, entry: Entry, exchange: Exchange, dropped: int) -> None:
        """Count a request, and the journal entries that were dropped for its own."""
        figures, alike = self._figures, (entry.kind, entry.status, entry.outcome)
        requests, durations = figures.requests, figures.durations[entry.kind]
        with self._lock:
            requests[alike] = requests.get(alike, 0) + 1
            durations.counts[bisect_left(BUCKETS_S, entry.duration_ms / 1000)] += 1
            durations.sum_ms += entry.duration_ms
            if entry.token is not None and entry.kind in ISSUERS:
                figures.tokens_issued += 1
            if entry.effect is not None:
                figures.faults_acted[entry.fault_kind or ""] += 1
            figures.entries_dropped += dropped

    def count_dropped(self, dropped: int) -> None:
        """Count journal entries that were dropped for a lowered bound."""
        with self._lock:
            self._figures.entries_dropped += dropped

    def read(self) -> Figures:
        """Return a copy of the counts as they are now."""
        with self._lock:
            return deepcopy(self._figures)


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
            return [deepcopy(bucket) for bucket in self._buckets.values() if bucket.last_seq >= first]

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
