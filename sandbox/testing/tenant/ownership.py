"""The companies of a tenant and their OAuth clients, which own the entries and fault rules that name one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from sandbox.faults.book import RuleState
from sandbox.faults.fault import stage_of
from sandbox.faults.rules import FaultRule, Match
from sandbox.foundation.errors import NotFoundError
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event
from sandbox.journal.filter import EntryFilter


class _OfCompany(Protocol):
    @property
    def company(self) -> str: ...


Of = TypeVar("Of", bound=_OfCompany)


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

    def checked(self, thing: Of | None, kind: str, key: object) -> Of:
        """Return a thing that an owned company has; raise ``NotFoundError`` for any other."""
        if thing is None or thing.company not in self.companies:
            raise NotFoundError(kind, key)
        return thing

    def first_client(self) -> str:
        """Return the id of the first OAuth client; raise ``NotFoundError``."""
        if not self.client_ids:
            raise NotFoundError(f"OAuth client of company {self.companies[0]}")
        return self.client_ids[0]
