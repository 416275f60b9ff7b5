"""The journal behind a control API. Filters are applied there; patterns, which may be any Python object, here."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.foundation.errors import ProblemError
from sandbox.foundation.real_time import monotonic
from sandbox.journal.assertions.report import format_value
from sandbox.journal.filter import EVERY_ENTRY, EntryFilter
from sandbox.journal.journal import Entry
from sandbox.testing.remote.control_api import ControlApi
from sandbox.testing.remote.reading import read_entry

LONGEST_WAIT_S: Final = 60.0
_BUSY_S: Final = 1.0


@dataclass(frozen=True)
class RemoteJournal:
    """An ``EntrySource`` that asks a control API."""

    api: ControlApi

    @property
    def dropped(self) -> int:
        """How many entries were dropped because the journal was full."""
        dropped: int = self.api.get("/health")["journal_dropped"]
        return dropped

    @property
    def last_seq(self) -> int:
        """Number of the newest entry there ever was; 0 before the first."""
        last_seq: int = self.api.get("/health")["journal_last_seq"]
        return last_seq

    def entries(self, entry_filter: EntryFilter = EVERY_ENTRY, after: int = 0) -> Iterator[Entry]:
        """Iterate over the matching entries with a sequence number above ``after``, oldest first."""
        query = {"format": "ndjson", "after": after, **_query(entry_filter)}
        lines = self.api.lines("/requests/export", query)
        return (read_entry(json.loads(line)) for line in lines)

    def newest_first(self, entry_filter: EntryFilter = EVERY_ENTRY) -> Iterator[Entry]:
        """Iterate over the matching entries, newest first."""
        return reversed(list(self.entries(entry_filter)))

    def count(self, entry_filter: EntryFilter) -> int:
        """Return how many entries match."""
        return sum(1 for _ in self.entries(entry_filter))

    def dropped_at_most(self, entry_filter: EntryFilter, after: int = 0) -> int:
        """Return how many of the dropped entries a filter may have meant, at most: all of them, seen from here."""
        dropped = self.dropped
        if not dropped or not after:
            return dropped
        oldest = self.api.get("/requests", limit=1)["entries"]
        return 0 if oldest and after >= oldest[0]["seq"] - 1 else dropped

    def wait(
        self,
        entry_filter: EntryFilter,
        count: int,
        timeout: float,
        *,
        after: int = 0,
        matches: Callable[[Entry], bool] = bool,
    ) -> list[Entry]:
        """Return the first ``count`` matching entries as soon as there are so many, or those there are in the end.

        The sandbox answers when an entry comes that the filter means; nobody polls.
        """
        deadline = monotonic() + timeout
        found: list[Entry] = []
        while True:
            for entry in self.entries(entry_filter, after):
                after = entry.seq
                if matches(entry):
                    found.append(entry)
                    if len(found) >= count:
                        return found
            left = deadline - monotonic()
            if left <= 0:
                return found
            self._wait_for_one(entry_filter, after, min(left, LONGEST_WAIT_S))

    def _wait_for_one(self, entry_filter: EntryFilter, after: int, timeout: float) -> None:
        query = {**_query(entry_filter), "after": after, "count": 1, "timeout": round(timeout, 3)}
        try:
            self.api.call("GET", "/requests/wait", query=query, longer=timeout)
        except ProblemError as error:
            if error.status == 503:  # as many wait there as may; it asks to come again
                threading.Event().wait(min(timeout, _BUSY_S))
            elif error.status != 408:
                raise


def _query(entry_filter: EntryFilter) -> dict[str, str]:
    return {name: format_value(name, value) for name, value in entry_filter.conditions.items()}
