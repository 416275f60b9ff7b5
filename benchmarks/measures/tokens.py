"""Tokens a second, RS256 with 2048 bits, against oauth2-mock-server and against the signature alone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from benchmarks import wrk
from benchmarks.measures.inbound import CONNECTIONS, Loads, rates, rates_table, ratio_to
from benchmarks.peers.contestant import Running
from benchmarks.peers.node import OAuth2MockServer
from benchmarks.peers.ours import Sandbox
from benchmarks.plan import Plan
from benchmarks.report import Outcome, Section, Target, not_measured
from benchmarks.rounds import interleaved
from benchmarks.wrk import Load

NAME = "tokens"
TITLE = "Tokens"
CONTESTANTS = (Sandbox, OAuth2MockServer)
_MUST, _GOAL = 1.8, 1.5
"""Signatures in whose processor time a token is there."""

TARGETS: tuple[Target, ...] = tuple(
    Target(
        f"tokens/s at {connections}",
        f"≥ oauth2-mock-server, ≤ {_MUST} × one signature a token",
        f"≤ {_GOAL} × one signature a token",
    )
    for connections in CONNECTIONS
)
_CLAIMS = b"x" * 500


def run(plan: Plan) -> Section:
    """Load both at each number of connections, in turns with the signature."""
    if not wrk.is_installed():
        return not_measured(TARGETS, wrk.MISSING)
    loads: dict[int, Loads] = {}
    signature_us: list[float] = []
    sign = signer()
    with plan.serving(CONTESTANTS) as contestants:
        for name, contestant in contestants.items():
            plan.tell(f"warming {name}")
            _load(contestant, 8, 2)
        for connections in CONNECTIONS:
            plan.tell(f"{connections} connections")
            turns: dict[str, Callable[[], Load | None]] = {
                name: lambda contestant=contestant, connections=connections: _load(  # type: ignore[misc]
                    contestant, connections, plan.seconds
                )
                for name, contestant in contestants.items()
            }
            given = interleaved(plan.rounds, {**turns, "": lambda: signature_us.append(seconds_each(sign, 0.3) * 1e6)})
            loads[connections] = {
                name: [load for load in runs if load is not None] for name, runs in given.items() if name
            }
    return section(loads, statistics.median(signature_us))


def section(loads: dict[int, Loads], signature_us: float) -> Section:
    """Judge what was measured."""
    outcomes = [_outcome(target, loads[n], signature_us) for target, n in zip(TARGETS, CONNECTIONS, strict=True)]
    table = rates_table("Tokens a second, median of the rounds; in brackets ours/theirs.", loads)
    return Section(outcomes, [table], [f"One signature by OpenSSL, in a loop: {signature_us:.0f} µs."])


def _outcome(target: Target, loads: Loads, signature_us: float) -> Outcome:
    ours = loads[Sandbox.name]
    per_second = statistics.median(rates(ours))
    signatures = statistics.median(run.cpu_us or 1e6 / run.per_second for run in ours) / signature_us
    told = [f"{per_second:,.0f}", f"{signatures:.2f} signatures' time each"]
    must = signatures <= _MUST
    if (ratio := ratio_to(loads, OAuth2MockServer.name)) is not None:
        told.insert(1, f"{ratio:.2f} × oauth2-mock-server")
        must = must and ratio >= 1
    return Outcome(target, "; ".join(told), must, signatures <= _GOAL)


def _load(contestant: Running, connections: int, seconds: float) -> Load:
    contestant.forget()
    return wrk.load(
        contestant.port, contestant.request, connections=connections, seconds=seconds, pid=contestant.process.pid
    )


def signer() -> Callable[[], object]:
    """Return what signs once with a new key of 2048 bits."""
    key, padding, algorithm = generate_private_key(public_exponent=65537, key_size=2048), PKCS1v15(), SHA256()
    return lambda: key.sign(_CLAIMS, padding, algorithm)


def seconds_each(action: Callable[[], object], seconds: float) -> float:
    """Repeat an action for so long and return what one took, in processor time."""
    count, began, until = 0, time.process_time(), time.perf_counter() + seconds
    while time.perf_counter() < until:
        action()
        count += 1
    return (time.process_time() - began) / count
