"""Resident memory: idle after a start, and after 20,000 recorded payloads of 1 KB, each another."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace

from benchmarks.measures.inbound import CONTESTANTS
from benchmarks.peers.contestant import Contestant, Running
from benchmarks.peers.ours import SandboxPayloads
from benchmarks.plan import Plan
from benchmarks.process import Connection
from benchmarks.report import Outcome, Section, Table, Target

NAME = "memory"
TITLE = "Memory"
PAYLOADS = 20_000
TARGETS: tuple[Target, ...] = (
    Target("memory, idle", "≤ 55 MB", "≤ 45 MB"),
    Target(f"memory after {PAYLOADS:,} payloads", "≤ 95 MB", "≤ 85 MB"),
)
_THREADS = 4


def run(plan: Plan) -> Section:
    """Weigh each contestant, fill it, weigh it again."""
    weights = {}
    for contestant in plan.available(CONTESTANTS[:2] if plan.quick else CONTESTANTS):
        plan.tell(contestant.name)
        if (weighed := plan.attempt(contestant, _weigh)) is not None:
            weights[contestant.name] = weighed
    rows = [[name, f"{idle:.0f}", f"{full:.0f}"] for name, (idle, full) in weights.items()]
    title = f"Resident memory in MB, idle and after {PAYLOADS:,} payloads."
    ours = weights[SandboxPayloads.name]
    outcomes = [
        Outcome(target, f"{value:.0f} MB", value <= must, value <= goal)
        for target, value, must, goal in zip(TARGETS, ours, (55, 95), (45, 85), strict=True)
    ]
    return Section(outcomes, [Table(title, ["contestant", "idle", "after"], rows)])


def _weigh(contestant: Contestant) -> tuple[float, float]:
    with contestant.serve() as running:
        time.sleep(1)  # what a start leaves behind settles
        idle = running.resident_mb()
        _fill(running)
        return idle, running.resident_mb()


def _fill(running: Running) -> None:
    numbers = [range(start, PAYLOADS, _THREADS) for start in range(_THREADS)]
    threads = [threading.Thread(target=_post, args=(running, some)) for some in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _post(running: Running, numbers: range) -> None:
    request = running.request
    with contextlib.closing(Connection(running.port)) as connection:
        for number in numbers:  # a body that comes again might be kept once
            body = request.body.replace(b"ACME-1001", b"ACME-%d" % number, 1)
            connection.send(replace(request, body=body))
