"""Where the time of a request goes.

The processor time of `serve` under load is what the system charges it. What of it is the application's is told by the
same request called in this process, where samples taken at equal steps of processor time say which part is at work.
Unlike a tracing profiler this costs small functions no more than large ones. The rest is the system's calls
and wake-ups, HTTP and the line in the log.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType

from benchmarks import wrk
from benchmarks.in_process import Client
from benchmarks.peers.contestant import BODY, PATH
from benchmarks.peers.ours import SEED, Sandbox, SandboxPayloads
from benchmarks.plan import Plan
from benchmarks.process import cpu_seconds
from benchmarks.report import Section, Table, Target, not_measured
from sandbox import Sandbox as InProcessSandbox
from sandbox import parse_seed

NAME = "profile"
TITLE = "Where the time of a request goes"
TARGETS: tuple[Target, ...] = ()
_STEP_S = 0.001
_LIBRARIES = {"flask": "Flask and Werkzeug", "werkzeug": "Flask and Werkzeug", "flask_smorest": "flask-smorest"}
_LEAST_SHARE = 0.01


def run(plan: Plan) -> Section:
    """Profile payloads and token requests."""
    if not hasattr(signal, "setitimer"):
        return not_measured(TARGETS, "this system has no timer of processor time")
    client = Client(InProcessSandbox(parse_seed(SEED)))
    seconds = plan.amount(6, 2)
    requests: list[tuple[str, type[Sandbox], Callable[[], object]]] = [
        ("A payload of 1 KB", SandboxPayloads, lambda: client.post(BODY, PATH)),
        ("A token request", Sandbox, client.token),
    ]
    return Section(tables=[_profiled(plan, title, kind, call, seconds) for title, kind, call in requests])


def _profiled(plan: Plan, title: str, kind: type[Sandbox], call: Callable[[], object], seconds: float) -> Table:
    plan.tell(title)
    warm_until = time.perf_counter() + 0.5
    while time.perf_counter() < warm_until:
        call()
    each_us, parts = sampled(call, seconds)
    rows = [[part, f"{each_us * share:.0f}", f"{share:.0%}"] for part, share in parts if share >= _LEAST_SHARE]
    rest = sum(share for _, share in parts if share < _LEAST_SHARE)
    rows.append(["the rest of the application", f"{each_us * rest:.0f}", f"{rest:.0%}"])
    rows.append(["**the application**", f"**{each_us:.0f}**", "100%"])
    whole_us = _served_us(plan, kind)
    if whole_us is not None:
        rows.append(
            ["system calls, wake-ups, HTTP, the line in the log: the difference", f"{whole_us - each_us:.0f}", ""]
        )
        rows.append(["**`serve` under load, one connection**", f"**{whole_us:.0f}**", ""])
    return Table(f"{title}: processor time.", ["part", "µs", "of the application"], rows)


def sampled(call: Callable[[], object], seconds: float) -> tuple[float, list[tuple[str, float]]]:
    """Repeat a call for so long; return µs of processor time for one, and the parts' shares, largest first."""
    parts: Counter[str] = Counter()

    def sample(number: int, frame: FrameType | None) -> None:
        parts[_part(frame)] += 1

    before = signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, _STEP_S, _STEP_S)
    try:
        calls, began = 0, time.process_time()
        while (took := time.process_time() - began) < seconds:
            call()
            calls += 1
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    total = parts.total() or 1
    return took / calls * 1e6, [(part, count / total) for part, count in parts.most_common()]


def _part(frame: FrameType | None) -> str:
    """Return the part that a stack is in: the innermost of our modules or of the libraries named above."""
    for module in _modules(frame):
        package, _, name = module.partition(".")
        if package == "sandbox" and name:
            return f"`sandbox.{name}`"
        if package in _LIBRARIES:
            return _LIBRARIES[package]
    return "the measurement itself"


def _modules(frame: FrameType | None) -> Iterable[str]:
    while frame is not None:
        yield frame.f_globals.get("__name__", "")
        frame = frame.f_back


def _served_us(plan: Plan, kind: type[Sandbox]) -> float | None:
    if not wrk.is_installed() or not Path("/proc/self/stat").exists():
        return None
    with plan.serving([kind]) as contestants:
        running = contestants[kind.name]
        wrk.load(running.port, running.request, connections=1, seconds=1)
        before = cpu_seconds(running.process.pid)
        load = wrk.load(running.port, running.request, connections=1, seconds=plan.amount(5, 2))
        after = cpu_seconds(running.process.pid)
        assert before is not None
        assert after is not None
        return (after - before) / (load.per_second * plan.amount(5, 2)) * 1e6
