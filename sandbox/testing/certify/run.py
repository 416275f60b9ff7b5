"""A run: the requests of a client in one storm, as the checks look at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from sandbox.journal.attempts import Attempts, ended_at, find_attempts
from sandbox.journal.contract_rules import ContractViolation
from sandbox.journal.endpoint_kind import PAYLOADS, TOKEN
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event
from sandbox.platform.endpoints import violations_of

if TYPE_CHECKING:
    from sandbox.testing.certify.storms import Storm

Answer = Literal["pass", "fail", "info", "not_reached"]

STUCK: Final = "not run: the function of an earlier storm still runs"
"""The output of a run that did not take place, because the client was not to be stopped."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a client. ``exit_code`` is ``None`` where it was stopped at its time-out, ``stopped_at`` when."""

    exit_code: int | None
    seconds: float
    output: str = ""
    """The end of what it printed, without secrets."""
    stopped_at: float | None = None
    """Unix seconds on the machine's clock."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of a check, with the entries that it rests on and, in ``detail``, why."""

    check: str
    verdict: Answer
    detail: str
    entries: tuple[str, ...] = ()
    """Ids of journal entries of the storm's run."""
    storm: str = ""


@dataclass(frozen=True)
class Run:
    """A client in a storm. ``expected`` is the number of payloads that it is to push."""

    storm: Storm
    entries: Sequence[Entry]
    events: Sequence[Event]
    outcome: Outcome
    json_path: str | None = None
    calm: Run | None = field(default=None, repr=False)
    """The run in which nothing failed; ``None`` of that run itself."""

    @cached_property
    def violations(self) -> list[ContractViolation]:
        """The ways in which requests did not conform to the published contract."""
        return [violation for entry in self.entries for violation in violations_of(entry)]

    @cached_property
    def tokens(self) -> list[Entry]:
        """The token requests."""
        return [entry for entry in self.entries if entry.kind == TOKEN.name]

    @cached_property
    def payloads(self) -> list[Entry]:
        """The requests that bring a payload."""
        return [entry for entry in self.entries if entry.kind in PAYLOADS]

    @cached_property
    def attempts(self) -> list[Attempts]:
        """The payloads, each with its requests."""
        return find_attempts(self.payloads, json_path=self.json_path, at_least=1)

    @cached_property
    def faulted(self) -> list[Entry]:
        """The requests that a fault acted on."""
        return [entry for entry in self.entries if entry.fault is not None]

    @cached_property
    def struck(self) -> bool:
        """Whether anything of the storm reached the client; in a calm one, whether the client sent anything."""
        if self.storm.rules:
            return bool(self.faulted)
        if self.storm.steps:
            return any(event.kind in ("clock", "tokens") for event in self.events) and bool(self.entries)
        return bool(self.entries)

    @property
    def stopped(self) -> bool:
        """Whether the client had to be stopped."""
        return self.outcome.stopped_at is not None

    @property
    def expected(self) -> int:
        """How many payloads are to be stored: all that were tried when nothing failed, else as many as arrived then."""
        if self.storm.payloads is not None:
            return self.storm.payloads
        return len(self.attempts) if self.calm is None else self.calm.stored

    @cached_property
    def stored(self) -> int:
        """How many payloads were accepted, each counted once."""
        return sum(1 for attempts in self.attempts if attempts.stored)

    @cached_property
    def missing(self) -> int:
        """How many of the expected payloads were not accepted."""
        return max(0, self.expected - self.stored)

    def attempts_of(self, entry: Entry) -> Attempts:
        """Return all requests that carry the payload of one of them."""
        return next(attempts for attempts in self.attempts if entry in attempts.entries)

    def usual_copies(self, attempts: Attempts) -> int:
        """Return how often the same payload was stored when nothing failed: a client may mean to send it twice."""
        return 1 if self.calm is None else max(1, self.calm.copies.get(_identity(attempts), 1))

    @cached_property
    def copies(self) -> Mapping[object, int]:
        """How often each payload was stored."""
        return {_identity(attempts): attempts.stored for attempts in self.attempts}


def _identity(attempts: Attempts) -> object:
    first = attempts.entries[0]
    return first.target, first.body if attempts.key is None else repr(attempts.key)


def overlap(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that came before another one among them was answered."""
    found: list[Entry] = []
    latest: Entry | None = None
    for entry in sorted(entries, key=lambda entry: entry.wall_time):
        if latest is not None and entry.wall_time < ended_at(latest):
            found += [entry] if latest in found else [latest, entry]
        if latest is None or ended_at(entry) > ended_at(latest):
            latest = entry
    return found


def numbers(entries: Sequence[str]) -> str:
    """Return ids of entries in short: ``#1 … #5``."""
    seqs = [f"#{entry.rpartition('-')[2]}" for entry in entries]
    return " ".join(seqs) if len(seqs) < 4 else f"{seqs[0]} … {seqs[-1]}"
