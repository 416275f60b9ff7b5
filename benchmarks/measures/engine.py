"""The HTTP engine against the former one: rate, latency and processor time of the same payloads, in turns."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import wrk
from benchmarks.measures.inbound import Loads, p50, p99, rates, ratio_to
from benchmarks.peers.contestant import Running
from benchmarks.peers.former import FormerSandbox
from benchmarks.peers.ours import SandboxPayloads
from benchmarks.plan import Plan
from benchmarks.report import Outcome, Section, Table, Target, not_measured
from benchmarks.rounds import interleaved, median_ratio
from benchmarks.wrk import Load

NAME = "engine"
TITLE = "The engine against the former one"
CONNECTIONS = (8, 64)
_RATES = tuple(
    Target(f"payloads/s at {connections}, against the former engine", "≥ 2.2 ×", "≥ 2.8 ×")
    for connections in CONNECTIONS
)
_CPU = Target("processor time of a payload at 8", "≤ 0.5 × the former engine's", "≤ 0.375 ×")
_TAIL = Target("p99 at 64 connections, against the former engine", "≤ 0.6 ×", "≤ 2 × the p50")
_LINES = Target("lines of `sandbox/server`", "≤ 1,300", "≤ 1,000")
TARGETS: tuple[Target, ...] = (*_RATES, _CPU, _TAIL, _LINES)
_SERVER = Path(__file__).parents[2] / "sandbox" / "server"


def run(plan: Plan) -> Section:
    """Load both at each number of connections."""
    if not wrk.is_installed():
        return not_measured(TARGETS, wrk.MISSING)
    with plan.serving((SandboxPayloads, FormerSandbox)) as contestants:
        if FormerSandbox.name not in contestants:
            return not_measured(TARGETS, plan.skipped[FormerSandbox.name])
        loads: dict[int, Loads] = {}
        for connections in CONNECTIONS:
            plan.tell(f"{connections} connections")
            turns: dict[str, Callable[[], Load]] = {
                name: lambda running=running, connections=connections: _load(  # type: ignore[misc]
                    running, connections, plan.seconds
                )
                for name, running in contestants.items()
            }
            interleaved(1, turns)
            loads[connections] = interleaved(plan.rounds, turns)
    return section(loads, server_lines())


def section(loads: dict[int, Loads], lines: int) -> Section:
    """Judge what was measured."""
    outcomes = []
    for target, connections in zip(_RATES, CONNECTIONS, strict=True):
        ratio = ratio_to(loads[connections], FormerSandbox.name)
        assert ratio is not None
        outcomes.append(Outcome(target, f"{ratio:.2f} ×", ratio >= 2.2, ratio >= 2.8))
    tail = loads[64]
    ours, former = tail[SandboxPayloads.name], tail[FormerSandbox.name]
    ratio, spread = median_ratio([run.p99_ms for run in ours], [run.p99_ms for run in former]), p99(ours) / p50(ours)
    told = f"{ratio:.2f} ×; {spread:.1f} × the p50"
    outcomes += [_cpu(loads[8]), Outcome(_TAIL, told, ratio <= 0.6, spread <= 2)]
    outcomes.append(Outcome(_LINES, f"{lines:,}", lines <= 1_300, lines <= 1_000))
    rows = [
        [name, *(cell for at in CONNECTIONS for cell in _cells(loads[at][name]))]
        for name in (SandboxPayloads.name, FormerSandbox.name)
    ]
    header = ["", *(f"{what} at {at}" for at in CONNECTIONS for what in ("a second", "p50 ms", "p99 ms", "µs"))]
    return Section(
        outcomes, [Table("Payloads a second, latency, and processor time of one; medians of the rounds.", header, rows)]
    )


def server_lines() -> int:
    """Return how many lines the engine has."""
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in _SERVER.glob("*.py"))


def _cpu(loads: Loads) -> Outcome:
    ours, former = (
        [run.cpu_us for run in loads[name] if run.cpu_us] for name in (SandboxPayloads.name, FormerSandbox.name)
    )
    if not ours or not former:
        return Outcome(_CPU, "not measured")
    ratio = median_ratio(ours, former)
    told = f"{statistics.median(ours):.0f} µs; {ratio:.2f} × the former engine's"
    return Outcome(_CPU, told, ratio <= 0.5, ratio <= 0.375)


def _cells(runs: Sequence[Load]) -> list[str]:
    us = [run.cpu_us for run in runs if run.cpu_us]
    return [
        f"{statistics.median(rates(runs)):,.0f}",
        f"{p50(runs):.1f}",
        f"{p99(runs):.1f}",
        f"{statistics.median(us):.0f}" if us else "",
    ]


def _load(running: Running, connections: int, seconds: float) -> Load:
    running.forget()
    return wrk.load(running.port, running.request, connections=connections, seconds=seconds, pid=running.process.pid)
