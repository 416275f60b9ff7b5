"""Reading fault rules: what is allowed, what is refused, and what the refusal says."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import faults
from sandbox.faults import KINDS, make_rule, read_fault, read_rule
from sandbox.faults.fault import Fault
from sandbox.foundation.errors import InvalidValueError

EXAMPLES: dict[str, Fault] = {
    "status": faults.status(503, {"error": "full"}, {"Retry-After": "5"}, "Busy"),
    "rate_limit": faults.rate_limit(30),
    "maintenance": faults.maintenance(30),
    "latency": faults.latency(median=0.8, sigma=0.6, max=10),
    "slow_body": faults.slow_body(2, 5),
    "relayed": faults.relayed(chunked=False, gzip=True, headers={"Server": "nginx"}),
    "hang": faults.hang(3),
    "connection_reset": faults.connection_reset(),
    "empty_response": faults.empty_response(),
    "garbage_response": faults.garbage_response("?"),
    "truncated_body": faults.truncated_body(3),
    "malformed_json": faults.malformed_json("{"),
    "expired_token": faults.expired_token(),
    "bad_signature_token": faults.bad_signature_token(),
    "short_lived_token": faults.short_lived_token(5, announced=False),
    "token_response": faults.token_response(remove=["expires_in"], set={"token_type": 1}),
    "revoked_token": faults.revoked_token("all"),
    "rotated_key": faults.rotated_key(),
    "failed": faults.failed("no stock"),
    "pending": faults.pending(2, "down"),
    "sent": faults.sent(60),
    "sequence": faults.sequence(faults.status(503), "pass", repeat=True),
}


def test_every_kind_has_a_function_of_its_name() -> None:
    assert list(EXAMPLES) == list(KINDS)
    assert all(getattr(faults, kind) for kind in KINDS)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_fault_survives_being_written_and_read(kind: str) -> None:
    fault = EXAMPLES[kind]

    assert read_fault(fault.document()) == fault


def test_truth_value_of_a_fault_is_given_by_its_name() -> None:
    with pytest.raises(TypeError, match="positional"):
        faults.short_lived_token(5, False)  # type: ignore[misc]


def test_rule_survives_being_written_and_read() -> None:
    rule = make_rule(
        faults.hang(),
        name="mine",
        endpoint="inbound",
        company="acme",
        vanity_url="orders",
        client_id="c",
        method="post",
        headers={"X-Run": "7", "X-Any": None},
        json_path={"$.order": "1001"},
        after=1,
        times=2,
        every=3,
        probability=0.5,
        since="2026-11-23T18:00:00Z",
        lasts="5m",
        accept=True,
    )

    assert read_rule(rule.document()) == rule
    assert rule.match.method == "POST"
    assert rule.lasts == 300


@pytest.mark.parametrize(
    ("document", "field", "said"),
    [
        (
            {"fault": {"kind": "latancy"}},
            "fault.kind",
            "a kind of fault; did you mean 'latency'? known: ",
        ),
        ({"fault": {}}, "fault.kind", "known: status, rate_limit"),
        ({"fault": "hang"}, "fault", 'an object with a "kind"'),
        ({}, "fault", "missing; give "),
        (
            {"fault": {"kind": "status", "cod": 1}},
            "fault.cod",
            "did you mean 'code'? known: code",
        ),
        ({"fault": {"kind": "status"}}, "fault.code", "missing; give a whole number from 200 to 599"),
        ({"fault": {"kind": "status", "code": 99}}, "fault.code", "200 to 599"),
        ({"fault": {"kind": "status", "code": "503"}}, "fault.code", "a whole number"),
        ({"fault": {"kind": "status", "code": 503, "headers": {"A": "b\r\nc"}}}, "fault.headers", "header names"),
        ({"fault": {"kind": "status", "code": 503, "headers": {"A b": "c"}}}, "fault.headers", "header names"),
        ({"fault": {"kind": "status", "code": 503, "body": float("nan")}}, "fault.body", "any JSON value"),
        ({"fault": {"kind": "status", "code": 503, "body": [{"a": {1, 2}}]}}, "fault.body", "any JSON value"),
        ({"fault": {"kind": "token_response", "set": {"at": float("inf")}}}, "fault.set", "a JSON object"),
        ({"fault": {"kind": "latency"}}, "fault.seconds", "seconds, which distribution fixed needs"),
        ({"fault": {"kind": "latency", "seconds": -1}}, "fault.seconds", "seconds from 0"),
        ({"fault": {"kind": "latency", "seconds": 1, "median": 2}}, "fault.median", "seconds with distribution fixed"),
        ({"fault": {"kind": "latency", "distribution": "uniform", "min": 2, "max": 1}}, "fault.min", "at most max"),
        ({"fault": {"kind": "latency", "distribution": "normal"}}, "fault.distribution", "fixed, uniform or lognormal"),
        ({"fault": {"kind": "token_response"}}, "fault.remove", "at least one field"),
        ({"fault": {"kind": "sequence", "steps": []}}, "fault.steps", 'the word "pass"'),
        ({"fault": {"kind": "sequence", "steps": [{"kind": "nope"}]}}, "fault.steps[0].kind", "known: "),
        (
            {"fault": {"kind": "sequence", "steps": [{"kind": "sequence", "steps": ["pass"]}]}},
            "fault.steps",
            "but no sequence",
        ),
        ({"fault": {"kind": "hang"}, "macth": {}}, "macth", "did you mean 'match'?"),
        ({"fault": {"kind": "hang"}, "match": []}, "match", "an object with the fields endpoint, company"),
        ({"fault": {"kind": "hang"}, "match": {"endpont": 1}}, "match.endpont", "did you mean 'endpoint'?"),
        ({"fault": {"kind": "hang"}, "match": {"endpoint": "x"}}, "match.endpoint", "any, token, inbound"),
        ({"fault": {"kind": "hang"}, "match": {"json_path": "$["}}, "match.json_path", "RFC 9535"),
        ({"fault": {"kind": "hang"}, "match": {"json_path": {}}}, "match.json_path", "RFC 9535"),
        (
            {"fault": {"kind": "hang"}, "match": {"endpoint": "token", "vanity_url": "x"}},
            "match.vanity_url",
            "this is token",
        ),
        ({"fault": {"kind": "hang"}, "times": 0}, "times", "a whole number from 1"),
        ({"fault": {"kind": "hang"}, "times": True}, "times", "a whole number from 1"),
        ({"fault": {"kind": "hang"}, "accept": "true"}, "accept", "true or false"),
        ({"fault": {"kind": "token_response", "remove": "a,b"}}, "fault.remove", "a list of names"),
        ({"fault": {"kind": "hang"}, "probability": 1.1}, "probability", "a number from 0 to 1"),
        ({"fault": {"kind": "hang"}, "since": "2026-11-23T18:00:00"}, "since", "an instant with a zone"),
        (
            {"fault": {"kind": "hang"}, "until": "2026-11-23T18:00:00Z", "lasts": 5},
            "lasts",
            "either lasts or until, not both",
        ),
        (
            {"fault": {"kind": "hang"}, "since": "2026-11-23T18:00:00Z", "until": "2026-11-23T18:00:00Z"},
            "until",
            "after since",
        ),
        (
            {"fault": {"kind": "bad_signature_token"}, "match": {"endpoint": "inbound"}},
            "match.endpoint",
            "token or login, for a fault bad_signature_token",
        ),
        (
            {"fault": {"kind": "sequence", "steps": [{"kind": "rotated_key"}]}, "match": {"endpoint": "token"}},
            "match.endpoint",
            "inbound, for a fault rotated_key",
        ),
        ([], "rule", "an object with the fields fault, match"),
    ],
)
def test_wrong_rule_is_refused_telling_what_is_allowed(document: Any, field: str, said: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        read_rule(document)

    assert caught.value.field == field
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "draws"),
    [
        pytest.param(faults.latency(0.25), [0.25, 0.25, 0.25], id="fixed"),
        pytest.param(faults.latency(min=1, max=3), [1.0, 2.0, 3.0], id="uniform"),
        pytest.param(faults.latency(median=0.8, max=5), [None, 0.8, 5.0], id="lognormal"),
    ],
)
def test_latency_is_drawn_from_its_distribution(fault: Any, draws: list[float | None]) -> None:
    drawn = [fault.draw(chance) for chance in (0.0, 0.5, 1.0)]

    assert all(want is None or got == pytest.approx(want) for got, want in zip(drawn, draws, strict=True))
    assert drawn == sorted(drawn)
    assert drawn[0] >= 0


def test_distribution_that_is_named_is_not_guessed() -> None:
    with pytest.raises(InvalidValueError, match="distribution uniform"):
        faults.latency(0.25, distribution="uniform")
