"""The cost of processing to the answer of a payload: each setting ``processing`` in turns, in this process."""

from __future__ import annotations

import statistics

from benchmarks.in_process import Client
from benchmarks.measures.faults import processor_seconds
from benchmarks.plan import Plan
from benchmarks.report import Outcome, Section, Table, Target
from benchmarks.rounds import interleaved, median_ratio
from sandbox.state.sandbox import Sandbox

NAME = "processing"
TITLE = "Processing of payloads"
TARGETS: tuple[Target, ...] = (Target("a payload with processing, to one without", "≤ 1.05 ×"),)
SETTINGS = ("off", "immediate", "scheduled")


def run(plan: Plan) -> Section:
    """Post the same payloads under each setting."""
    requests = plan.amount(300, 100)
    clients = {name: Client(Sandbox(settings={"processing": name, "journal_entries": 1_000})) for name in SETTINGS}
    for client in clients.values():
        processor_seconds(client, requests)  # warm
    turns = {name: lambda client=client: processor_seconds(client, requests) for name, client in clients.items()}
    times = interleaved(plan.amount(15, 3), turns)
    ratios = {name: median_ratio(taken, times["off"]) for name, taken in times.items()}
    worst = max(ratios[name] for name in SETTINGS[1:])
    rows = [
        [name, f"{statistics.median(times[name]) / requests * 1e6:.0f}", f"{ratios[name]:.2f}"] for name in SETTINGS
    ]
    return Section(
        [Outcome(TARGETS[0], f"{worst:.2f} × at worst", worst <= 1.05)],
        [Table("µs of processor time a payload, without sockets.", ["processing", "µs", "to off"], rows)],
    )
