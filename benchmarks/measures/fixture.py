"""What a test pays for its sandbox: fresh state from the fixture, and a whole server of its own."""

from __future__ import annotations

import statistics
import time

from benchmarks.peers.ours import token_request
from benchmarks.plan import Plan
from benchmarks.process import send
from benchmarks.report import Outcome, Section, Table, Target
from benchmarks.rounds import interleaved
from sandbox import Sandbox, SandboxServer
from sandbox.platform.keys import SigningKey
from sandbox.testing.marker import MarkerOptions, apply

NAME = "fixture"
TITLE = "Fixtures"
TARGETS: tuple[Target, ...] = (
    Target("fixture `patchworks`: fresh state", "≤ 1 ms", "≤ 0.2 ms"),
    Target("fixture `patchworks_factory`: new server, first request", "≤ 15 ms", "≤ 5 ms"),
    Target("server in a thread: stop", "≤ 10 ms", "≤ 2 ms"),
)


def run(plan: Plan) -> Section:
    """Do what the fixtures do, in turns."""
    with SandboxServer(Sandbox()) as server:
        key = server.sandbox.keys.current()
        turns = {
            "fresh": lambda: _fresh_ms(server),
            "used": lambda: _fresh_ms(server, requests=5),
            "new": lambda: _new_ms(key),
            "new key": lambda: _new_ms(None),
            "stop": lambda: _stop_ms(key),
        }
        interleaved(1, turns)
        times = interleaved(plan.amount(101, 15), turns)
    fresh, used, new, new_key, stop = (statistics.median(times[name]) for name in turns)
    rows = [
        ["fresh state (`patchworks`)", f"{fresh:.3f}"],
        ["the same after a test with five token requests", f"{used:.3f}"],
        ["a new server, until its first token is there (`patchworks_factory`)", f"{new:.1f}"],
        ["the same with a signing key of its own", f"{new_key:.1f}"],
        ["the stop of such a server", f"{stop:.1f}"],
    ]
    return Section(
        [
            Outcome(TARGETS[0], f"{used:.2f} ms", used <= 1, used <= 0.2),
            Outcome(TARGETS[1], f"{new:.1f} ms", new <= 15, new <= 5),
            Outcome(TARGETS[2], f"{stop:.1f} ms", stop <= 10, stop <= 2),
        ],
        [Table("Medians.", ["", "ms"], rows)],
    )


def _fresh_ms(server: SandboxServer, requests: int = 0) -> float:
    for _ in range(requests):
        _token(server)
    began = time.perf_counter()
    with apply(MarkerOptions(), server):
        return (time.perf_counter() - began) * 1000


def _new_ms(key: SigningKey | None) -> float:
    began = time.perf_counter()
    with SandboxServer(Sandbox(signing_key=key)) as server:
        _token(server)
        return (time.perf_counter() - began) * 1000


def _stop_ms(key: SigningKey) -> float:
    with SandboxServer(Sandbox(signing_key=key)) as server:
        _token(server)
        began = time.perf_counter()
    return (time.perf_counter() - began) * 1000


def _token(server: SandboxServer) -> None:
    credentials = server.patchworks
    status, body = send(server.port, token_request("/oauth/token", credentials.client_id, credentials.client_secret))
    if status != 200:
        raise RuntimeError(f"no token: {status} {body!r}")
