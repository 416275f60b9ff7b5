"""The clock: what it tells, how it is moved, and what it refuses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from freezegun import freeze_time
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.foundation.clock import MAX_RATE, Clock
from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.instants import EARLIEST, LATEST, format_instant, parse_duration, parse_instant

START = datetime(2026, 11, 23, 18, tzinfo=timezone.utc)


class Wall:
    """A machine's clock that a test moves by hand."""

    def __init__(self, now: float = START.timestamp()) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def clock(wall: Wall) -> Clock:
    return Clock(wall)


# --- running --------------------------------------------------------------------------------------------------------


def test_new_clock_tells_the_machines_time(clock: Clock, wall: Wall) -> None:
    wall.now += 1.5

    assert clock.now() == START + timedelta(seconds=1.5)
    assert clock.timestamp() == clock.wall_timestamp() == wall.now
    assert (clock.frozen, clock.rate, clock.moved) == (False, 1.0, False)


def test_both_times_of_a_moment_are_one_reading() -> None:
    readings: list[float] = []

    def wall() -> float:
        readings.append(START.timestamp() + len(readings))
        return readings[-1]

    clock = Clock(wall)
    assert clock.timestamps() == (readings[-1], readings[-1])
    clock.advance(hours=1)
    before = len(readings)

    sandbox_time, wall_time = clock.timestamps()

    assert readings[before:] == [wall_time]
    assert sandbox_time == clock.timestamp() - 1  # the later reading is one second later


def test_advanced_clock_runs_on_from_there(clock: Clock, wall: Wall) -> None:
    told = clock.advance(hours=24)
    wall.now += 2

    assert told == START + timedelta(hours=24)
    assert clock.now() == START + timedelta(hours=24, seconds=2)
    assert clock.wall_timestamp() == wall.now
    assert clock.moved


def test_negative_duration_travels_backwards(clock: Clock) -> None:
    assert clock.advance("-1h30m") == START - timedelta(minutes=90)


def test_frozen_clock_stands_still_and_can_be_moved(clock: Clock, wall: Wall) -> None:
    clock.freeze()
    wall.now += 3600

    assert clock.now() == START
    assert clock.frozen
    assert clock.advance(90) == START + timedelta(seconds=90)
    assert clock.frozen


def test_unfrozen_clock_runs_on_from_where_it_stood(clock: Clock, wall: Wall) -> None:
    clock.freeze()
    wall.now += 3600
    clock.unfreeze()
    wall.now += 1

    assert clock.now() == START + timedelta(seconds=1)
    assert not clock.frozen


def test_rate_stretches_what_follows_and_not_what_was(clock: Clock, wall: Wall) -> None:
    wall.now += 10
    clock.set_rate(3600)
    wall.now += 2

    assert clock.now() == START + timedelta(seconds=10, hours=2)
    assert clock.rate == 3600.0


def test_rate_is_kept_while_the_clock_is_frozen(clock: Clock, wall: Wall) -> None:
    clock.set_rate(60)
    clock.freeze()
    wall.now += 5
    clock.unfreeze()
    wall.now += 1

    assert clock.now() == START + timedelta(seconds=60)


def test_one_change_travels_freezes_and_sets_the_rate(clock: Clock, wall: Wall) -> None:
    clock.change(now="2027-01-01T00:00:00Z", frozen=True, rate=2)
    wall.now += 9

    assert clock.now() == datetime(2027, 1, 1, tzinfo=timezone.utc)
    assert (clock.frozen, clock.rate) == (True, 2.0)


