"""The trigger schedule of a service: a preset or a cron expression of five fields, in a time zone.

The names of the presets are ours, apart from ``every 2 hours``; the dialect is the standard one (FACTS P2). The library
for cron is imported when the first schedule is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone, tzinfo
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sandbox.foundation.instants import LATEST

if TYPE_CHECKING:
    from cronsim import CronSim

MAX_LENGTH: Final = 50
"""Characters of a schedule (FACTS P2)."""

PRESETS: Final = {
    "every minute": "* * * * *",
    **{f"every {minutes} minutes": f"*/{minutes} * * * *" for minutes in (5, 10, 15, 30)},
    "every hour": "0 * * * *",
    **{f"every {hours} hours": f"0 */{hours} * * *" for hours in (2, 3, 4, 6, 12)},
    "every day": "0 0 * * *",
    "every week": "0 0 * * 1",
    "every month": "0 0 1 * *",
}
"""Cron expressions by the name of their preset."""

_FIELD: Final = "[0-9A-Za-z*,/-]+"
SCHEDULE: Final[Mapping[str, Any]] = {
    "format": "cron",
    "pattern": f"^(?:every [0-9a-z ]+|{_FIELD}(?: +{_FIELD}){{4}})$",
    "maxLength": MAX_LENGTH,
}
ZONE: Final[Mapping[str, Any]] = {"format": "time-zone", "pattern": "^[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*$"}
"""The part of a schedule and of a time zone that JSON Schema can state; the formats have no official names."""

SCHEDULE_ALLOWED: Final = (
    f"a preset ({', '.join(PRESETS)}) or a cron expression of five fields that comes at some time, such as "
    f"*/15 8-18 * * 1-5, of {MAX_LENGTH} characters at most"
)
ZONE_ALLOWED: Final = "a time zone of the IANA database, such as UTC or Europe/London"
_NO_ZONES: Final = frozenset({"localtime", "Factory"})
"""A machine lists these names beside the zones: its own choice, and no zone yet."""
_ORDINAL: Final = re.compile(r"(?<!1)([123])th\b")
"""An ordinal that the library for cron writes wrongly, such as 31th."""
_ENDINGS: Final = {"1": "st", "2": "nd", "3": "rd"}
_ANY_DAY: Final = datetime(2026, 1, 1, tzinfo=timezone.utc)


def is_schedule(text: str) -> bool:
    """Return whether a text is a preset or a cron expression of five fields that comes at some time."""
    from cronsim import CronSimError

    if len(text) > MAX_LENGTH or not re.fullmatch(SCHEDULE["pattern"], text):
        return False
    try:
        ticks = _ticks(text, _ANY_DAY)
        next(ticks)
    except (CronSimError, StopIteration):
        return False
    # The library also reads the last day of a month and the nth day of a week, which are not standard.
    return min(ticks.days) > 0 and all(isinstance(day, int) for day in ticks.weekdays)


def is_zone(name: str) -> bool:
    """Return whether a text is the name of a time zone that this machine knows, and that is the same on each."""
    if name == "UTC":  # needs no database
        return True
    import zoneinfo

    return name in _zones(zoneinfo.TZPATH) and name not in _NO_ZONES


@cache
def _zones(_path: Sequence[str]) -> frozenset[str]:
    """Return the names of the zones, spelled as they are: `ZoneInfo` takes others where the file system does."""
    from zoneinfo import available_timezones

    return frozenset(available_timezones())


def next_tick(schedule: str, time_zone: str, after: float) -> float | None:
    """Return the first time of a schedule after another, both in Unix seconds; ``None`` where there is none."""
    if after >= LATEST.timestamp() - 366 * 86_400:
        return None
    ticks = _ticks(schedule, datetime.fromtimestamp(after, timezone.utc).astimezone(_zone(time_zone)))
    return next((found.timestamp() for found in ticks), None)


def in_words(schedule: str) -> str:
    """Return a schedule in plain words: ``Every 15th minute of every hour``."""
    if schedule in PRESETS:
        return schedule.capitalize()
    words = _ticks(schedule, _ANY_DAY).explain()
    return _ORDINAL.sub(lambda found: found[1] + _ENDINGS[found[1]], words)


def _ticks(schedule: str, after: datetime) -> CronSim:
    from cronsim import CronSim

    return CronSim(PRESETS.get(schedule, schedule), after)


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return timezone.utc
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
