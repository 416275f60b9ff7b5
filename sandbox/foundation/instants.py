"""Durations and instants as texts: read from the forms that people and programs write, and written in one form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone

from sandbox.foundation.errors import InvalidValueError

EARLIEST = datetime(1970, 1, 2, tzinfo=timezone.utc)
LATEST = datetime(9000, 1, 1, tzinfo=timezone.utc)
_DURATION = re.compile(
    r"""(?P<sign>[+-])?
    (?:(?=p.)p(?:(?P<iso_w>\d+)w)?(?:(?P<iso_d>\d+)d)?
        (?:t(?=.)(?:(?P<iso_h>\d+)h)?(?:(?P<iso_m>\d+)m)?(?:(?P<iso_s>\d+(?:\.\d+)?)s)?)?
    |(?=.)(?:(?P<w>\d+)w)?(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+(?:\.\d+)?)s)?)""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_INSTANT = re.compile(
    r"""(?P<year>\d{4})(?:-?W(?P<week>\d\d)(?:-?(?P<weekday>\d))?|(?P<dash>-?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d))
    \D(?P<hour>\d\d)(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?
    (?:[zZ]|(?P<sign>[+-])(?P<zone_hour>\d\d)(?::?(?P<zone_minute>\d\d)(?::?(?P<zone_second>\d\d)(?:\.\d+)?)?)?)""",
    re.ASCII | re.VERBOSE,
)
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
DURATIONS_ALLOWED = "24h, 1h30m, 90s, PT24H, P1DT12H or a number of seconds; months and years have no fixed length"
INSTANTS_ALLOWED = f"a time with a zone such as 2026-11-23T18:00:00Z, between {EARLIEST:%Y-%m-%d} and {LATEST:%Y-%m-%d}"


def parse_duration(value: object, field: str = "duration") -> timedelta:
    """Read a duration given as seconds, ISO 8601 or short text; years and months are refused as ambiguous."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _timedelta(field, value, seconds=value)
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        sign = -1 if match["sign"] == "-" else 1
        amounts = {unit: match[f"iso_{key}"] or match[key] for key, unit in _UNITS.items()}
        return _timedelta(field, value, **{unit: sign * float(amount) for unit, amount in amounts.items() if amount})
    raise InvalidValueError(field, value, DURATIONS_ALLOWED)


def _timedelta(field: str, given: object, **amounts: float) -> timedelta:
    try:
        return timedelta(**amounts)
    except (OverflowError, ValueError):  # beyond a timedelta; infinite; not a number
        raise InvalidValueError(field, given, DURATIONS_ALLOWED) from None


def step_of(duration: object, units: Mapping[str, object]) -> timedelta:
    """Read a step given as a duration or by timedelta's units, one of the two."""
    if (duration is None) == (not units):
        raise InvalidValueError("duration", duration, "either one duration or units such as hours=24, not both")
    if duration is not None:
        return parse_duration(duration)
    try:
        return timedelta(**units)  # type: ignore[arg-type] # a wrong type is an error of its own
    except (TypeError, ValueError, OverflowError):
        raise InvalidValueError(
            "duration", units, "timedelta's units: weeks, days, hours, minutes, seconds …"
        ) from None


def parse_instant(value: object, field: str = "now") -> datetime:
    """Read an instant with a zone; one without is refused as ambiguous, and so is one outside of the years in UTC."""
    try:
        instant = _read_instant(value.strip()) if isinstance(value, str) else value
        if isinstance(instant, datetime):
            instant.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        instant = None
    if not isinstance(instant, datetime) or instant.tzinfo is None:
        raise InvalidValueError(field, value, INSTANTS_ALLOWED)
    return instant


def _read_instant(text: str) -> datetime | None:
    """Read ISO 8601 with a zone, in the extended and the basic format, with any number of digits of a second.

    ``datetime.fromisoformat`` reads little of that on Python 3.10. Digits beyond microseconds are cut off.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    year = int(match["year"])
    if match["week"]:
        day = date.fromisocalendar(year, int(match["week"]), int(match["weekday"] or 1))
    else:
        day = date(year, int(match["month"]), int(match["day"]))
    microseconds = int((match["fraction"] or "")[:6].ljust(6, "0"))
    zone = timezone.utc
    if match["sign"]:
        amounts = [int(match[name] or 0) for name in ("zone_hour", "zone_minute", "zone_second")]
        offset = timedelta(hours=amounts[0], minutes=amounts[1], seconds=amounts[2])
        if amounts[1] > 59 or amounts[2] > 59:
            return None
        zone = timezone(-offset if match["sign"] == "-" else offset)
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    return datetime(day.year, day.month, day.day, hour, minute, second, microseconds, zone)


def format_instant(instant: datetime) -> str:
    """Return ISO 8601 in UTC with microseconds and ``Z``."""
    return instant.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def format_timestamp(seconds: float) -> str:
    """Return Unix seconds in the form of ``format_instant``."""
    return format_instant(datetime.fromtimestamp(seconds, timezone.utc))


_SPAN_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def span(seconds: float) -> str:
    """Return a length of time in its two largest units: ``23 h 59 min``."""
    left = int(abs(seconds))
    parts: list[str] = []
    for size, unit in _SPAN_UNITS:
        amount, left = divmod(left, size)
        if amount or (unit == "s" and not parts):
            parts.append(f"{amount} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])
