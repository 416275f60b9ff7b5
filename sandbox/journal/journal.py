"""The journal: every request to the emulated API, with what was answered and why.

``Journal.close`` makes a frozen ``Entry`` of an ``Exchange`` and publishes it before the answer leaves. Sequence
numbers count closed entries and have no gaps, so a client that has read up to a number has missed nothing. An entry
that must be kept in a file too is written there first; one that cannot be written is not closed.

The journal is bounded by count and by bytes. Beyond either bound it drops the oldest entries and counts them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from sandbox.foundation.answer import Headers
from sandbox.foundation.bounds import Count
from sandbox.foundation.errors import InvalidValueError, NotFoundError
from sandbox.foundation.real_time import monotonic, perf_counter
from sandbox.journal.endpoint import PAYLOADS
from sandbox.journal.entry import Entry, Exchange
from sandbox.journal.event import MAX_EVENTS, Event, EventKind, fitted
from sandbox.journal.filter import EVERY_ENTRY, EntryFilter
from sandbox.journal.hooks import Observer, call_hook
from sandbox.journal.index import DropsSnapshot, EntryIndex
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.journal.redaction import redact_body
from sandbox.journal.search import Search
from sandbox.journal.shared_values import SharedValues
from sandbox.journal.waiting import Waiting


@dataclass(frozen=True, slots=True)
class JournalSnapshot:
    """The journal. ``last_seq`` is the number of the newest entry, also where that was dropped."""

    id: Annotated[str, Meta(pattern="^[0-9a-z]{1,64}$")]
    last_seq: Count
    dropped: DropsSnapshot
    events: tuple[Event, ...] = field(default=(), kw_only=True)
    entries: tuple[Entry, ...]


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


class Journal:
    """The entries of one emulated platform; safe to use from several threads.

    ``observers`` are called with every entry, guarded. ``keep`` is called with it before it is published, in their
    order; ``NotKeptError`` prevents it. ``secrets`` are kept out of every entry.
    """

    def __init__(
        self,
        id: str,
        max_entries: int,
        max_bytes: int,
        observers: Sequence[Observer] = (),
        *,
        keep: Callable[[Entry], None] | None = None,
        secrets: KnownSecrets | None = None,
    ) -> None:
        self.id = id
        self.secrets = KnownSecrets() if secrets is None else secrets
        """The secrets that entries must not hold."""
        self._observers = observers
        self._keep = keep
        self._closing = threading.Lock()  # held while an entry is kept elsewhere, which may take long: never by readers
        self._lock = threading.Lock()
        self.waiting = Waiting(self._lock)
        """The threads that wait for entries, and the listeners."""
        self._seq = 0  # of the newest entry, also where it is gone
        self._index = EntryIndex()
        self._shared = SharedValues(self.secrets)  # guarded by `_closing`
        self._events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self._noted = 0
        self._costs: deque[int] = deque()  # of the entries, oldest first
        self._bytes = 0
        self.bound(max_entries, max_bytes)

    # --- writing ----------------------------------------------------------------------------------------------------

    def close(
        self,
        exchange: Exchange,
        status: int,
        response_headers: Headers,
        response_body: bytes,
        *,
        keep: bool = True,
    ) -> Entry:
        """Make an entry of an exchange and publish it.

        Raise ``NotKeptError`` when the entry must be kept in a file too and cannot be; the journal is then as before.
        The caller closes the exchange again with ``keep=False`` and an answer that says so.
        """
        duration_ms = int((perf_counter() - exchange.started) * 1e6 + 0.5) / 1e3
        secrets, is_payload = self.secrets, exchange.kind in PAYLOADS
        body = exchange.request.body
        if not is_payload:
            body = redact_body(body, secrets)
        response_body = redact_body(response_body, secrets, fields=not is_payload)
        with self._closing:
            if self._shared.is_outdated:
                self._shared = SharedValues(secrets)
            entry, cost = self._shared.entry(
                exchange,
                body,
                status,
                response_headers,
                response_body,
                duration_ms=duration_ms,
                journal=self.id,
                seq=self._seq + 1,
            )
            if keep and self._keep is not None:
                self._keep(entry)
            with self._lock:
                self._add(entry, cost)
                dropped = self._drop_beyond_bounds()
                listeners = self.waiting.wake()
        for listener in listeners:
            call_hook(entry, listener)
        for observer in self._observers:
            call_hook(entry, observer, entry, exchange, dropped)
        return entry

    def note_hang_up(self, seq: int, after_s: float) -> None:
        """Note in an entry after how many seconds the client hung up, before it had the whole answer.

        An entry that the journal no longer holds stays as it was; so does its line in a journal file.
        """
        with self._lock:
            found = self._index.all.above(seq - 1, 1)
            if not found or found[0].seq != seq:
                return
            self._index.replace(replace(found[0], closed_after_ms=round(after_s * 1000, 3)))
            listeners = self.waiting.wake()
        for listener in listeners:
            call_hook(found[0], listener)

    def note(
        self,
        kind: EventKind,
        text: str,
        times: tuple[float, float],
        *,
        company: str | None = None,
        client_id: str | None = None,
    ) -> None:
        """Note an event behind the newest entry; ``times`` are those of the sandbox clock and of the machine's."""
        with self._lock:
            self._events.append(Event(self._seq, kind, fitted(text), *times, company, client_id))
            self._noted += 1
            listeners = self.waiting.wake()
        for listener in listeners:
            listener()

    def bound(self, max_entries: int, max_bytes: int) -> None:
        """Set both bounds; the next entry makes them hold."""
        self._max_entries = max_entries
        self._max_bytes = max_bytes

    def _add(self, entry: Entry, cost: int) -> None:
        cost += _OVERHEAD
        self._seq = entry.seq
        self._costs.append(cost)
        self._bytes += cost + self._index.add(entry)

    def _drop_beyond_bounds(self) -> int:
        """Drop the oldest entries until both bounds hold, and return how many; the newest always stays."""
        index, dropped = self._index, 0
        while (held := len(index.all)) > 1 and (held > self._max_entries or self._bytes > self._max_bytes):
            spare = self._max_bytes // _SPARE_SHARE
            self._bytes -= self._costs.popleft() + index.drop_oldest(spare)
            dropped += 1
            if self._shared.held > spare:  # the entries that the values came with may be gone
                self._shared = SharedValues(self.secrets)
        return dropped

    def clear(self) -> int:
        """Empty the journal and return how many entries it held.

        The numbers continue. The count of dropped entries begins at 0 again.
        """
        with self._lock:
            cleared = len(self._index.all)
            self._index, self._shared = EntryIndex(), SharedValues(self.secrets)
            self._events.clear()
            self._costs.clear()
            self._bytes = 0
        return cleared

    # --- reading ----------------------------------------------------------------------------------------------------

    def entries(self, entry_filter: EntryFilter = EVERY_ENTRY, after: int = 0) -> Iterator[Entry]:
        """Iterate over the present matching entries with a sequence number above ``after``, oldest first.

        Entries that come or are dropped meanwhile are left out. The lock is held for 256 entries at a time.
        """
        last = self._seq
        while after < last:
            with self._lock:
                some = self._index.narrowest(entry_filter).above(after, _CHUNK)
            if not some:
                return
            after = some[-1].seq
            yield from (entry for entry in some if entry.seq <= last and entry_filter.matches(entry))

    def newest_first(self, entry_filter: EntryFilter = EVERY_ENTRY, before: int | None = None) -> Iterator[Entry]:
        """Iterate over the present matching entries with a sequence number below ``before``, newest first."""
        before = self._seq + 1 if before is None else before
        while True:
            with self._lock:
                some = self._index.narrowest(entry_filter).below(before, _CHUNK)
            if not some:
                return
            before = some[-1].seq
            yield from (entry for entry in some if entry_filter.matches(entry))

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

    def events(self, after: int = 0) -> list[Event]:
        """Return the newest events behind the entry ``after`` and later ones, oldest first, at most 1,000."""
        with self._lock:
            return [event for event in self._events if event.after >= after]

    def events_since(self, noted: int) -> tuple[list[Event], int]:
        """Return the events after the first ``noted``, and how many there have been in all."""
        with self._lock:
            new = min(self._noted - noted, len(self._events))
            return list(self._events)[len(self._events) - new :] if new > 0 else [], self._noted

    def snapshot(self, after: int = 0) -> Iterator[Entry]:
        """Return an iterator over the present entries with a sequence number above ``after``, oldest first."""
        with self._lock:
            return iter(self._index.all.above(after, len(self._index.all)))

    def get(self, entry_id: str) -> Entry:
        """Return an entry by its id or its sequence number, or raise ``NotFoundError``."""
        journal_id, dash, number = entry_id.rpartition("-")
        if journal_id == (self.id if dash else "") and number.isascii() and number.isdecimal() and len(number) < 20:
            with self._lock:
                found = self._index.all.above(int(number) - 1, 1)
            if found and found[0].seq == int(number):
                return found[0]
        raise NotFoundError("journal entry", entry_id, self._known_range())

    def _known_range(self) -> Sequence[str]:
        with self._lock:
            oldest, newest = self._index.all.oldest(), self._index.all.newest()
        return [f"{oldest.id} to {newest.id}"] if oldest and newest else []

    # --- as a value -------------------------------------------------------------------------------------------------

    def export(self) -> JournalSnapshot:
        """Return all entries and counts as a value."""
        with self._lock:
            drops, seq = self._index.drops(), self._seq
            kept = self._index.all.above(0, len(self._index.all))
            events = tuple(self._events)
        return JournalSnapshot(self.id, seq, drops, tuple(kept), events=events)

    def restore(self, snapshot: JournalSnapshot) -> None:
        """Take over the content of another journal; raise ``InvalidValueError`` unless the entries are in order."""
        with self._lock:
            self.id = snapshot.id
            for position, kept in enumerate(snapshot.entries):
                if not self._seq < kept.seq <= snapshot.last_seq:
                    allowed = f"a whole number from {self._seq + 1} to last_seq, {snapshot.last_seq}"
                    raise InvalidValueError(f"platform.journal.entries[{position}].seq", kept.seq, allowed)
                self._add(*self._shared.share(kept, self.id, kept.seq))
            self._shared = SharedValues(self.secrets)  # those of the snapshot were redacted by other secrets
            self._seq = snapshot.last_seq
            self._events.extend(snapshot.events)
            self._index.restore_drops(snapshot.dropped)
            self._drop_beyond_bounds()

    # --- waiting ----------------------------------------------------------------------------------------------------

    def wait(
        self,
        entry_filter: EntryFilter,
        count: int,
        timeout: float,
        *,
        after: int = 0,
        matches: Callable[[Entry], bool] = bool,
    ) -> list[Entry]:
        """Wait for ``count`` matching entries above ``after`` and return them.

        After ``timeout`` real seconds return those that are there. ``matches`` is a further condition. It is called
        once for an entry and without the lock. Raise ``WaitInterruptedError`` after ``interrupt`` or ``retire``.
        """
        search = Search(self, entry_filter, count, after=after, matches=matches)
        search.wait(monotonic() + timeout)
        return search.found

    def wait_beyond(self, seq: int, interruptions: int, deadline: float) -> bool:
        """Wait for an entry above ``seq``; return False when ``deadline`` (of ``monotonic``) has come.

        Raise ``WaitInterruptedError`` when there was an interruption since there were ``interruptions``.
        """
        return self.waiting.wait(lambda: self._seq > seq, interruptions, deadline)

    # --- figures ----------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        with self._lock:
            return len(self._index.all)

    @property
    def last_seq(self) -> int:
        """Number of the newest entry, also where that was dropped; 0 before the first."""
        return self._seq

    @property
    def first_seq(self) -> int:
        """Number of the oldest entry that is held; of the next one where none is."""
        with self._lock:
            oldest = self._index.all.oldest()
            return self._seq + 1 if oldest is None else oldest.seq

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

    @property
    def bytes(self) -> int:
        """Bytes that the entries take, within about 10 %."""
        return self._bytes
