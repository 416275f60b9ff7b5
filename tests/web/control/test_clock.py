"""The sandbox clock over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from tests.conftest import Integration
from tests.web.control.problem import detail

NOON = "2026-11-23T12:00:00.000000Z"
ALLOWED = "a time with a zone such as 2026-11-23T18:00:00Z, between 1970-01-02 and 9000-01-01"
DURATIONS = "24h, 1h30m, 90s, PT24H, P1DT12H or a number of seconds; months and years have no fixed length"


@pytest.fixture
def at_noon(integration: Integration) -> Integration:
    integration.control("PUT", "/clock", {"now": NOON, "frozen": True})
    return integration


def test_clock_runs_in_real_time_at_first(integration: Integration) -> None:
    clock = integration.control("GET", "/clock").get_json()

    assert (clock["frozen"], clock["rate"]) == (False, 1.0)
    now = datetime.fromisoformat(clock["now"].replace("Z", "+00:00"))
    assert abs(datetime.now(timezone.utc) - now) < timedelta(minutes=1)


def test_clock_is_set_and_frozen_in_one_step(at_noon: Integration) -> None:
    assert at_noon.control("GET", "/clock").get_json() == {"now": NOON, "frozen": True, "rate": 1.0}


@pytest.mark.parametrize(
    ("step", "now"),
    [
        ({"seconds": 86400}, "2026-11-24T12:00:00.000000Z"),
        ({"seconds": 0.5}, "2026-11-23T12:00:00.500000Z"),
        ({"seconds": -3600}, "2026-11-23T11:00:00.000000Z"),
        ({"duration": "PT24H"}, "2026-11-24T12:00:00.000000Z"),
        ({"duration": "1h30m"}, "2026-11-23T13:30:00.000000Z"),
    ],
    ids=["seconds", "fraction", "backwards", "ISO 8601", "short text"],
)
def test_clock_is_advanced(at_noon: Integration, step: object, now: str) -> None:
    response = at_noon.control("POST", "/clock/advance", step)

    assert (response.status_code, response.get_json()["now"]) == (200, now)


def test_clock_returns_to_real_time(at_noon: Integration) -> None:
    at_noon.control("PUT", "/clock", {"rate": 3600})

    clock = at_noon.control("DELETE", "/clock").get_json()
    assert (clock["frozen"], clock["rate"]) == (False, 1.0)


def test_zone_of_an_instant_is_minded(at_noon: Integration) -> None:
    clock = at_noon.control("PUT", "/clock", {"now": "2026-01-01T01:30:00+01:30"}).get_json()

    assert clock["now"] == "2026-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"now": "soon"}, f"body.now: 'soon' is not allowed; use {ALLOWED}"),
        ({"now": "2026-11-23T12:00:00"}, f"body.now: '2026-11-23T12:00:00' is not allowed; use {ALLOWED}"),
        ({"now": 0}, "body.now: 0 is not allowed; use text"),
        ({"now": "9999-01-01T00:00:00Z"}, "body.now: '9999-01-01T00:00:00Z' is not allowed; use a time between"),
        ({"rate": 0}, "body.rate: 0.0 is not allowed; use a number above 0 and at most 1000000"),
        ({"rate": True}, "body.rate: true is not allowed; use a number"),
        ({"rate": "5"}, "body.rate: '5' is not allowed; use a number"),
        ({"frozen": 1}, "body.frozen: 1 is not allowed; use true or false"),
        ({"now": NOON, "rate": -1}, "body.rate: -1.0 is not allowed"),
        ({"speed": 2}, "body.speed: unknown; known: frozen, now, rate"),
    ],
    ids=[
        "words",
        "no zone",
        "number",
        "too late",
        "rate 0",
        "boolean rate",
        "text rate",
        "number for boolean",
        "one of two",
        "unknown",
    ],
)
def test_bad_change_is_refused_and_nothing_changes(at_noon: Integration, body: object, told: str) -> None:
    assert told in detail(at_noon.control("PUT", "/clock", body), 422)
    assert at_noon.control("GET", "/clock").get_json() == {"now": NOON, "frozen": True, "rate": 1.0}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "body: give either seconds or duration, one of them"),
        ({"seconds": 1, "duration": "1s"}, "give either seconds or duration, one of them"),
        ({"seconds": "1"}, "body.seconds: '1' is not allowed; use a number"),
        ({"seconds": True}, "body.seconds: true is not allowed; use a number"),
        ({"seconds": 1e300}, f"body.seconds: 1e+300 is not allowed; use {DURATIONS}"),
        ({"duration": "1 month"}, f"body.duration: '1 month' is not allowed; use {DURATIONS}"),
        ({"duration": None}, f"body.duration: null is not allowed; use {DURATIONS}"),
        ({"duration": 3600}, f"body.duration: 3600 is not allowed; use {DURATIONS}"),
        (
            {"duration": "999999999d"},
            "body.duration: '999999999 days, 0:00:00' is not allowed; use a time between 1970-01-02",
        ),
        ({"seconds": 10**12}, "is not allowed; use a time between 1970-01-02 and 9000-01-01"),
    ],
    ids=["nothing", "both", "text", "boolean", "overflow", "month", "null", "a number", "far beyond", "beyond"],
)
def test_bad_step_is_refused_and_nothing_changes(at_noon: Integration, body: object, told: str) -> None:
    assert told in detail(at_noon.control("POST", "/clock/advance", body), 422)
    assert at_noon.control("GET", "/clock").get_json()["now"] == NOON
