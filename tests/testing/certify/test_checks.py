"""What each check says about good and bad clients, from made-up runs."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.testing.certify.checks import CHECKS, judged
from sandbox.testing.certify.run import Run
from tests.testing.certify.conftest import STORMS, MakeRun

FAULT = {"fault": "storm", "effect": "status: answered 503", "status": 503}
REFUSED = {**FAULT, "status": 401, "effect": "expired_token: answered 401"}
LOST = {"fault": "storm", "effect": "connection_reset: no answer", "status": 0, "accepted": True}
HELD = {"fault": "storm", "effect": "hang: no answer", "status": 0}
SLOW = {"fault": "storm", "effect": "slow_body: answered 200", "delay_ms": 300_000.0}
LIMITED = {**FAULT, "status": 429, "response_headers": (("Retry-After", "3"),)}
SECRET = {"query": "client_secret=sha256:0123456789ab"}
CASES: dict[str, tuple[str, str, str, list[tuple[Any, ...]], dict[str, Any]]] = {
    "one token": ("caches_token", "calm", "pass", [("t", 0), (1, 1), (2, 2)], {}),
    "a token each": ("caches_token", "calm", "fail", [("t", 0), (1, 1), ("t", 2), (2, 3)], {}),
    "a token a worker": ("caches_token", "calm", "info", [("t", 0), ("t", 0), (1, 1), (2, 1), (3, 2), (4, 2)], {}),
    "one payload": ("caches_token", "calm", "not_reached", [("t", 0), (1, 1)], {}),
    "renewed": ("renews_on_401", "token-expires", "pass", [("t", 0), (1, 1, REFUSED), ("t", 2), (1, 3)], {}),
    "renewed twice": (
        "renews_on_401",
        "token-expires",
        "fail",
        [("t", 0), (1, 1, REFUSED), ("t", 2), ("t", 2), (1, 3)],
        {},
    ),
    "gave up at 401": ("renews_on_401", "token-expires", "fail", [("t", 0), (1, 1, REFUSED), (2, 3)], {}),
    "stopped": (
        "stops_when_revoked",
        "credentials-revoked",
        "pass",
        [("t", 0), (1, 1, REFUSED), ("t", 2, REFUSED)],
        {},
    ),
    "went on": (
        "stops_when_revoked",
        "credentials-revoked",
        "fail",
        [("t", 0), (1, 1, REFUSED), *[("t", 2 + n, REFUSED) for n in range(9)]],
        {},
    ),
    "on time": ("honours_retry_after", "rate-limited", "pass", [(1, 0, LIMITED), (1, 3)], {}),
    "a bit early": ("honours_retry_after", "rate-limited", "pass", [(1, 0, LIMITED), (1, 2.9)], {}),
    "early": ("honours_retry_after", "rate-limited", "fail", [(1, 0, LIMITED), (1, 2.8)], {}),
    "late": ("honours_retry_after", "rate-limited", "fail", [(1, 0, LIMITED), (1, 31)], {}),
    "never, and told": ("honours_retry_after", "rate-limited", "info", [(1, 0, LIMITED)], {"exit_code": 1}),
    "never, and not told": ("honours_retry_after", "rate-limited", "fail", [(1, 0, LIMITED)], {}),
    "doubling": ("backs_off", "platform-down", "pass", [(1, t, FAULT) for t in (0, 1, 3, 7)], {}),
    "constant": ("backs_off", "platform-down", "fail", [(1, t, FAULT) for t in (0, 1, 2, 3.2, 4)], {}),
    "at once": ("backs_off", "platform-down", "fail", [(1, t / 100, FAULT) for t in (0, 1, 3, 9, 10)], {}),
    "one retry": ("backs_off", "platform-down", "not_reached", [(1, 0, FAULT), (1, 1, FAULT)], {}),
    "jitter": (
        "spreads_retries",
        "flickering-platform",
        "pass",
        [(n, 10 * n, FAULT) for n in (1, 2, 3)] + [(n, 10 * n + 1 + n / 10) for n in (1, 2, 3)],
        {},
    ),
    "a herd": (
        "spreads_retries",
        "flickering-platform",
        "fail",
        [(n, n / 100, FAULT) for n in (1, 2, 3)] + [(n, n / 100 + 1) for n in (1, 2, 3)],
        {},
    ),
    "one after the other": (
        "spreads_retries",
        "flickering-platform",
        "info",
        [each for n in (1, 2, 3) for each in ((n, 10 * n, FAULT), (n, 10 * n + 1))],
        {},
    ),
    "retries at once": (
        "spreads_retries",
        "flickering-platform",
        "fail",
        [each for n in (1, 2, 3) for each in ((n, n, FAULT), (n, n + 0.01 * n))],
        {},
    ),
    "stampede": (
        "one_token_for_parallel",
        "slow-token",
        "fail",
        [("t", 0, {**SLOW, "delay_ms": 1000.0}), ("t", 0.5, {**SLOW, "delay_ms": 1000.0})],
        {},
    ),
    "shared token": (
        "one_token_for_parallel",
        "slow-token",
        "pass",
        [("t", 0, SLOW), (1, 301, {**SLOW, "delay_ms": 300.0}), (2, 301.1, {**SLOW, "delay_ms": 300.0})],
        {},
    ),
    "sequential": (
        "one_token_for_parallel",
        "slow-token",
        "not_reached",
        [("t", 0, {**SLOW, "delay_ms": 1000.0}), (1, 2), (2, 3)],
        {},
    ),
    "hung up": ("has_timeout", "hanging-platform", "pass", [(1, 0, HELD)], {"closed": {1: 2.0}}),
    "hung": (
        "has_timeout",
        "hanging-platform",
        "fail",
        [(1, 0, HELD)],
        {"closed": {1: 40.0}, "exit_code": None, "stopped_at": 140.0},
    ),
    "still open": ("has_timeout", "hanging-platform", "fail", [(1, 0, HELD)], {"exit_code": None, "stopped_at": 140.0}),
    "hung up, later stopped": (
        "has_timeout",
        "hanging-platform",
        "pass",
        [(1, 0, HELD)],
        {"closed": {1: 2.0}, "exit_code": None, "stopped_at": 140.0},
    ),
    "deadline": ("gives_up", "slow-body", "pass", [(1, 0, SLOW)], {"closed": {1: 2.0}}),
    "no deadline": (
        "gives_up",
        "slow-body",
        "fail",
        [(1, 0, SLOW)],
        {"closed": {1: 40.0}, "exit_code": None, "stopped_at": 140.0},
    ),
    "five attempts": ("gives_up", "platform-down", "pass", [(1, n, FAULT) for n in range(5)], {"exit_code": 1}),
    "for ever": (
        "gives_up",
        "platform-down",
        "fail",
        [(1, n, FAULT) for n in range(60)],
        {"exit_code": None, "stopped_at": 160.0},
    ),
    "many payloads, each given up": (
        "gives_up",
        "platform-down",
        "pass",
        [(n, t, FAULT) for n in range(9) for t in (0, 1, 3)],
        {"exit_code": None, "stopped_at": 160.0},
    ),
    "survived": (
        "survives_reset",
        "connection-reset",
        "pass",
        [(1, 0, {**LOST, "accepted": False}), (1, 1), (2, 2)],
        {},
    ),
    "lost one": ("survives_reset", "connection-reset", "fail", [(1, 0, {**LOST, "accepted": False}), (2, 2)], {}),
    "did not end": (
        "survives_reset",
        "connection-reset",
        "fail",
        [(1, 0, {**LOST, "accepted": False}), (1, 1), (2, 2)],
        {"exit_code": None, "stopped_at": 130.0},
    ),
    "left alone": ("no_retry_on_422", "payload-refused", "pass", [(1, 0, {**FAULT, "status": 422}), (2, 1)], {}),
    "again": ("no_retry_on_422", "payload-refused", "fail", [(1, 0, {**FAULT, "status": 422}), (1, 1)], {}),
    "once": ("no_duplicates", "connection-reset", "pass", [(1, 0, {**LOST, "accepted": False}), (1, 1)], {}),
    "twice after a lost answer": ("no_duplicates", "answer-lost", "info", [(1, 0, LOST), (1, 1)], {}),
    "twice without need": ("no_duplicates", "answer-lost", "fail", [(1, 0, LOST), (1, 1), (1, 2)], {}),
    "in order": ("keeps_order", "flickering-platform", "pass", [(1, 0, FAULT), (1, 1), (2, 2)], {}),
    "overtaken": ("keeps_order", "flickering-platform", "info", [(1, 0, FAULT), (2, 1), (1, 2)], {}),
    "secret in a query": ("no_secret_in_url", "calm", "fail", [("t", 0, SECRET), (1, 1)], {}),
    "no secret": ("no_secret_in_url", "calm", "pass", [("t", 0), (1, 1)], {}),
    "all stored": ("nothing_lost", "connection-reset", "pass", [(1, 0, FAULT), (1, 1), (2, 2)], {}),
    "one lost": ("nothing_lost", "connection-reset", "fail", [(1, 0, FAULT), (2, 2)], {}),
    "one lost, and told": (
        "nothing_lost",
        "connection-reset",
        "not_reached",
        [(1, 0, FAULT), (2, 2)],
        {"exit_code": 1},
    ),
    "no retry needed": ("renews_on_401", "token-expires", "not_reached", [("t", 0), (1, 1)], {}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_check_judges(made: MakeRun, case: tuple[str, str, str, list[tuple[Any, ...]], dict[str, Any]]) -> None:
    check, storm, expected, requests, outcome = case
    calm = None if storm == "calm" else made(("t", 0), (1, 1), (2, 2))
    run = made(*requests, storm=storm, calm=calm, **outcome)

    verdict = judged(CHECKS[check], [run])

    assert verdict.verdict == expected, verdict
    assert verdict.detail
    assert bool(verdict.entries) == (expected != "not_reached")


def test_token_used_after_its_end_is_worth_to_know(made: MakeRun) -> None:
    late = {"status": 401, "reason": "token_expired: 1 s ago"}
    run = made(("t", 0), (1, 3, late), ("t", 3), (1, 4), storm="short-lived-token", calm=made((1, 0)))
    reached = Run(run.storm, [*run.entries, *made((2, 9, FAULT)).entries], (), run.outcome, None, run.calm)

    assert judged(CHECKS["renews_before_expiry"], [reached]).verdict == "info"


def test_same_payload_twice_is_no_duplicate_where_the_client_always_sends_it_twice(made: MakeRun) -> None:
    calm = made((1, 0), (1, 1))
    run = made((1, 0, FAULT), (1, 1), (1, 2), storm="connection-reset", calm=calm)

    assert judged(CHECKS["no_duplicates"], [calm]).verdict == "info"
    assert judged(CHECKS["no_duplicates"], [run]).verdict == "pass"


def test_failure_in_one_storm_is_the_verdict_whatever_other_storms_say(made: MakeRun) -> None:
    calm = made((1, 0), (2, 1))
    good = made((1, 0, FAULT), (1, 1), (2, 2), storm="connection-reset", calm=calm)
    bad = made((1, 0, FAULT), (2, 2), storm="html-answer", calm=calm)

    verdict = judged(CHECKS["nothing_lost"], [calm, good, bad])

    assert (verdict.verdict, verdict.storm) == ("fail", "html-answer")


def test_payload_that_is_refused_when_nothing_fails_is_not_missed(made: MakeRun) -> None:
    calm = made((1, 0), (2, 1, {"status": 422, "accepted": False}), exit_code=1)
    run = made((1, 0, FAULT), (1, 1), (2, 2, {"status": 422, "accepted": False}), storm="connection-reset", calm=calm)

    assert judged(CHECKS["survives_reset"], [run]).verdict == "pass"


def test_client_that_sent_nothing_reaches_no_check(made: MakeRun) -> None:
    calm = made()
    runs = [calm, *(made(storm=storm, calm=calm) for storm in STORMS.values() if storm.rules)]

    verdicts = [judged(check, runs) for check in CHECKS.values()]
    assert {verdict.verdict for verdict in verdicts} == {"not_reached"}
    assert {verdict.detail for verdict in verdicts} == {"the client sent nothing in this storm"}


def test_every_check_is_judged_by_a_storm_and_has_a_rule_and_two_sentences_of_advice() -> None:
    named = {name for storm in STORMS.values() for name in storm.judges}

    assert named == set(CHECKS)
    for check in CHECKS.values():
        assert check.rule.endswith(".")
        assert check.advice.count(". ") == 1, check.name


def test_each_further_worker_may_still_have_requests_under_way_when_the_credentials_are_refused(made: MakeRun) -> None:
    workers = [(n, n / 10, REFUSED) for n in range(4)]
    run = made(("t", 0), *workers, ("t", 2, REFUSED), *[("t", 3, REFUSED)] * 11, storm="credentials-revoked")
    more = made(("t", 0), *workers, ("t", 2, REFUSED), *[("t", 3, REFUSED)] * 12, storm="credentials-revoked")

    assert [judged(CHECKS["stops_when_revoked"], [each]).verdict for each in (run, more)] == ["pass", "fail"]
