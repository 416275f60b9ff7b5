"""The companies of a tenant and their OAuth clients, which own the journal entries and fault rules that name them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, takewhile
from operator import attrgetter

from sandbox.faults.book import RuleState
from sandbox.faults.fault import stage_of
from sandbox.faults.rules import FaultRule, Match
from sandbox.foundation.errors import NotFoundError
from sandbox.journal.assertions.verify import EntrySource, Expectation
from sandbox.journal.assertions.view import JournalRecorder, NotReceivedError
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event
from sandbox.journal.filter import EVERY_ENTRY, EntryFilter
from sandbox.journal.known_secrets import KnownSecrets


@dataclass(frozen=True)
class Ownership:
    """Companies and their OAuth clients; they own what names one of them: journal entries and fault rules."""

    companies: tuple[str, ...]
    client_ids: tuple[str, ...]
    since: int
    """Number of the last journal entry before the companies were created, or before it was cleared for them."""
    cleared: bool = False
    """Whether it was cleared for them: then older entries name them too."""

    def has(self, thing: Entry | Event | Match | EntryFilter) -> bool:
        """Return whether an entry, or what a filter or a match selects, is owned."""
        return thing.company in self.companies or thing.client_id in self.client_ids

    def covers(self, entry_filter: EntryFilter) -> bool:
        """Return whether every entry of a filter is owned and to be seen."""
        return not self.cleared and self.has(entry_filter)

    def parts(self, entry_filter: EntryFilter) -> list[EntryFilter]:
        """Return filters that together select the owned entries of a filter's; an entry may be in several."""
        if self.has(entry_filter):
            return [entry_filter]
        found = []
        if entry_filter.company is None:
            found += [replace(entry_filter, company=slug) for slug in self.companies]
        if entry_filter.client_id is None:
            found += [replace(entry_filter, client_id=client_id) for client_id in self.client_ids]
        return found

    def narrowed(self, rule: FaultRule) -> FaultRule:
        """Return a rule for owned requests only.

        A rule that names neither is for the first company where its endpoint has one, else for the first OAuth client.
        """
        if self.has(rule.match):
            return rule
        endpoint = stage_of(rule.match.endpoint)
        if endpoint is not None and "company" in endpoint.subject:
            return replace(rule, match=replace(rule.match, company=self.companies[0]))
        return replace(rule, match=replace(rule.match, client_id=self.first_client()))

    def rule(self, rules: list[RuleState], rule_id: str) -> RuleState:
        """Return the owned rule with an id, or raise ``NotFoundError``."""
        known = {state.id: state for state in rules if self.has(state.rule.match)}
        if rule_id not in known:
            raise NotFoundError("fault rule", rule_id, known)
        return known[rule_id]

    def check(self, company: str | None, kind: str, key: object) -> None:
        """Raise ``NotFoundError`` for a thing of a company that is not owned, or of none."""
        if company not in self.companies:
            raise NotFoundError(kind, key)

    def first_client(self) -> str:
        """Return the id of the first OAuth client; raise ``NotFoundError``."""
        if not self.client_ids:
            raise NotFoundError(f"OAuth client of company {self.companies[0]}")
        return self.client_ids[0]


@dataclass(frozen=True)
class TenantJournal:
    """An ``EntrySource`` of the owned entries of a journal; entries from before the companies were created are none."""

    journal: EntrySource
    own: Ownership

    @property
    def dropped(self) -> int:
        """How many entries were dropped that may have been owned."""
        return self.journal.dropped_at_most(EVERY_ENTRY, self.own.since)

    @property
    def last_seq(self) -> int:
        return self.journal.last_seq

    @property
    def secrets(self) -> KnownSecrets:
        return self.journal.secrets

    def entries(self, entry_filter: EntryFilter = EVERY_ENTRY, after: int = 0) -> Iterator[Entry]:
        after = max(after, self.own.since)
        parts = (self.journal.entries(part, after) for part in self.own.parts(entry_filter))
        return _merged(parts)

    def newest_first(self, entry_filter: EntryFilter = EVERY_ENTRY) -> Iterator[Entry]:
        parts = (self.journal.newest_first(part) for part in self.own.parts(entry_filter))
        return takewhile(lambda entry: entry.seq > self.own.since, _merged(parts, newest_first=True))

    def events(self, after: int = 0) -> list[Event]:
        """Return the newest events that concern everybody or the owned requests, oldest first."""
        events = self.journal.events(max(after, self.own.since))
        return [event for event in events if event.concerns_all or self.own.has(event)]

    def count(self, entry_filter: EntryFilter) -> int:
        if self.own.covers(entry_filter):
            return self.journal.count(entry_filter)
        return sum(1 for _ in self.entries(entry_filter))

    def dropped_at_most(self, entry_filter: EntryFilter, after: int = 0) -> int:
        return self.journal.dropped_at_most(entry_filter, max(after, self.own.since))

    def wait(
        self,
        entry_filter: EntryFilter,
        count: int,
        timeout: float,
        *,
        after: int = 0,
        matches: Callable[[Entry], bool] = bool,
    ) -> list[Entry]:
        return self.journal.wait(
            entry_filter,
            count,
            timeout,
            after=max(after, self.own.since),
            matches=lambda entry: self.own.has(entry) and matches(entry),
        )


@dataclass(frozen=True)
class TenantRecorder(JournalRecorder):
    """Asks the parent where the question is about owned entries only, and the owned entries where it is not.

    A failure is explained from the owned entries: the parent's message would name requests of others.
    """

    parent: JournalRecorder
    own: Ownership

    def window(self, entry_filter: EntryFilter, skip: int, limit: int | None, *, newest: bool = False) -> list[Entry]:
        if self.own.covers(entry_filter):
            return self.parent.window(entry_filter, skip, limit, newest=newest)
        return super().window(entry_filter, skip, limit, newest=newest)

    def explain(self, expectation: Expectation) -> NotReceivedError | None:
        if self.own.has(expectation.view.filter):
            after = max(expectation.after, self.own.since)
            if self.parent.explain(replace(expectation, after=after)) is None:
                return None
        return super().explain(expectation)


def _merged(parts: Iterable[Iterator[Entry]], *, newest_first: bool = False) -> Iterator[Entry]:
    """Iterate in one order over the entries of several parts, once over an entry that is in more than one."""
    number = attrgetter("seq")
    for _, same in groupby(heapq.merge(*parts, key=number, reverse=newest_first), number):
        yield next(same)
