"""Whatever journal a sandbox has at the moment, for the views of a test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sandbox.journal import Entry
from sandbox.matching import EntryFilter
from sandbox.verification.pattern import Pattern
from sandbox.verification.report import report, report_order
from sandbox.verification.source import EntrySource
from sandbox.verification.verify import Expectation, View, verify, verify_in_order


class HasJournal(Protocol):
    """A sandbox, whose journal is another one after each reset."""

    @property
    def journal(self) -> EntrySource:
        """The journal as it is now."""
        ...


@dataclass(frozen=True)
class JournalRecorder:
    """A ``Recorder`` that asks whichever journal the sandbox has at the moment."""

    sandbox: HasJournal

    def entries(self, entry_filter: EntryFilter) -> Iterable[Entry]:
        """Return the matching entries, oldest first."""
        return self.sandbox.journal.entries(entry_filter)

    def count(self, entry_filter: EntryFilter) -> int:
        """Return how many entries match."""
        return self.sandbox.journal.count(entry_filter)

    def last(self, entry_filter: EntryFilter) -> Entry | None:
        """Return the newest matching entry."""
        return next(self.sandbox.journal.newest_first(entry_filter), None)

    def dropped(self, entry_filter: EntryFilter) -> int:
        """Return how many entries that may have matched were dropped."""
        return self.sandbox.journal.dropped_at_most(entry_filter)

    def explain(self, expectation: Expectation) -> str | None:
        """Return why an expectation does not hold; ``None`` when it does."""
        verdict = verify(self.sandbox.journal, expectation)
        return None if verdict.ok else report(verdict)

    def explain_order(self, view: View, patterns: Sequence[Pattern]) -> str | None:
        """Return why entries did not come in the order of the patterns; ``None`` when they did."""
        verdict = verify_in_order(self.sandbox.journal, view, patterns)
        return None if verdict.ok else report_order(verdict)

    def wait(self, expectation: Expectation, timeout: float) -> list[Entry]:
        """Return the first entries that meet an expectation, fewer than it asks for when the time is up."""
        pattern = expectation.pattern
        return self.sandbox.journal.wait(
            expectation.view.meant_by(pattern),
            expectation.times.at_least,
            timeout,
            after=expectation.after,
            matches=pattern.matches,
        )
