"""Payloads a second: 1 KB of JSON with a token, checked and recorded, against the peers' stub that answers at once."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks import wrk
from benchmarks.peers.contestant import Running
from benchmarks.peers.java import MockServer, WireMock
from benchmarks.peers.node import Mockoon, Prism
from benchmarks.peers.ours import SandboxPayloads
from benchmarks.peers.python import PytestHttpserver
from benchmarks.plan import Plan
from benchmarks.report import Outcome, Section, Table, Target, not_measured
from benchmarks.rounds import interleaved, median_ratio
from benchmarks.wrk import Load

NAME = "inbound"
TITLE = "Payloads"
CONNECTIONS = (1, 8, 64)
CONTESTANTS = (SandboxPayloads, PytestHttpserver, WireMock, MockServer, Prism, Mockoon)
_RATES = tuple(
    Target(f"payloads/s at {connections}", "≥ 1.5 × pytest-httpserver", "≥ WireMock and MockServer")
    for connections in CONNECTIONS
)
_TAIL = Target("p99 at 64 connections", "≤ 0.5 × WireMock's", "≤ 3 × the p50")
TARGETS: tuple[Target, ...] = (*_RATES, _TAIL)

Loads = Mapping[str, Sequence[Load]]


def run(plan: Plan) -> Section:
    """Load each contestant at each number of connections, in turns."""
    if not wrk.is_installed():
        return not_measured(TARGETS, wrk.MISSING)
    with plan.serving(CONTESTANTS) as contestants:
        for name, contestant in contestants.items():
            plan.tell(f"warming {name}")
            _load(contestant, 8, plan.amount(5, 2))
        loads = {}
        for connections in CONNECTIONS:
            plan.tell(f"{connections} connections")
            turns = {
                name: lambda contestant=contestant, connections=connections: _load(
                    contestant, connections, plan.seconds
                )
                for name, contestant in contestants.items()
            }
            loads[connections] = interleaved(plan.rounds, turns)
    return section(loads)


def section(loads: Mapping[int, Loads]) -> Section:
    """Judge what was measured."""
    outcomes = [_rate_outcome(target, loads[n]) for target, n in zip(_RATES, CONNECTIONS, strict=True)]
    return Section(
        [*outcomes, _tail_outcome(loads[64])],
        [
            rates_table("Requests a second, median of the rounds; in brackets ours/theirs.", loads),
            Table(
                "Latency at 64 connections in ms, medians of the rounds.",
                ["contestant", "p50", "p99", "p99/p50"],
                [
                    [name, f"{p50(runs):.1f}", f"{p99(runs):.1f}", f"{p99(runs) / p50(runs):.1f}"]
                    for name, runs in loads[64].items()
                ],
            ),
        ],
    )


def _load(contestant: Running, connections: int, seconds: float) -> Load:
    contestant.forget()
    return wrk.load(contestant.port, contestant.request, connections=connections, seconds=seconds)


def rates(runs: Sequence[Load]) -> list[float]:
    """Return the requests a second of each run."""
    return [run.per_second for run in runs]


def p50(runs: Sequence[Load]) -> float:
    """Return the median of the runs' medians."""
    return statistics.median(run.p50_ms for run in runs)


def p99(runs: Sequence[Load]) -> float:
    """Return the median of the runs' 99th percentiles."""
    return statistics.median(run.p99_ms for run in runs)


def ratio_to(loads: Loads, peer: str) -> float | None:
    """Return how many times a peer's rate ours is, or ``None`` where the peer did not take part."""
    return median_ratio(rates(loads[SandboxPayloads.name]), rates(loads[peer])) if peer in loads else None


def rates_table(title: str, loads: Mapping[int, Loads]) -> Table:
    """Return a table of all contestants at all numbers of connections."""
    rows = []
    for name in next(iter(loads.values())):
        cells = [name]
        for at in loads.values():
            ratio = "" if name == SandboxPayloads.name else f" ({ratio_to(at, name):.2f})"
            cells.append(f"{statistics.median(rates(at[name])):,.0f}{ratio}")
        rows.append(cells)
    return Table(title, ["contestant", *(f"at {connections}" for connections in loads)], rows)


def _rate_outcome(target: Target, loads: Loads) -> Outcome:
    measured = f"{statistics.median(rates(loads[SandboxPayloads.name])):,.0f}"
    ratios = {peer: ratio_to(loads, peer) for peer in (PytestHttpserver.name, WireMock.name, MockServer.name)}
    least, *others = ratios.values()
    told = [f"{ratio:.2f} × {peer}" for peer, ratio in ratios.items() if ratio is not None]
    return Outcome(
        target,
        "; ".join([measured, *told]),
        None if least is None else least >= 1.5,
        None if None in others else all(ratio is not None and ratio >= 1 for ratio in others),
    )


def _tail_outcome(loads: Loads) -> Outcome:
    ours = loads[SandboxPayloads.name]
    told, must = [f"{p99(ours):.1f} ms", f"{p99(ours) / p50(ours):.1f} × p50"], None
    if WireMock.name in loads:
        ratio = median_ratio([run.p99_ms for run in ours], [run.p99_ms for run in loads[WireMock.name]])
        told.append(f"{ratio:.2f} × WireMock")
        must = ratio <= 0.5
    return Outcome(_TAIL, "; ".join(told), must, p99(ours) <= 3 * p50(ours))
