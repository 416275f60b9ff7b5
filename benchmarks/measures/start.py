"""From the start of the process to the first token, against moto's to its first; the other peers' starts beside it."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from benchmarks.peers.contestant import Contestant
from benchmarks.peers.java import MockServer, WireMock
from benchmarks.peers.node import Mockoon, OAuth2MockServer, Prism
from benchmarks.peers.ours import Sandbox
from benchmarks.peers.python import Moto, MotoPage, PytestHttpserver
from benchmarks.plan import Plan
from benchmarks.report import Outcome, Section, Table, Target
from benchmarks.rounds import interleaved, median_ratio

NAME = "start"
TITLE = "Start"
TARGETS: tuple[Target, ...] = (Target("process start → first token", "≤ 0.6 × moto's start", "≤ 0.25 s"),)
_RIVALS = (Sandbox, Moto, MotoPage)
_OTHERS = (PytestHttpserver, OAuth2MockServer, Mockoon, WireMock, MockServer, Prism)


def run(plan: Plan) -> Section:
    """Start them in turns; the first round only fills the caches of the disk.

    Often, because making a key takes now a tenth, now half of the time until the first token.
    """
    times = _starts(plan, plan.available(_RIVALS), plan.amount(25, 3))
    others = _starts(plan, plan.available(_OTHERS), plan.amount(3, 1))
    ours = statistics.median(times[Sandbox.name])
    told, must = [f"{ours:.3f} s"], None
    for rival in (Moto, MotoPage):
        if rival.name in times:
            ratio = median_ratio(times[Sandbox.name], times[rival.name])
            told.append(f"{ratio:.2f} × {rival.name}")
            must = ratio <= 0.6 if rival is Moto else must
    rows = [[name, f"{statistics.median(taken):.2f}"] for name, taken in {**times, **others}.items()]
    return Section(
        [Outcome(TARGETS[0], "; ".join(told), must, ours <= 0.25)],
        [Table("Seconds from the start of the process to the first answer.", ["contestant", "s"], rows)],
    )


def _starts(plan: Plan, contestants: list[Contestant], rounds: int) -> dict[str, list[float]]:
    turns = {}
    for contestant in contestants:
        plan.tell(f"starting {contestant.name}")
        if plan.attempt(contestant, _start) is not None:
            turns[contestant.name] = _starter(contestant)
    return interleaved(rounds, turns)


def _starter(contestant: Contestant) -> Callable[[], float]:
    return lambda: _start(contestant)


def _start(contestant: Contestant) -> float:
    with contestant.serve() as running:
        return running.started_in_s
