"""The journal: every request to the emulated API, with what was answered and why.

``Journal.close`` makes a frozen ``Entry`` of an ``Exchange`` and publishes it before the answer leaves. Sequence
numbers count closed entries and have no gaps, so a client that has read up to a number has missed nothing. An entry
that must be kept in a file too is written there first; one that cannot be written is not closed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Final, TypeAlias

from msgspec import Meta
from msgspec.structs import replace

from sandbox.foundation.answer import Headers
from sandbox.foundation.bounds import Count
from sandbox.foundation.errors import InvalidValueError, cut
from sandbox.foundation.printable import escape_unprintable
from sandbox.foundation.real_time import monotonic, perf_counter
from sandbox.journal.endpoint_kind import PAYLOADS
from sandbox.journal.entry import Entry, Exchange
from sandbox.journal.event import MAX_EVENTS, Event, EventKind
from sandbox.journal.filter import EntryFilter
from sandbox.journal.index import DropsSnapshot, EntryIndex
from sandbox.journal.kept_entries import KeptEntries
from sandbox.journal.known_secrets import KnownSecrets, fingerprint_of
from sandbox.journal.log_line import EmulatedRequest, log_failure
from sandbox.journal.redaction import is_text, redact_body
from sandbox.journal.shared_values import SharedValues
from sandbox.journal.waiting import Waiting

_MAX_TEXT: Final = 300
"""Characters of the text of an event."""

Observer: TypeAlias = Callable[[Entry, Exchange, int], None]
"""Gets an entry, the exchange that it was made of, and the number of entries that the journal dropped for it.

