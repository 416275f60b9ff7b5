"""Random storms: faults drawn from a deck of all kinds, and a failing run shrunk to the fewest of them.

A deck holds each kind of fault at each endpoint that it can happen at, so a search meets all of them and not the same
few. What must hold in every storm: the client ends, what its exit code 0 promises is stored, and nothing is stored
twice unless an answer was lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sandbox.faults.rules import FaultRule, read_rule
from sandbox.foundation.real_time import monotonic
from sandbox.foundation.rng import Rng
from sandbox.testing.certify.certify import Trial
from sandbox.testing.certify.judges import PATIENCE_S, no_duplicates, nothing_lost
from sandbox.testing.certify.run import Run
from sandbox.testing.certify.storms import CALM, Storm, load_storms

JUDGES: Final = ("gives_up", "no_duplicates", "nothing_lost")
"""The checks that judge a storm that was found."""

REQUESTS: Final = 200
"""Requests after which a client does not end by itself, beside those of a run in which nothing fails."""

SHRINKING_S: Final = 90.0
"""Seconds that shrinking may take."""

_TIMEOUT_S: Final = 30.0
_HAND: Final = 2
"""Faults of a storm."""

Announce = Callable[[str], object]

_ANSWERS: Final[Sequence[Mapping[str, Any]]] = (
    {"kind": "connection_reset"},
    {"kind": "empty_response"},
    {"kind": "garbage_response"},
    {"kind": "truncated_body"},
    {"kind": "malformed_json"},
    {"kind": "status", "code": 502, "body": "<html>Bad Gateway</html>", "headers": {"Content-Type": "text/html"}},
)
"""Faults that spoil an answer: of a payload that is stored, and of one that is not."""

_INBOUND: Final[Sequence[Mapping[str, Any]]] = (
    {"kind": "status", "code": 500},
    {"kind": "status", "code": 503},
    {"kind": "rate_limit", "retry_after": 1},
    {"kind": "maintenance", "retry_after": 1},
    {"kind": "expired_token"},
    {"kind": "revoked_token"},
    {"kind": "rotated_key"},
    {"kind": "relayed"},
)
_TOKEN: Final[Sequence[Mapping[str, Any]]] = (
    {"kind": "status", "code": 503},
    {"kind": "rate_limit", "retry_after": 1},
    {"kind": "token_response", "remove": ["expires_in"]},
    {"kind": "token_response", "set": {"expires_in": "3600"}},
    {"kind": "short_lived_token", "seconds": 1},
    {"kind": "expired_token"},
    {"kind": "bad_signature_token"},
    {"kind": "relayed"},
)
_ENDLESS: Final = (
    ("inbound", {"kind": "status", "code": 401}),
    ("inbound", {"kind": "status", "code": 503}),
    ("token", {"kind": "status", "code": 401}),
    ("token", {"kind": "status", "code": 503}),
)
"""Faults that act on every request: a storm has one of them alone."""


@dataclass(frozen=True)
class Found:
    """A storm in which something did not hold: ``problem`` says what, ``run`` shows it."""

    check: str
    problem: str
    storm: Storm
    run: Run


@dataclass(frozen=True)
class Search:
    """The end of a search: the number of storms that were run, and what was found, if anything."""

    calm: Run
    storms: int
    found: Found | None


def _found(run: Run) -> Found | None:
    """Return the check that a run breaks, and how; ``None`` where all holds."""
    if run.stopped:
        problem = f"the client did not end by itself: {len(run.entries)} requests in {run.outcome.seconds:.0f} s"
        return Found("gives_up", problem, run.storm, run)
    for judge in (nothing_lost, no_duplicates):
        finding = judge(run)
        if finding is not None and finding[0] == "fail":
            return Found(judge.__name__, finding[1], run.storm, run)
    return None


def deck(rng: Rng) -> list[list[FaultRule]]:
    """Return every fault once, in a random order, as storms of two faults or of an endless one.

    The endless ones are in the first half: a client that they break needs no other fault beside them.
    """
    cards = [
        *(_card(rng, "inbound", fault, accept=accept) for fault in _ANSWERS for accept in (False, True)),
        *(_card(rng, "inbound", {"kind": "hang"}, accept=accept, times=1) for accept in (False, True)),
        *(_card(rng, "inbound", fault) for fault in (*_INBOUND, *_slow(rng))),
        *(_card(rng, "token", fault) for fault in (*_ANSWERS, *_TOKEN, *_slow(rng))),
        _card(rng, "token", {"kind": "hang"}, times=1),
    ]
    cards.sort(key=lambda _: rng.chance())
    hands = [cards[at : at + _HAND] for at in range(0, len(cards), _HAND)]
    endless = [[read_rule({"match": {"endpoint": endpoint}, "fault": fault})] for endpoint, fault in _ENDLESS]
    half = len(hands) // 2
    return [*sorted([*hands[:half], *endless], key=lambda _: rng.chance()), *hands[half:]]


def _slow(rng: Rng) -> list[dict[str, Any]]:
    """Return faults whose answers come late and whole, within the time that a client must wait for one."""
    latest = 0.75 * PATIENCE_S
    return [
        {"kind": "latency", "seconds": round(latest * (0.5 + rng.chance() / 2), 1)},
        {"kind": "slow_body", "seconds": round(latest * (0.5 + rng.chance() / 2), 1), "pieces": 5},
    ]


def _card(
    rng: Rng, endpoint: str, fault: Mapping[str, Any], *, accept: bool = False, times: int | None = None
) -> FaultRule:
    rule = {"match": {"endpoint": endpoint}, "fault": fault, "accept": accept}
    return read_rule({**rule, "after": int(3 * rng.chance()), "times": times or 1 + int(2 * rng.chance())})


def search(trial: Trial, *, seed: int, seconds: float, announce: Announce = lambda text: None) -> Search:
    """Run a client in random storms for ``seconds``, or until one breaks what must hold; shrink that storm.

    Nothing is searched where the client sends nothing in the calm storm. Raise ``InvalidValueError`` where the client
    cannot be run.
    """
    calm = trial.run(load_storms()[CALM], limit=REQUESTS)
    limit = len(calm.entries) + REQUESTS
    deadline, tried = monotonic() + seconds, 0
    for rules in _dealt(Rng(seed)) if calm.entries else ():
        if monotonic() >= deadline:
            break
        tried += 1
        announce(f"storm {tried}: {_words(rules)}")
        found = _found(trial.run(_storm(rules, trial.timeout_s or _TIMEOUT_S), calm, limit))
        if found is not None:
            if trial.client.is_stuck:  # another run would be judged by the requests of this one
                return Search(calm, tried, found)
            announce(f"{found.problem}; looking for the fewest faults")
            return Search(calm, tried, shrunk(found, lambda storm: _found(trial.run(storm, calm, limit))))
    return Search(calm, tried, None)


def _dealt(rng: Rng) -> Iterator[list[FaultRule]]:
    while True:
        yield from deck(rng)


def _storm(rules: Sequence[FaultRule], timeout_s: float) -> Storm:
    named = tuple(replace(rule, name=f"fault {at}") for at, rule in enumerate(rules, 1))
    return Storm("found", "Found by storm", f"{_words(rules)}.", JUDGES, named, timeout_s=timeout_s)


def _words(rules: Sequence[FaultRule]) -> str:
    return ", ".join(
        f"{rule.fault.kind} at {rule.match.endpoint}{' although stored' if rule.accept else ''}" for rule in rules
    )


def shrunk(found: Found, run: Callable[[Storm], Found | None], seconds: float = SHRINKING_S) -> Found:
    """Return the simplest storm that breaks the same check: with fewer faults, earlier, less often.

    Each candidate is run, and counts only if it fails in the same way. Ends after ``seconds`` in any case.
    """
    deadline = monotonic() + seconds
    simpler = _simpler(found.storm.rules)
    while monotonic() < deadline and (rules := next(simpler, None)) is not None:
        candidate = run(_storm(rules, found.storm.timeout_s))
        if candidate is not None and candidate.check == found.check:
            found, simpler = candidate, _simpler(candidate.storm.rules)
    return found


def _simpler(rules: Sequence[FaultRule]) -> Iterator[list[FaultRule]]:
    """Yield simpler lists of rules, the simplest first."""
    if len(rules) > 1:
        yield from ([*rules[:at], *rules[at + 1 :]] for at in range(len(rules)))
    for at, rule in enumerate(rules):
        plain = {"after": 0, "accept": False, **({} if rule.times is None else {"times": 1})}
        changes = {name: value for name, value in plain.items() if getattr(rule, name) != value}
        for change in ([changes] if len(changes) > 1 else []) + [{name: value} for name, value in changes.items()]:
            yield [*rules[:at], replace(rule, **change), *rules[at + 1 :]]  # type: ignore[arg-type]