@pytest.mark.parametrize(
    "change", [{"now": "soon"}, {"rate": 0}, {"now": "9001-01-01T00:00:00Z"}], ids=["instant", "rate", "too late"]
)
def test_change_with_a_refused_value_changes_nothing(clock: Clock, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        clock.change(**{"frozen": True, "rate": 5, **change})

    assert (clock.now(), clock.frozen, clock.rate, clock.moved) == (START, False, 1.0, False)


def test_reset_returns_to_the_machines_time(clock: Clock, wall: Wall) -> None:
    clock.change(now="2030-01-01T00:00:00Z", frozen=True, rate=9)
    wall.now += 7

    assert clock.reset() == START + timedelta(seconds=7)
    assert (clock.frozen, clock.rate, clock.moved) == (False, 1.0, False)


def test_libraries_that_freeze_time_do_not_reach_the_clock() -> None:
    with freeze_time("2001-01-01"):
        now = Clock().now()

    assert now.year > 2001


@pytest.mark.parametrize("fraction", [0.1234564, 0.1234566, 0.9999999])
def test_timestamp_is_what_now_tells_to_the_microsecond(wall: Wall, clock: Clock, fraction: float) -> None:
    wall.now += fraction

    assert clock.timestamp() == clock.now().timestamp() == parse_instant(format_instant(clock.now())).timestamp()


def test_fast_clock_stands_still_at_the_latest_time(wall: Wall, clock: Clock) -> None:
    clock.change(now=LATEST - timedelta(seconds=1), rate=MAX_RATE)
    wall.now += 10**9

    assert clock.now() == LATEST


@pytest.mark.parametrize("seconds", [timedelta(days=4_000_000).total_seconds(), -(10**10)], ids=["late", "early"])
def test_advance_beyond_the_bounds_is_refused_and_moves_nothing(clock: Clock, seconds: float) -> None:
    with pytest.raises(InvalidValueError, match="a time between 1970-01-02 and 9000-01-01"):
        clock.advance(seconds)

    assert clock.now() == START


@pytest.mark.parametrize("instant", [EARLIEST, LATEST], ids=["earliest", "latest"])
def test_bounds_themselves_can_be_travelled_to(clock: Clock, instant: datetime) -> None:
    assert clock.travel_to(instant) == instant


@pytest.mark.parametrize(
    "move",
    [
        lambda clock: clock.advance(),
        lambda clock: clock.advance(5, hours=1),
        lambda clock: clock.advance(fortnights=1),
        lambda clock: clock.advance(days=10**12),
        lambda clock: clock.advance(hours="1"),
    ],
    ids=["nothing", "both", "unknown unit", "overflow", "text as units"],
)
def test_advance_with_unusable_arguments_is_refused(clock: Clock, move: Callable[[Clock], object]) -> None:
    with pytest.raises(InvalidValueError, match=r"^duration: "):
        move(clock)


@pytest.mark.parametrize("rate", [0, -1, MAX_RATE + 1, float("nan"), float("inf"), 10**400, True, "2"], ids=repr)
def test_rate_that_is_not_a_sensible_number_is_refused(clock: Clock, rate: object) -> None:
    with pytest.raises(InvalidValueError, match="a number above 0 and at most 1000000"):
        clock.set_rate(rate)


def test_steps_of_several_threads_all_count(wall: Wall, clock: Clock) -> None:
    clock.freeze()
    barrier = threading.Barrier(4)

    def step() -> None:
        barrier.wait()
        for _ in range(250):
            clock.advance(1)

    threads = [threading.Thread(target=step) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert clock.now() == START + timedelta(seconds=1000)


# --- durations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (90, timedelta(seconds=90)),
        (-0.25, timedelta(seconds=-0.25)),
        (timedelta(hours=1), timedelta(hours=1)),
        ("24h", timedelta(days=1)),
        ("1h30m", timedelta(minutes=90)),
        (" 90S ", timedelta(seconds=90)),
        ("1.5s", timedelta(seconds=1.5)),
        ("2w3d", timedelta(days=17)),
        ("-90s", timedelta(seconds=-90)),
        ("PT24H", timedelta(days=1)),
        ("P1DT12H", timedelta(hours=36)),
        ("P2W", timedelta(weeks=2)),
        ("+PT0.5S", timedelta(seconds=0.5)),
        ("-pt1m", timedelta(minutes=-1)),
        ("0s", timedelta(0)),
    ],
    ids=str,
)
def test_duration_is_read(value: object, expected: timedelta) -> None:
    assert parse_duration(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            " ",
            "90",
            "h",
            "P",
            "PT",
            "P1DT",
            "P1Y",
            "P1M",
            "1y",
            "1h 30m",
            "30m1h",
            "1.5h",
            "- 1h",
            "--1h",
            "1h\n2m",
        ),
        *("٣h", "90\u017f", "nan", "inf"),
        *(None, True, [], {}, b"1h", float("nan"), float("inf"), -float("inf"), 10**400, "9" * 400 + "h", 1e300),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_other_durations_are_refused_with_what_is_allowed(value: object) -> None:
    with pytest.raises(InvalidValueError, match=r"^retry: .* is not allowed; use 24h, 1h30m, 90s, PT24H"):
        parse_duration(value, "retry")


