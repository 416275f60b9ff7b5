"""A tenant's part of a journal."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sandbox.journal.assertions.source import EntrySource
from sandbox.journal.filter import EVERY_ENTRY, EntryFilter
from sandbox.journal.journal import Entry


@dataclass(frozen=True)
class TenantJournal:
    """The entries of a tenant's inbound URLs and of its OAuth clients."""

    journal: EntrySource
    companies: tuple[str, ...]
    client_ids: tuple[str, ...]
    since: int
    """Number of the last entry before the tenant came; whatever was dropped of those does not matter."""

    @property
    def dropped(self) -> int:
        """How many entries were dropped that may have been the tenant's."""
        return self.journal.dropped_at_most(EVERY_ENTRY, self.since)

    @property
    def last_seq(self) -> int:
        """Number of the newest entry there ever was, whosever it is."""
        return self.journal.last_seq

    def entries(self, entry_filter: EntryFilter = EVERY_ENTRY, after: int = 0) -> Iterator[Entry]:
        """Iterate over the matching entries of the tenant, oldest first."""
        after = max(after, self.since)
        parts = (self.journal.entries(part, after) for part in self._parts(entry_filter))
        last = 0
        for entry in heapq.merge(*parts, key=lambda entry: entry.seq):
            if entry.seq != last:
                last = entry.seq
                yield entry

    def newest_first(self, entry_filter: EntryFilter = EVERY_ENTRY) -> Iterator[Entry]:
        """Iterate over the matching entries of the tenant, newest first."""
        return reversed(list(self.entries(entry_filter)))

    def count(self, entry_filter: EntryFilter) -> int:
        """Return how many entries of the tenant match."""
        return sum(1 for _ in self.entries(entry_filter))

    def dropped_at_most(self, entry_filter: EntryFilter, after: int = 0) -> int:
        """Return how many of the dropped entries a filter may have meant, at most."""
        return self.journal.dropped_at_most(entry_filter, max(after, self.since))

    def wait(
        self,
        entry_filter: EntryFilter,
        count: int,
        timeout: float,
        *,
        after: int = 0,
        matches: Callable[[Entry], bool] = bool,
    ) -> list[Entry]:
        """Return the first ``count`` matching entries of the tenant, or those there are in the end."""
        after = max(after, self.since)
        return self.journal.wait(
            entry_filter, count, timeout, after=after, matches=lambda entry: self._owns(entry) and matches(entry)
        )

    def _owns(self, entry: Entry) -> bool:
        return entry.company in self.companies or entry.client_id in self.client_ids

    def _parts(self, entry_filter: EntryFilter) -> Iterator[EntryFilter]:
        """Yield filters that together mean the tenant's entries among those a filter means."""
        if entry_filter.company in self.companies or entry_filter.client_id in self.client_ids:
            yield entry_filter
            return
        if entry_filter.company is None:
            yield from (replace(entry_filter, company=company) for company in self.companies)
        if entry_filter.client_id is None:
            yield from (replace(entry_filter, client_id=client_id) for client_id in self.client_ids)
