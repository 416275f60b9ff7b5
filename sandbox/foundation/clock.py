"""The sandbox clock, the only time of the emulated platform. It can be moved.

It runs beside the machine's clock, from an origin and at a rate, or is frozen. Tokens, throttle windows, the journal
and ``created_at`` read it and no other clock. ``Clock.wall_timestamp`` returns the machine's time, for uses that must
not follow the sandbox.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Annotated

from msgspec import Meta

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.instants import EARLIEST, INSTANTS_ALLOWED, LATEST, format_instant, parse_instant, span, step_of
from sandbox.foundation.real_time import frozen_timestamp, move_frozen_time, wall_time

MAX_RATE = 1_000_000.0
_EARLIEST_S, _LATEST_S = EARLIEST.timestamp(), LATEST.timestamp()


@dataclass(frozen=True, slots=True)
class ClockSnapshot:
    """The clock. ``moved`` is false where it shows the machine's time; ``now`` then only says when it was saved."""

    now: datetime
    frozen: bool
    rate: Annotated[float, Meta(gt=0, le=1_000_000)]
    moved: bool


@dataclass(frozen=True, slots=True)
class _Course:
    """``now = origin + (base() - since) * rate``; all but the rate in Unix seconds."""

    base: Callable[[], float]
    """The time that the clock runs beside: the machine's, or that of freezegun or time-machine."""
    origin: float
    since: float
    rate: float = 1.0
    frozen: bool = False
    moved: bool = False

    def at(self, base: float) -> float:
        """Return the time to the microsecond, as ``Clock.timestamp`` does."""
        now = self.origin if self.frozen else self.origin + (base - self.since) * self.rate
        return _LATEST_S if now > _LATEST_S else int(now * 1_000_000 + 0.5) / 1_000_000  # what `round` does, in half


def _checked_rate(rate: object) -> float:
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate <= MAX_RATE:
        raise InvalidValueError("rate", rate, f"a number above 0 and at most {MAX_RATE:.0f}")
    return float(rate)


def check_clock(snapshot: ClockSnapshot) -> None:
    """Raise ``InvalidValueError`` for a snapshot with a time or a rate that no clock can have."""
    if not EARLIEST <= snapshot.now <= LATEST:
        raise InvalidValueError("clock.now", format_instant(snapshot.now), INSTANTS_ALLOWED)
    _checked_rate(snapshot.rate)


