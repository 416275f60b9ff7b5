"""How much a run measures, and with whom."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from benchmarks.peers.contestant import Contestant, Running
from benchmarks.peers.installation import Installation
from benchmarks.report import Section, Target

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Plan:
    """What the measures of a run are to do."""

    installation: Installation
    quick: bool = False
    rounds: int = 5
    seconds: float = 2
    versions: dict[str, str] = field(default_factory=dict)
    """Of the contestants that took part."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Why the others did not."""

    def amount(self, full: int, quick: int) -> int:
        """Return how often to repeat something."""
        return quick if self.quick else full

    def available(self, kinds: Iterable[type[Contestant]]) -> list[Contestant]:
        """Return those contestants that can run here; those that cannot are skipped, which is told."""
        contestants = []
        for contestant in (kind(self.installation) for kind in kinds):
            why = contestant.missing()
            if why is None:
                contestants.append(contestant)
                self.versions[contestant.name] = contestant.version()
            else:
                self.skipped[contestant.name] = why
        return contestants

    @contextmanager
    def serving(self, kinds: Iterable[type[Contestant]]) -> Iterator[dict[str, Running]]:
        """Serve all that are available at once; those that do not start are skipped, which is told."""
        with ExitStack() as stack:
            yield {
                contestant.name: running
                for contestant in self.available(kinds)
                if (running := self.attempt(contestant, lambda one: stack.enter_context(one.serve()))) is not None
            }

    def attempt(self, contestant: Contestant, action: Callable[[Contestant], _Value]) -> _Value | None:
        """Do something with a contestant; one that does not start is skipped, which is told."""
        try:
            return action(contestant)
        except (OSError, RuntimeError) as error:
            self.skipped[contestant.name] = str(error)
            return None

    def tell(self, what: str) -> None:
        """Say what is going on, where it does not mix with the result."""
        print(f"  {what}", file=sys.stderr, flush=True)


class Measure(Protocol):
    """A module of ``benchmarks.measures``."""

    NAME: str
    TITLE: str
    TARGETS: tuple[Target, ...]

    def run(self, plan: Plan) -> Section:
        """Measure."""
        ...
