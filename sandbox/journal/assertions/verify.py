"""Verification of a journal against an expectation; the verdict explains a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, Protocol

from sandbox.foundation.errors import InvalidValueError, UnknownNameError, shorten
from sandbox.journal.assertions.difference import Difference
from sandbox.journal.assertions.pattern import Pattern, without_secrets
from sandbox.journal.endpoint_kind import OTHER, endpoint_kind
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


NEAR_MISSES: Final = 3
CANDIDATES: Final = 300
"""The newest entries, of which the nearest misses are chosen."""

NAMED: Final = 5
"""Entries of a sort that are named one by one at most."""

MAX_TIMES: Final = 2**31
"""The largest number of entries that can be expected."""


@dataclass(frozen=True, slots=True)
class Times:
    """The number of entries expected; ``at_most`` ``None`` is without limit."""

    at_least: int = 1
    at_most: int | None = None

    @classmethod
    def of(cls, times: int | None = None, at_least: int | None = None, at_most: int | None = None) -> Times:
        """Read the arguments of an assertion; without any of them the result is at least once."""
        for name, value in (("times", times), ("at_least", at_least), ("at_most", at_most)):
            if value is not None and not (type(value) is int and 0 <= value <= MAX_TIMES):
                raise InvalidValueError(name, value, f"an integer from 0 to {MAX_TIMES}")
        if times is not None:
            if at_least is not None or at_most is not None:
                raise InvalidValueError("times", times, "times alone, or at_least and at_most")
            return cls(times, times)
        if at_least is None:
            at_least = 1 if at_most is None else 0
        if at_most is not None and at_most < at_least:
            raise InvalidValueError("at_most", at_most, f"at_least ({at_least}) or more")
        return cls(at_least, at_most)

    def __contains__(self, count: int) -> bool:
        return self.at_least <= count and (self.at_most is None or count <= self.at_most)

    def __str__(self) -> str:
        if self.at_most is None:
            return f"at least {self.at_least}"
        if self.at_most == 0:
            return "no"
        if self.at_most == self.at_least:
            return f"exactly {self.at_least}"
        return f"at most {self.at_most}" if self.at_least == 0 else f"{self.at_least} to {self.at_most}"


@dataclass(frozen=True, slots=True)
class View:
    """Part of the journal."""

    filter: EntryFilter
    only_accepted: bool = False
    """Whether expectations are about accepted requests, unless they name an outcome themselves."""

    @property
    def noun(self) -> str:
        """The words for its entries in the plural; they begin with ``requests``."""
        conditions = self.filter.document
        endpoint = endpoint_kind(self.filter.kind or OTHER)
        if endpoint is not None and conditions.keys() == {"kind", *endpoint.subject}:
            return endpoint.requests.format(**conditions)
        if conditions == {"outcome": "rejected"}:
            return "requests refused"
        given = ", ".join(f"{name}={value}" for name, value in conditions.items())
        return f"requests with {given}" if given else "requests"

    def meant_by(self, *patterns: Pattern) -> EntryFilter:
        """Return the filter of the entries that an expectation is about."""
        if not self.only_accepted or any(pattern.is_about_the_answer for pattern in patterns):
            return self.filter
        return replace(self.filter, accepted=True)


@dataclass(frozen=True, slots=True)
class Expectation:
    """A number of entries in a view that must match a pattern."""

    view: View
    pattern: Pattern = field(default_factory=Pattern)
    times: Times = Times()
    after: int = 0
    waited_s: float | None = None
    """Real seconds that the caller waited for it."""
    in_order: Sequence[Pattern] | None = None
    """In place of a pattern and a number: entries must match these one after the other; others may come between."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An entry that nearly matched, and why it did not."""

    entry: Entry
    differences: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an expectation holds, and the entries that explain a failure."""

    expectation: Expectation
    ok: bool
    count: int
    """How many entries match."""
    dropped: int
    lost: int
    """The number of dropped entries that could have matched; the count is certain when this is 0."""
    total: int = 0
    """How many entries there are in the view, matching or not."""
    matches: Sequence[Entry] = ()
    near_misses: Sequence[NearMiss] = ()
    candidates: int = 0
    surroundings: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    """Other entries that may explain the failure, oldest first, by a title."""
    found: Sequence[Entry] = ()
    """In an order: the entries of the first patterns. All else is about the first pattern without an entry."""
    earlier: Entry | None = None
    """In an order: an entry that matches that pattern, but came too early."""


def verify(journal: EntrySource, expectation: Expectation) -> Verdict:
    """Return whether an expectation holds. It does not when dropped entries could have changed the result."""
    if expectation.in_order is not None:
        return _verify_in_order(journal, expectation, expectation.in_order)
    pattern, times, after = expectation.pattern, expectation.times, expectation.after
    meant = expectation.view.meant_by(pattern)
    matching = (entry for entry in journal.entries(meant, after) if pattern.matches(entry))
    certain = times.at_least if times.at_most is None else times.at_most + 1
    matches = list(islice(matching, certain))
    count = len(matches)
    lost = journal.dropped_at_most(meant, after)
    is_certain = lost == 0 or (times.at_most is None and count >= times.at_least)
    if count in times and is_certain:
        return Verdict(expectation, True, count, journal.dropped, lost)
    matches += matching
    count = len(matches)
    missing = count < times.at_least
    near, candidates = _near_misses(journal, expectation) if missing else ((), 0)
    return Verdict(
        replace(expectation, pattern=pattern.without_secrets(journal.secrets)),
        False,
        count,
        journal.dropped,
        lost,
        sum(1 for _ in journal.entries(expectation.view.filter, after)),
        matches[:NAMED],
        near,
        candidates,
        _surroundings(journal, expectation.view, after),
    )


def _near_misses(journal: EntrySource, expectation: Expectation) -> tuple[list[NearMiss], int]:
    """Return the entries that fail by the least, nearest first, and how many entries were compared."""
    view, pattern = expectation.view, expectation.pattern
    meant, shown = view.meant_by(pattern), pattern.without_secrets(journal.secrets)
    entries = list(islice(journal.newest_first(view.filter), CANDIDATES))
    entries = [entry for entry in entries if entry.seq > expectation.after]
    found = []
    for entry in entries:
        others = [] if meant.matches(entry) else [Difference("outcome", "not accepted, see above")]
        if reasons := [*pattern.differences(entry), *others]:
            found.append((sum(reason.weight for reason in reasons), -entry.seq, entry, others))
    nearest = []
    for _, _, entry, others in sorted(found)[:NEAR_MISSES]:
        redacted = without_secrets(entry, journal.secrets)
        reasons = [*shown.differences(redacted), *others] or [Difference("$", "differs in a secret")]
        nearest.append(NearMiss(redacted, reasons))
    return nearest, len(entries)


def _surroundings(journal: EntrySource, view: View, after: int) -> dict[str, list[Entry]]:
    """Return the refused and the faulted entries of a view, and the refused ones outside of it, by a title.

    Those outside are token requests and requests with a wrong URL, but none to another company.
    """
    rejected = list(journal.entries(replace(view.filter, outcome="rejected"), after))
    faulted = list(journal.entries(replace(view.filter, outcome="faulted"), after))
    company = view.filter.company
    elsewhere = [
        entry
        for entry in journal.entries(EntryFilter(outcome="rejected"), after)
        if not view.filter.matches(entry) and (company is None or entry.company in (None, company))
    ]
    return {"rejected here": rejected, "faults acted on": faulted, "refused elsewhere": elsewhere}


def _verify_in_order(journal: EntrySource, expectation: Expectation, patterns: Sequence[Pattern]) -> Verdict:
    meant = expectation.view.meant_by(*patterns)
    found: list[Entry] = []
    entries = journal.entries(meant, expectation.after)
    for pattern in patterns:
        entry = next((entry for entry in entries if pattern.matches(entry)), None)
        if entry is None:
            break
        found.append(entry)
    if len(found) == len(patterns):
        return Verdict(expectation, True, len(found), journal.dropped, 0)
    pattern, after = patterns[len(found)], found[-1].seq if found else expectation.after
    used = {entry.seq for entry in found}
    before = (
        entry for entry in journal.entries(meant, expectation.after) if entry.seq <= after and entry.seq not in used
    )
    earlier = next((entry for entry in before if pattern.matches(entry)), None)
    shown = [pattern.without_secrets(journal.secrets) for pattern in patterns]
    return replace(
        verify(journal, Expectation(expectation.view, pattern, after=after)),
        expectation=replace(expectation, in_order=shown),
        ok=False,
        lost=journal.dropped_at_most(meant, expectation.after),
        found=found,
        earlier=earlier,
    )


def as_pattern(given: Pattern | Mapping[str, object], *unnamed: object) -> Pattern:
    """Return a pattern given as one or as its conditions; raise ``InvalidValueError``.

    ``unnamed`` is what a caller gave without a name.
    """
    if unnamed:
        raise InvalidValueError("pattern", unnamed[0], f"conditions by name; {as_json(unnamed[0])}")
    if isinstance(given, Pattern):
        return given
    known = [name for name in Pattern.__match_args__ if not name.startswith("_")]
    if not isinstance(given, Mapping):
        raise InvalidValueError("pattern", given, f"the conditions {', '.join(known)}; {as_json(given)}")
    for name, value in given.items():
        if name not in known:
            raise UnknownNameError(str(name), value, "condition", known)
    return Pattern(**given)  # type: ignore[arg-type]


def as_json(payload: object) -> str:
    """Return how a payload that was given without a name is given."""
    return f"a payload is given as json={shorten(payload, 40)}"
