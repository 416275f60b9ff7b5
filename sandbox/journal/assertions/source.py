"""Sources of entries: a journal of this process, one behind a control API, or a test's part of either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from sandbox.journal.entry import Entry
from sandbox.journal.event import Event
from sandbox.journal.filter import EVERY_ENTRY, EntryFilter
from sandbox.journal.known_secrets import KnownSecrets


class EntrySource(Protocol):
    """A journal as verification needs it; a ``Journal`` is one."""

    @property
    def dropped(self) -> int:
        """How many entries were dropped because the journal was full."""

    @property
    def last_seq(self) -> int:
        """Number of the newest entry, also where that was dropped; 0 before the first."""

    @property
    def secrets(self) -> KnownSecrets:
        """The secrets that no report may show."""
        ...

    def entries(self, entry_filter: EntryFilter = EVERY_ENTRY, after: int = 0) -> Iterator[Entry]:
        """Iterate over the matching entries with a sequence number above ``after``, oldest first."""

    def newest_first(self, entry_filter: EntryFilter = EVERY_ENTRY) -> Iterator[Entry]:
        """Iterate over the matching entries, newest first."""

    def events(self, after: int = 0) -> list[Event]:
        """Return the newest events behind the entry ``after`` and later ones, oldest first."""

    def count(self, entry_filter: EntryFilter) -> int:
        """Return how many entries match."""

    def dropped_at_most(self, entry_filter: EntryFilter, after: int = 0) -> int:
        """Return an upper bound for the dropped entries above ``after`` that a filter matched; 0 is exact."""

    def wait(
        self,
        entry_filter: EntryFilter,
        count: int,
        timeout: float,
        *,
        after: int = 0,
        matches: Callable[[Entry], bool] = bool,
    ) -> list[Entry]:
        """Wait for ``count`` matching entries and return them; after ``timeout`` seconds return those there are."""
