"""Where entries are read from: a journal of this process, one behind a control API, or a test's part of either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from sandbox.journal.filter import EVERY_ENTRY, EntryFilter
from sandbox.journal.journal import Entry


class EntrySource(Protocol):
    """What verification needs to know of a journal; a ``Journal`` is one."""

    @property
    def dropped(self) -> int:
        """How many entries were dropped because the journal was full."""
        ...

    @property
    def last_seq(self) -> int:
        """Number of the newest entry there ever was; 0 before the first."""
        ...

    def entries(self, entry_filter: EntryFilter = EVERY_ENTRY, after: int = 0) -> Iterator[Entry]:
        """Iterate over the matching entries with a sequence number above ``after``, oldest first."""
        ...

    def newest_first(self, entry_filter: EntryFilter = EVERY_ENTRY) -> Iterator[Entry]:
        """Iterate over the matching entries, newest first."""
        ...

    def count(self, entry_filter: EntryFilter) -> int:
        """Return how many entries match."""
        ...

    def dropped_at_most(self, entry_filter: EntryFilter, after: int = 0) -> int:
        """Return how many of the dropped entries above ``after`` a filter may have meant, at most; 0 is certain."""
        ...

    def wait(
        self,
        entry_filter: EntryFilter,
        count: int,
        timeout: float,
        *,
        after: int = 0,
        matches: Callable[[Entry], bool] = bool,
    ) -> list[Entry]:
        """Return the first ``count`` matching entries as soon as there are so many, or those there are in the end."""
        ...
