"""The entries that a journal holds, within its bounds, and every way to read them.

The journal is bounded by count and by bytes. Beyond either bound it drops the oldest entries and counts them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from sandbox.foundation.errors import NotFoundError
from sandbox.journal.entry import Entry
from sandbox.journal.filter import EVERY_ENTRY, EntryFilter
from sandbox.journal.index import EntryIndex
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.journal.shared_values import SharedValues

_OVERHEAD = 392
"""About how many bytes an entry takes beside its bodies and the values that it shares with no other entry."""

_CHUNK = 256
"""Entries read at a time."""

_SPARE_SHARE = 64
"""The counts of dropped entries may take this part of the bound in bytes; so may the values kept for sharing."""


@dataclass(frozen=True, slots=True)
class Page:
    """Entries of a listing, oldest first. ``next_after`` is the cursor of the next page; ``None`` on the last."""

    entries: Sequence[Entry]
    next_after: int | None
    dropped: int


class KeptEntries:
    """The entries of a journal. One lock guards them."""

    def __init__(self, id: str, max_entries: int, max_bytes: int, secrets: KnownSecrets) -> None:
        self.id = id
        self.secrets = secrets
        """The secrets that entries must not hold."""
        self._lock = threading.Lock()
        self.last_seq = 0
        """Number of the newest entry, also where that was dropped; 0 before the first."""
        self._index = EntryIndex()
        self._shared = SharedValues(secrets)  # guarded by `Journal._closing`
        self._costs: deque[int] = deque()  # of the entries, oldest first
        self.bytes = 0
        """Bytes that the entries take, within about 10 %."""
        self.bound(max_entries, max_bytes)

    def bound(self, max_entries: int, max_bytes: int) -> int:
        """Set both bounds, and drop the oldest entries beyond them; return how many."""
        with self._lock:
            self._max_entries = max_entries
            self._max_bytes = max_bytes
            return self._drop_beyond_bounds()

    def _add(self, entry: Entry, cost: int) -> None:
        cost += _OVERHEAD
        self.last_seq = entry.seq
        self._costs.append(cost)
        self.bytes += cost + self._index.add(entry)

    def _drop_beyond_bounds(self) -> int:
        """Drop the oldest entries until both bounds hold, and return how many; the newest always stays."""
        index, dropped = self._index, 0
        while (held := len(index.all)) > 1 and (held > self._max_entries or self.bytes > self._max_bytes):
            spare = self._max_bytes // _SPARE_SHARE
            self.bytes -= self._costs.popleft() + index.drop_oldest(spare)
            dropped += 1
            if self._shared.held > spare:  # the entries that the values came with may be gone
                self._shared = SharedValues(self.secrets)
        return dropped

    # --- reading ----------------------------------------------------------------------------------------------------

    def entries(self, entry_filter: EntryFilter = EVERY_ENTRY, after: int = 0) -> Iterator[Entry]:
        """Iterate over the present matching entries with a sequence number above ``after``, oldest first.

        Entries that come or are dropped meanwhile are left out. The lock is held for 256 entries at a time.
        """
        last = self.last_seq
        while after < last:
            with self._lock:
                some = self._index.narrowest(entry_filter).above(after, _CHUNK)
            if not some:
                return
            after = some[-1].seq
            yield from (entry for entry in some if entry.seq <= last and entry_filter.matches(entry))

    def newest_first(self, entry_filter: EntryFilter = EVERY_ENTRY, before: int | None = None) -> Iterator[Entry]:
        """Iterate over the present matching entries with a sequence number below ``before``, newest first."""
        return (entry for entry in self.candidates(entry_filter, before) if entry_filter.matches(entry))

    def candidates(self, entry_filter: EntryFilter, before: int | None = None) -> Iterator[Entry]:
        """Iterate over the entries that may match, newest first; a caller that checks them itself may stop in between.

        They have a sequence number below ``before`` and the conditions that a look-up can find.
        """
        before = self.last_seq + 1 if before is None else before
        while True:
            with self._lock:
                some = self._index.narrowest(entry_filter).below(before, _CHUNK)
            if not some:
                return
            before = some[-1].seq
            yield from some

    def count(self, entry_filter: EntryFilter) -> int:
        """Return how many entries match; with a single indexed condition the time does not depend on the number."""
        if entry_filter.is_indexed:
            with self._lock:
                return len(self._index.narrowest(entry_filter))
        return sum(1 for _ in self.entries(entry_filter))

    def page(self, entry_filter: EntryFilter, after: int = 0, limit: int = 100, *, newest: bool = False) -> Page:
        """Return up to ``limit`` matching entries with a sequence number above ``after``, oldest first.

        With ``newest`` they are the last ones, and there is no next page.
        """
        if newest:
            found = takewhile(lambda entry: entry.seq > after, self.newest_first(entry_filter))
            return Page([*islice(found, limit)][::-1], None, self.dropped)
        entries = list(islice(self.entries(entry_filter, after), limit + 1))
        more = len(entries) > limit
        entries = entries[:limit]
        return Page(entries, entries[-1].seq if more else None, self.dropped)

    def snapshot(self, after: int = 0) -> Iterator[Entry]:
        """Return an iterator over the present entries with a sequence number above ``after``, oldest first."""
        with self._lock:
            return iter(self._index.all.above(after, len(self._index.all)))

    def get(self, entry_id: str) -> Entry:
        """Return an entry by its id or its sequence number, or raise ``NotFoundError``."""
        found = self.find(entry_id)
        if found is None:
            known = f"{self.id}-{self.first_seq} to {self.id}-{self.last_seq}"
            raise NotFoundError("journal entry", entry_id, [known] if len(self) else [])
        return found

    def find(self, entry_id: str) -> Entry | None:
        """Return an entry by its id or its sequence number; ``None`` where there is none."""
        journal_id, dash, number = entry_id.rpartition("-")
        if journal_id == (self.id if dash else "") and number.isascii() and number.isdecimal() and len(number) < 20:
            with self._lock:
                found = self._index.all.above(int(number) - 1, 1)
            if found and found[0].seq == int(number):
                return found[0]
        return None

    # --- figures ----------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        with self._lock:
            return len(self._index.all)

    @property
    def first_seq(self) -> int:
        """Number of the oldest entry that is held; of the next one where none is."""
        with self._lock:
            oldest = self._index.all.oldest()
            return self.last_seq + 1 if oldest is None else oldest.seq

    @property
    def dropped(self) -> int:
        """How many entries were dropped because a bound was reached."""
        return self._index.dropped

    def dropped_at_most(self, entry_filter: EntryFilter, after: int = 0) -> int:
        """Return an upper bound for the dropped entries above ``after`` that a filter matched; 0 is exact."""
        with self._lock:
            oldest = self._index.all.oldest()
            if oldest is not None and after >= oldest.seq - 1:
                return 0
            return self._index.dropped_at_most(entry_filter)