The thread that closes the entry calls it, without the journal's lock.
"""


@dataclass(frozen=True, slots=True)
class JournalSnapshot:
    """The journal. ``last_seq`` is the number of the newest entry, also where that was dropped."""

    id: Annotated[str, Meta(pattern="^[0-9a-z]{1,64}$")]
    last_seq: Count
    dropped: DropsSnapshot
    events: tuple[Event, ...] = field(default=(), kw_only=True)
    entries: tuple[Entry, ...]


class Journal(KeptEntries):
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
        super().__init__(id, max_entries, max_bytes, KnownSecrets() if secrets is None else secrets)
        self._observers = observers
        self._keep = keep
        self._closing = threading.Lock()  # held while an entry is kept elsewhere, which may take long: never by readers
        self.waiting = Waiting(self._lock)
        """The threads that wait for entries, and the listeners."""
        self._events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self._noted = 0

    # --- writing ----------------------------------------------------------------------------------------------------

    def close(
        self, exchange: Exchange, status: int, response_headers: Headers, response_body: bytes, *, keep: bool = True
    ) -> Entry:
        """Make an entry of an exchange and publish it.

        Raise ``NotKeptError`` when the entry must be kept in a file too and cannot be; the journal is then as before.
        The caller closes the exchange again with ``keep=False`` and an answer that says so.
        """
        duration_ms = int((perf_counter() - exchange.started) * 1e6 + 0.5) / 1e3
        secrets, is_payload = self.secrets, exchange.kind in PAYLOADS
        body = exchange.request.body
        if not is_payload:
            body = redact_body(body, secrets) if is_text(body) else fingerprint_of(sha256(body).digest()).encode()
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
                seq=self.last_seq + 1,
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
        text = cut(escape_unprintable(self.secrets.redact(text)), _MAX_TEXT)
        client_id = client_id and self.secrets.redact(client_id)
        with self._lock:
            self._events.append(Event(self.last_seq, kind, text, *times, company, client_id))
            self._noted += 1
            listeners = self.waiting.wake()
        for listener in listeners:
            listener()

    def clear(self) -> int:
        """Empty the journal and return how many entries it held.

        The numbers continue. The count of dropped entries begins at 0 again.
        """
        with self._lock:
            cleared = len(self._index.all)
            self._index, self._shared = EntryIndex(), SharedValues(self.secrets)
            self._events.clear()
            self._costs.clear()
            self.bytes = 0
        return cleared

    # --- events -------------------------------------------------------------------------------------------------------

    def events(self, after: int = 0) -> list[Event]:
        """Return the newest events behind the entry ``after`` and later ones, oldest first, at most 1,000."""
        with self._lock:
            return [event for event in self._events if event.after >= after]

    def events_since(self, noted: int) -> tuple[list[Event], int]:
        """Return the events after the first ``noted``, and how many there have been in all."""
        with self._lock:
            new = min(self._noted - noted, len(self._events))
            return list(self._events)[len(self._events) - new :] if new > 0 else [], self._noted

    # --- as a value -------------------------------------------------------------------------------------------------

    def export(self) -> JournalSnapshot:
        """Return all entries and counts as a value."""
        with self._lock:
            drops, seq = self._index.drops(), self.last_seq
            kept = self._index.all.above(0, len(self._index.all))
            events = tuple(self._events)
        return JournalSnapshot(self.id, seq, drops, tuple(kept), events=events)

    def restore(self, snapshot: JournalSnapshot) -> None:
        """Take over the content of another journal; raise ``InvalidValueError`` unless the entries are in order."""
        with self._lock:
            self.id = snapshot.id
            for position, kept in enumerate(snapshot.entries):
                if not self.last_seq < kept.seq <= snapshot.last_seq:
                    allowed = f"a whole number from {self.last_seq + 1} to last_seq, {snapshot.last_seq}"
                    raise InvalidValueError(f"platform.journal.entries[{position}].seq", kept.seq, allowed)
                self._add(*self._shared.share(kept, self.id, kept.seq))
            self._shared = SharedValues(self.secrets)  # those of the snapshot were redacted by other secrets
            self.last_seq = snapshot.last_seq
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
        search = Search(self, entry_filter, count, after, matches)
        search.wait(monotonic() + timeout)
        return search.found


def call_hook(entry: Entry, hook: Callable[..., object], *arguments: object) -> None:
    """Call a hook with ``arguments``. Log its failure, with the traceback and the request of ``entry``.

    A hook cannot change the answer. It gets a published entry before the answer leaves: an observer every one, a stage
    after acceptance (``Sandbox.after_acceptance``) those of accepted payloads.
    """
    try:
        hook(*arguments)
    except Exception as error:  # noqa: BLE001 - a hook is anybody's code
        with suppress(Exception):  # the log may be what fails
            log_failure(EmulatedRequest(entry), error)


@dataclass(slots=True)
class Search:
    """The first ``count`` matching entries above ``after``. Each entry is looked at once, however often it looks.

    ``matches`` is a further condition; it is called without the journal's lock. Belongs to one thread at a time.
    """

    journal: Journal
    filter: EntryFilter
    count: int
    after: int = 0
    """The number up to which it has looked."""
    matches: Callable[[Entry], bool] = bool
    found: list[Entry] = field(default_factory=list)
    _interruptions: int = field(init=False)

    def __post_init__(self) -> None:
        self._interruptions = self.journal.waiting.interruptions

    def look(self) -> bool:
        """Look at the entries that are new; return whether there are enough.

        Raise ``WaitInterruptedError`` when there are not, and waiting was interrupted since the search began.
        """
        looked_at = self.journal.last_seq
        for entry in self.journal.entries(self.filter, self.after):
            if self.matches(entry):
                self.found.append(entry)
                if len(self.found) >= self.count:
                    return True
        self.after = max(self.after, looked_at)
        self.journal.waiting.check(self._interruptions)
        return False

    def wait(self, deadline: float) -> bool:
        """Look until there are enough, or until ``deadline`` (of ``monotonic``); return whether there are."""
        journal = self.journal
        while not self.look():
            if not journal.waiting.wait(lambda: journal.last_seq > self.after, self._interruptions, deadline):
                return False
        return True
