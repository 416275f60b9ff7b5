"""What TLS adds to a payload: the processor time of `serve`, over kept connections, in turns with plain HTTP."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from benchmarks import wrk
from benchmarks.peers.contestant import Running
from benchmarks.peers.ours import SandboxPayloads, SandboxWithTls, tls_port
from benchmarks.plan import Plan
from benchmarks.process import cpu_seconds
from benchmarks.report import Outcome, Section, Table, Target, not_measured
from benchmarks.rounds import interleaved, median_ratio

NAME = "tls"
TITLE = "TLS against plain"
CONNECTIONS = 8
TARGETS: tuple[Target, ...] = (
    Target(f"processor time of a payload over TLS at {CONNECTIONS}", "≤ 1.25 × plain", "≤ 1.15 × plain"),
)


def run(plan: Plan) -> Section:
    """Load both ports of one sandbox."""
    if not wrk.is_installed():
        return not_measured(TARGETS, wrk.MISSING)
    with plan.serving([SandboxWithTls]) as contestants:
        running = contestants[SandboxPayloads.name]
        if cpu_seconds(running.process.pid) is None:
            return not_measured(TARGETS, "this system does not tell the processor time of a process")
        turns: dict[str, Callable[[], float]] = {
            "plain": lambda: _us(running, running.port, "http", plan.seconds),
            "TLS": lambda: _us(running, tls_port(running.port), "https", plan.seconds),
        }
        interleaved(1, turns)
        times = interleaved(plan.rounds, turns)
    ratio = median_ratio(times["TLS"], times["plain"])
    rows = [[name, f"{statistics.median(each):.0f}"] for name, each in times.items()]
    return Section(
        [Outcome(TARGETS[0], f"{ratio:.2f} ×", ratio <= 1.25, ratio <= 1.15)],
        [Table("Processor time of a payload, medians of the rounds.", ["", "µs"], rows)],
    )


def _us(running: Running, port: int, scheme: str, seconds: float) -> float:
    running.forget()
    load = wrk.load(
        port, running.request, connections=CONNECTIONS, seconds=seconds, scheme=scheme, pid=running.process.pid
    )
    assert load.cpu_us is not None
    return load.cpu_us
