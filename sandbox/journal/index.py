"""The index of a journal: a series of entries for each value that entries are looked up by.

A series holds entries in the order of their numbers. Entries are added at its end and dropped at its beginning, which
costs the same for every length. A cursor is found by bisection. The lock of the journal guards the index.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from sandbox.foundation.bounds import Count
from sandbox.journal.entry import Entry
from sandbox.journal.filter import INDEXED, EntryFilter


@dataclass(frozen=True, slots=True)
class DropSnapshot:
    """How many dropped entries had a value, such as the company ``acme``."""

    name: str
    value: str
    count: Count


@dataclass(frozen=True, slots=True)
class DropsSnapshot:
    """Counts of the entries that were dropped because the journal was full."""

    total: Count
    uncounted: Count
    by_value: tuple[DropSnapshot, ...]


_SERIES_BYTES: Final = 195
"""About how many bytes a series takes that holds one entry, with its place in a table."""

_COUNTER_BYTES: Final = 230
"""About how many bytes it takes to count the dropped entries of one value."""

_COMPACT_FROM: Final = 256
_DEAD_SHARE: Final = 8
"""A series is compacted when one in so many places in its list is a dropped entry's."""

_MAX_COUNTERS: Final = 10_000
"""Values whose dropped entries are counted one by one. Beyond it the counts begin again, above the total so far."""

_MIN_COUNTERS: Final = 64
"""The same for the smallest journal: with fewer counts, none of its filters would get a useful bound."""

_MAX_GROUPS: Final = 64
"""Combinations of keys whose series are found by one look-up."""

_seq = attrgetter("seq")
_Key = tuple[str, str]


class Series:
    """Entries in the order of their numbers."""

    __slots__ = ("_first", "entries")

    def __init__(self) -> None:
        self.entries: list[Entry | None] = []
        """The same list always, to which the newest is appended; a dropped one leaves None until it is compacted."""
        self._first = 0

    def __len__(self) -> int:
        return len(self.entries) - self._first

    def pop_oldest(self) -> Entry:
        """Drop the oldest entry and return it."""
        entry = self.entries[self._first]
        assert entry is not None
        self.entries[self._first] = None
        self._first += 1
        if self._first >= _COMPACT_FROM and self._first * _DEAD_SHARE > len(self.entries):
            del self.entries[: self._first]
            self._first = 0
        return entry

    def replace(self, entry: Entry) -> None:
        """Put an entry in the place of the one with its number."""
        at = bisect_right(self.entries, entry.seq - 1, lo=self._first, key=_seq)
        self.entries[at] = entry

    def oldest(self) -> Entry | None:
        """Return the oldest entry, if there is one."""
        return self.entries[self._first] if len(self) else None

    def above(self, seq: int, size: int) -> list[Entry]:
        """Return up to ``size`` entries with a number above ``seq``, oldest first."""
        start = bisect_right(self.entries, seq, lo=self._first, key=_seq)
        return self.entries[start : start + size]  # type: ignore[return-value] # None is before `_first` only

    def below(self, seq: int, size: int) -> list[Entry]:
        """Return up to ``size`` entries with a number below ``seq``, newest first."""
        end = bisect_right(self.entries, seq - 1, lo=self._first, key=_seq)
        return self.entries[max(self._first, end - size) : end][::-1]  # type: ignore[return-value]


class EntryIndex:
    """All entries, and those of each kind, company, vanity URL, client and outcome."""

    def __init__(self) -> None:
        self.all = Series()
        self.dropped = 0
        """How many entries were dropped in all."""
        self._none = Series()
        self._groups: dict[tuple[str | None, ...], tuple[list[Entry | None], ...]] = {}  # of entries with the same keys
        self._tables: dict[str, dict[str, Series]] = {name: {} for name in INDEXED}
        self._drops: Counter[_Key] = Counter()
        self._drops_uncounted = 0

    def add(self, entry: Entry) -> int:
        """Add the newest entry; return about how many bytes the new series take."""
        alike = entry.kind, entry.client_id, entry.outcome, *entry.subject.values()
        group, taken = self._groups.get(alike), 0
        if group is None:
            series = [self.all]
            for name, value in _keys(entry):
                table = self._tables[name]
                if value not in table:
                    table[value] = Series()
                    taken += _SERIES_BYTES
                series.append(table[value])
            if len(self._groups) >= _MAX_GROUPS:
                self._groups.clear()
            group = self._groups[alike] = tuple([each.entries for each in series])
        for entries in group:
            entries.append(entry)
        return taken

    def replace(self, entry: Entry) -> None:
        """Put an entry in the place of the one with its number, which has the same keys."""
        for series in (self.all, *(self._tables[name][value] for name, value in _keys(entry))):
            series.replace(entry)

    def drop_oldest(self, spare: int) -> int:
        """Drop the oldest entry; return about how many bytes go with series that held only this one.

        ``spare`` is the number of bytes that the counts of dropped entries may take.
        """
        entry = self.all.pop_oldest()
        self.dropped += 1
        freed = 0
        for name, value in _keys(entry):
            self._drops[name, value] += 1
            series = self._tables[name][value]
            series.pop_oldest()
            if not series:
                del self._tables[name][value]
                self._groups.clear()
                freed += _SERIES_BYTES
        if len(self._drops) > min(_MAX_COUNTERS, max(_MIN_COUNTERS, spare // _COUNTER_BYTES)):
            self._drops.clear()
            self._drops_uncounted = self.dropped
        return freed

    def drops(self) -> DropsSnapshot:
        """Return the counts of the dropped entries."""
        counts = tuple(DropSnapshot(name, value, count) for (name, value), count in self._drops.items())
        return DropsSnapshot(self.dropped, self._drops_uncounted, counts)

    def restore_drops(self, snapshot: DropsSnapshot) -> None:
        """Take over the counts of another index."""
        self.dropped = snapshot.total
        self._drops_uncounted = snapshot.uncounted
        self._drops = Counter({(drop.name, drop.value): drop.count for drop in snapshot.by_value})

    def narrowest(self, entry_filter: EntryFilter) -> Series:
        """Return the shortest series that holds every matching entry."""
        found = [self._tables[name].get(value, self._none) for name, value in _keys(entry_filter)]
        return min(found, key=len, default=self.all)

    def dropped_at_most(self, entry_filter: EntryFilter) -> int:
        """Return an upper bound for the dropped entries that the filter matched."""
        if not self.dropped:
            return 0
        counts = [self._drops_uncounted + self._drops[key] for key in _keys(entry_filter)]
        return min([self.dropped, *counts])


def _keys(found: Entry | EntryFilter) -> list[_Key]:
    return [(name, value) for name in INDEXED if (value := getattr(found, name)) is not None]