class Clock:
    """A clock that can be advanced, set, frozen and run at another rate; safe to use from several threads."""

    def __init__(self, wall: Callable[[], float] = wall_time) -> None:
        self._wall = wall
        self.before_moves: list[Callable[[], object]] = []
        """Functions that are called before the clock is changed, without its lock."""
        self._lock = threading.Lock()
        self._course = self._real()
        self.observers: list[Callable[[str], None]] = []
        """The functions that are called after each change, with the change in words."""

    def timestamp(self) -> float:
        """Return the sandbox time in Unix seconds, to the microsecond.

        The documents show microseconds. With a finer time, a token or an entry could lie in the future, or before its
        own ``received_at``, as soon as a document cuts it.
        """
        course = self._course
        return course.at(course.base())

    def timestamps(self) -> tuple[float, float]:
        """Return ``timestamp`` and ``wall_timestamp`` of one moment; the machine's clock is read once."""
        course, wall = self._course, self._wall()
        return course.at(wall if course.base is self._wall else course.base()), wall

    def now(self) -> datetime:
        """Return the sandbox time as an aware UTC datetime."""
        return datetime.fromtimestamp(self.timestamp(), timezone.utc)

    def wall_timestamp(self) -> float:
        """Return the machine's time in Unix seconds."""
        return self._wall()

    @property
    def frozen(self) -> bool:
        """Whether the clock is frozen."""
        return self._course.frozen

    @property
    def rate(self) -> float:
        """Sandbox seconds a real second; kept while the clock is frozen."""
        return self._course.rate

    @property
    def moved(self) -> bool:
        """Whether the clock differs from the machine's in any way."""
        return self._course.moved

    def advance(self, duration: object = None, **units: float) -> datetime:
        """Move by a duration (``advance("24h")``, ``advance(90)``) or by timedelta's units (``advance(hours=24)``).

        Negative durations travel backwards. Return the new time.
        """
        step = step_of(duration, units).total_seconds()
        given = duration if duration is not None else units
        given = str(given) if isinstance(given, timedelta) else given
        _, shown = self._move("duration", given, lambda course: replace(course, origin=course.origin + step))
        return self._tell(shown, _moved(step))

    def travel_to(self, instant: object) -> datetime:
        """Set the clock to an instant with a zone; it runs from there, or stays there if frozen."""
        return self.change(now=instant)

    def freeze(self) -> datetime:
        """Stop the clock; ``advance`` and ``travel_to`` still move it."""
        return self.change(frozen=True)

    def unfreeze(self) -> datetime:
        """Let the clock run from the time that it shows."""
        return self.change(frozen=False)

    def set_rate(self, rate: object) -> datetime:
        """Run at ``rate`` sandbox seconds a real second (3600: an hour a second)."""
        return self.change(rate=rate)

    def change(self, *, now: object = None, frozen: bool | None = None, rate: object = None) -> datetime:
        """Travel, freeze or unfreeze and change the rate in one step; a refused value changes nothing."""
        checked_rate = None if rate is None else _checked_rate(rate)
        instant = None if now is None else parse_instant(now).timestamp()
        asked = {"origin": instant, "rate": checked_rate, "frozen": frozen}
        given = {name: value for name, value in asked.items() if value is not None}
        before, shown = self._move("now", now, lambda course: replace(course, **given))  # type: ignore[arg-type]
        changes = [] if instant is None else [_moved(instant - before)]
        changes += [] if checked_rate is None else [f"the clock runs {checked_rate:g} times as fast as the machine's"]
        changes += [] if frozen is None else ["the clock is frozen" if frozen else "the clock runs on"]
        return self._tell(shown, *changes)

    def follow(self) -> datetime:
        """Run beside the time of freezegun or time-machine, so that both sides of an integration move together.

        The clock then shows that time as the test moves it (``tick``, ``shift``, ``move_to``), and the machine's time
        while neither library is active; ``advance`` and the other methods move it further. A reset ends it.
        """
        self._announce()
        with self._lock:
            self._course = _Course(self._test_time, origin=0.0, since=0.0, moved=True)
        return self._tell(self.now(), "the clock follows the time of freezegun or time-machine")

    @property
    def following(self) -> bool:
        """Whether the clock follows the time of freezegun or time-machine."""
        return self._course.base == self._test_time

    def travel(self, duration: object = None, **units: float) -> datetime:
        """Move both sides of an integration: the time of freezegun or time-machine, if there is one, and this clock.

        Without either this is ``advance``: a client's own time cannot be moved then.
        """
        step = step_of(duration, units)
        if not move_frozen_time(step) or not self.following:
            return self.advance(step)
        return self.now()

    def reset(self, *, quietly: bool = False) -> datetime:
        """Return to the machine's time; ``quietly`` without a call of the observers."""
        self._announce()
        with self._lock:
            is_told = self._course.moved and not quietly
            self._course = self._real()
        return self._tell(self.now(), *(["the clock returned to the machine's time"] if is_told else []))

    def snapshot(self) -> ClockSnapshot:
        """Return the clock as a value; a frozen time that it follows counts as a time it was moved to."""
        with self._lock:
            course = self._course
            now = course.at(course.base())
        return ClockSnapshot(datetime.fromtimestamp(now, timezone.utc), course.frozen, course.rate, course.moved)

    def restore(self, snapshot: ClockSnapshot) -> datetime:
        """Continue from a saved clock; one that was never moved shows the machine's time. Return the time."""
        check_clock(snapshot)
        self._announce()
        with self._lock:
            course = self._real()
            if snapshot.moved:
                origin, since = snapshot.now.timestamp(), self._wall()
                course = _Course(self._wall, origin, since, snapshot.rate, snapshot.frozen, moved=True)
            self._course = course
        return self.now()

    def _tell(self, now: datetime, *changes: str) -> datetime:
        for observer in self.observers if changes else ():
            observer(", ".join(changes))
        return now

    def _announce(self) -> None:
        for announce in self.before_moves:
            announce()

    def _real(self) -> _Course:
        return _Course(self._wall, origin=0.0, since=0.0)

    def _test_time(self) -> float:
        frozen = frozen_timestamp()
        return self._wall() if frozen is None else max(frozen, _EARLIEST_S)

    def _move(self, field: str, given: object, change: Callable[[_Course], _Course]) -> tuple[float, datetime]:
        """Change the course from the time shown; return that time and the new one. An error names the field."""
        self._announce()
        with self._lock:
            base = self._course.base()
            before = self._course.at(base)
            course = change(replace(self._course, origin=before, since=base, moved=True))
            if not _EARLIEST_S <= course.origin <= _LATEST_S:
                allowed = f"a time between {EARLIEST:%Y-%m-%d} and {LATEST:%Y-%m-%d} to arrive at"
                raise InvalidValueError(field, given, allowed)
            self._course = course
            return before, self.now()


def _moved(seconds: float) -> str:
    return f"{span(seconds)} {'earlier' if seconds < 0 else 'later'} on the sandbox clock"