UNITS = st.tuples(*(st.none() | st.integers(0, 10_000) for _ in range(5))).filter(
    lambda units: any(unit is not None for unit in units)
)


@given(units=UNITS, negative=st.booleans())
@settings(deadline=None, max_examples=200)
def test_short_and_iso_text_mean_the_same(units: tuple[int | None, ...], negative: bool) -> None:
    weeks, days, hours, minutes, seconds = units
    sign = "-" if negative else ""
    short = "".join(f"{unit}{name}" for unit, name in zip(units, "wdhms", strict=True) if unit is not None)
    date = "".join(f"{unit}{name}" for unit, name in ((weeks, "W"), (days, "D")) if unit is not None)
    time = "".join(f"{u}{name}" for u, name in ((hours, "H"), (minutes, "M"), (seconds, "S")) if u is not None)
    expected = timedelta(
        weeks=weeks or 0, days=days or 0, hours=hours or 0, minutes=minutes or 0, seconds=seconds or 0
    ) * (-1 if negative else 1)

    assert parse_duration(sign + short) == expected
    assert parse_duration(f"{sign}P{date}{'T' if time else ''}{time}") == expected
    assert parse_duration(expected.total_seconds()) == expected


@pytest.mark.parametrize("hours", ["1", None, float("nan"), float("inf"), 1e300], ids=repr)
def test_unit_that_is_no_length_of_time_is_refused(clock: Clock, hours: Any) -> None:
    with pytest.raises(InvalidValueError, match="use timedelta's units: weeks, days, hours"):
        clock.advance(hours=hours)


# --- instants -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T18:00:00Z",
        "2026-11-23T18:00:00z",
        " 2026-11-23T19:00:00+01:00 ",
        "2026-11-23 18:00:00.000000+00:00",
        "2026-11-23T18:00:00.0Z",
        "2026-11-23T18:00:00.0000000Z",
        "2026-11-23T18:00:00,000000000+00:00",
        "2026-11-23T18:00Z",
        "2026-11-23T18Z",
        "20261123T180000Z",
        "20261123T180000.0000004Z",
        "2026-11-23T19:00:00+0100",
        "2026-11-23T19:00:00+01",
        "2026-11-23T18:00:30+00:00:30",
        "2026-11-23T12:30:00-05:30",
        "2026-W48-1T18:00:00Z",
        "2026W481T180000Z",
        START.astimezone(timezone(timedelta(hours=-5))),
    ],
    ids=str,
)
def test_instant_with_a_zone_is_read(value: object) -> None:
    assert parse_instant(value) == START


@pytest.mark.parametrize(
    "value",
    [
        *("2026-11-23T18:00:00", "2026-11-23", "", "now", "Z", 1_795_456_800, None, START.replace(tzinfo=None)),
        *("2026-11-23T18:00:00.Z", "2026-11-23T18:00:60Z", "2026-11-23T25:00:00Z", "2026-02-29T00:00:00Z"),
        *("2026-11-2318:00:00Z", "2026-1123T18:00:00Z", "2026-W54-1T00:00:00Z", "0000-01-01T00:00:00Z"),
        *(
            "2026-11-23T18:00:00+24:00",
            "2026-11-23T18:00:00+00:60",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-12:00",
            "2026-11-23T18:00:00 +00:00",
            "٢٠٢٦-11-23T18:00:00Z",
        ),
    ],
    ids=repr,
)
def test_instant_without_a_zone_or_none_at_all_is_refused(value: object) -> None:
    with pytest.raises(InvalidValueError, match=r"^since: .* is not allowed; use a time with a zone"):
        parse_instant(value, "since")


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [(".1", 100_000), (".12", 120_000), (".1234567", 123_456), (".999999999", 999_999), (",000001", 1)],
)
def test_digits_of_a_second_are_read_to_the_microsecond(text: str, microsecond: int) -> None:
    assert parse_instant(f"2026-11-23T18:00:00{text}Z") == START.replace(microsecond=microsecond)


@given(instant=st.datetimes(timezones=st.just(timezone.utc)))
@settings(deadline=None, max_examples=100)
def test_formatted_instant_reads_back(instant: datetime) -> None:
    text = format_instant(instant)

    assert text.endswith("Z")
    assert parse_instant(text) == instant
