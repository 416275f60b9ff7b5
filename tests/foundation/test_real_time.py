"""Libraries that move the time of a test: they do not reach the machine's clock, and a clock can follow them."""

from __future__ import annotations

import datetime as dt
import sys
import threading
import time
from types import SimpleNamespace

import pytest
import time_machine
from freezegun import freeze_time

from sandbox.foundation.clock import Clock
from sandbox.foundation.errors import ConflictError
from sandbox.foundation.instants import EARLIEST
from sandbox.foundation.real_time import move_frozen_time, travelled_time, wall_time

UTC = dt.timezone.utc
NOON = dt.datetime(2031, 11, 23, 12, tzinfo=UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("tick", [True, False], ids=["ticking", "still"])
@pytest.mark.parametrize("year", [1969, 2020, 2040])
def test_travelling_does_not_move_the_machines_clock(clock: Clock, year: int, tick: bool) -> None:
    before = wall_time()
    with time_machine.travel(dt.datetime(year, 1, 1, tzinfo=UTC), tick=tick):
        assert 0 <= wall_time() - before < 60
        assert 0 <= clock.timestamp() - before < 60
        assert clock.moved is False
    assert 0 <= wall_time() - before < 60


def test_travelling_of_another_thread_does_not_disturb_the_machines_clock() -> None:
    before, stop = wall_time(), threading.Event()

    def travel() -> None:
        while not stop.is_set():
            with time_machine.travel(NOON):
                pass

    thread = threading.Thread(target=travel)
    thread.start()
    try:
        for _ in range(2_000):  # a travel that begins in the middle of a look may be seen; one that ends may not fail
            wall_time()
    finally:
        stop.set()
        thread.join()
    assert 0 <= wall_time() - before < 60


def test_clock_follows_a_traveller_wherever_it_goes(clock: Clock) -> None:
    clock.follow()
    with time_machine.travel(NOON, tick=False) as traveller:
        assert clock.now() == NOON
        traveller.shift(DAY)
        assert clock.now() == NOON + DAY
        traveller.move_to(NOON)
        assert clock.advance(hours=1) == NOON + dt.timedelta(hours=1)

    assert abs(clock.timestamp() - wall_time() - 3600) < 60


def test_clock_that_follows_ticks_as_the_traveller_does(clock: Clock) -> None:
    clock.follow()
    with time_machine.travel(NOON, tick=True):
        assert 0 <= (clock.now() - NOON).total_seconds() < 60


@pytest.mark.parametrize("tick", [True, False], ids=["ticking", "still"])
def test_travel_moves_the_program_and_the_clock_that_follows(clock: Clock, tick: bool) -> None:
    with time_machine.travel(NOON, tick=tick):
        clock.follow()
        after = clock.travel(hours=24)

        for moved in (after, clock.now(), dt.datetime.now(UTC)):
            assert 0 <= (moved - NOON - DAY).total_seconds() < 60


def test_travel_moves_the_program_and_a_clock_that_does_not_follow(clock: Clock) -> None:
    before = clock.timestamp()
    with time_machine.travel(NOON, tick=False):
        clock.travel(days=1)

        assert time.time() == (NOON + DAY).timestamp()
        assert 0 <= clock.timestamp() - before - DAY.total_seconds() < 60


def test_time_that_is_frozen_while_travelling_is_the_one_that_counts(clock: Clock) -> None:
    clock.follow()
    with time_machine.travel(NOON, tick=False):
        with freeze_time("2001-01-01") as frozen:
            assert clock.now() == dt.datetime(2001, 1, 1, tzinfo=UTC)
            clock.travel(days=1)
            assert frozen().isoformat() == "2001-01-02T00:00:00"
        assert clock.now() == NOON


def test_clock_that_follows_shows_no_time_before_its_earliest(clock: Clock) -> None:
    clock.follow()
    with time_machine.travel(dt.datetime(1969, 1, 1, tzinfo=UTC)):
        assert clock.now() == EARLIEST


def test_nothing_is_moved_where_time_is_the_machines() -> None:
    assert travelled_time() is None
    assert move_frozen_time(DAY) is False


def test_traveller_that_cannot_be_found_is_told(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    hatch = SimpleNamespace(is_travelling=lambda: True, time=SimpleNamespace(time=time.time))
    monkeypatch.setitem(sys.modules, "time_machine", SimpleNamespace(escape_hatch=hatch))
    before = clock.timestamp()

    with pytest.raises(ConflictError, match=r"move its time with the traveller that time_machine\.travel\(\) returns"):
        clock.travel(days=1)
    assert clock.timestamp() - before < 60
