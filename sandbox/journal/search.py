"""A search that goes on as a journal grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from sandbox.journal.entry import Entry
from sandbox.journal.filter import EntryFilter
from sandbox.journal.waiting import Waiting


class Searched(Protocol):
    """The parts of a journal that a search needs."""

    @property
    def last_seq(self) -> int:
        """The number of the newest entry."""

    @property
    def waiting(self) -> Waiting:
        """The threads that wait."""

    def entries(self, entry_filter: EntryFilter, after: int) -> Iterator[Entry]:
        """Iterate over the matching entries above ``after``, oldest first."""

    def wait_beyond(self, seq: int, interruptions: int, deadline: float) -> bool:
        """Wait for an entry above ``seq``; return whether there is one."""


class Search:
    """The first ``count`` matching entries above ``after``. Each entry is looked at once, however often it looks.

    ``matches`` is a further condition; it is called without the journal's lock. Belongs to one thread at a time.
    """

    def __init__(
        self,
        journal: Searched,
        entry_filter: EntryFilter,
        count: int,
        *,
        after: int = 0,
        matches: Callable[[Entry], bool] = bool,
    ) -> None:
        self._journal = journal
        self._filter = entry_filter
        self._count = count
        self._matches = matches
        self._interruptions = journal.waiting.interruptions
        self.after = after
        """The number up to which it has looked."""
        self.found: list[Entry] = []

    def look(self) -> bool:
        """Look at the entries that are new; return whether there are enough.

        Raise ``WaitInterruptedError`` when there are not, and waiting was interrupted since the search began.
        """
        looked_at = self._journal.last_seq
        for entry in self._journal.entries(self._filter, self.after):
            if self._matches(entry):
                self.found.append(entry)
                if len(self.found) >= self._count:
                    return True
        self.after = max(self.after, looked_at)
        self._journal.waiting.check(self._interruptions)
        return False

    def wait(self, deadline: float) -> bool:
        """Look until there are enough, or until ``deadline`` (of ``monotonic``); return whether there are."""
        while not self.look():
            if not self._journal.wait_beyond(self.after, self._interruptions, deadline):
                return False
        return True
