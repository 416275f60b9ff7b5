"""Schedules: which are allowed, and when they come."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from sandbox.platform.processing.schedule import PRESETS, in_words, is_schedule, is_zone, next_tick


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize("text", [*PRESETS, "*/15 * * * *", "0 8-18/2 * JUL MON-FRI", "30 3 1,15 * *", "0 0 * * 7"])
def test_preset_or_five_fields_are_a_schedule(text: str) -> None:
    assert is_schedule(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "every so often",
        "@daily",
        "* * * *",
        "0 0 0 * * *",
        "* * * * * 2026",
        "61 * * * *",
        "*/0 * * * *",
        "0 0 30 2 *",
        "0 0 L * *",
        "0 0 LW * *",
        "0 0 * * 5L",
        "0 0 * * 1#2",
        "0 0 l * *",
        "* * * * * ",
        "*\t* * * *",
        "* * * * \u017fun",
        "0 0 * * 5-3",
        "*/5/5 * * * *",
        "every minute\n",
        f"0 0 * * {','.join('1' * 22)}",
    ],
)
def test_other_texts_are_no_schedule(text: str) -> None:
    assert not is_schedule(text)


@pytest.mark.parametrize(("name", "known"), [("UTC", True), ("Europe/London", True), ("Europe", False), ("x", False)])
def test_time_zone_is_one_that_the_machine_knows(name: str, known: bool) -> None:
    assert is_zone(name) is known


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "../UTC",
            "/etc/passwd",
            "/etc/localtime",
            "../../etc/passwd",
            "UTC\0",
            "UTC\n",
            "tzdata.zi",
            "a" * 10_000,
        ),
        *("europe/london", "utc", "Europe//London", "Europe/London/", "Europe/../Europe/London", "UTC+1", "\ud800"),
    ],
)
def test_time_zone_has_the_name_that_the_database_lists(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoneinfo.ZoneInfo", lambda key: timezone.utc)  # it takes all of them on some file system

    assert not is_zone(name)


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "expected"),
    [
        ("*/15 * * * *", "UTC", "2026-11-27T10:03:00+00:00", "2026-11-27T10:15:00+00:00"),
        ("*/15 * * * *", "UTC", "2026-11-27T10:15:00+00:00", "2026-11-27T10:30:00+00:00"),
        ("*/15 * * * *", "UTC", "2026-11-27T10:14:59.999999+00:00", "2026-11-27T10:15:00+00:00"),
        ("every 2 hours", "UTC", "2026-11-27T23:30:00+00:00", "2026-11-28T00:00:00+00:00"),
        ("0 9 * * *", "Europe/London", "2026-07-01T00:00:00+00:00", "2026-07-01T08:00:00+00:00"),
        ("0 9 * * *", "Europe/London", "2026-12-01T00:00:00+00:00", "2026-12-01T09:00:00+00:00"),
        ("30 1 * * *", "Europe/London", "2026-03-29T00:00:00+00:00", "2026-03-29T01:00:00+00:00"),
        ("0 0 29 2 *", "UTC", "2026-03-01T00:00:00+00:00", "2028-02-29T00:00:00+00:00"),
    ],
    ids=["next", "not the same", "microseconds", "midnight", "summer", "winter", "skipped hour", "leap day"],
)
def test_schedule_comes_next(schedule: str, zone: str, after: str, expected: str) -> None:
    assert next_tick(schedule, zone, at(after)) == at(expected)


@pytest.mark.parametrize("name", ["localtime", "posixrules", "Factory", "posix/UTC", "right/Europe/London"])
def test_time_zone_is_the_same_on_each_machine(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    utc = b"TZif" + bytes(35) + b"\1" + bytes(3) + b"\4" + bytes(6) + b"UTC\0"  # RFC 9636 §3
    zone = tmp_path / name
    zone.parent.mkdir(parents=True, exist_ok=True)
    zone.write_bytes(utc)
    monkeypatch.setattr("zoneinfo._tzpath.TZPATH", (str(tmp_path),))

    (tmp_path / "Here").write_bytes(utc)

    assert (is_zone(name), is_zone("Here")) == (False, True)


def test_schedule_does_not_come_beyond_the_end_of_the_clock() -> None:
    assert next_tick("0 0 1 1 *", "UTC", at("8999-12-31T23:00:00+00:00")) is None


def test_schedule_is_said_in_plain_words() -> None:
    assert (in_words("every 2 hours"), in_words("0 3 * * 1-5")) == (
        "Every 2 hours",
        "At 03:00 on Monday through Friday",
    )


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("0 0 31 * *", "At 00:00 on the 31st day of every month"),
        ("0 0 11,21 * *", "At 00:00 on the 11th and the 21st day of month"),
        ("*/22 0 1-23 * *", "Every 22nd minute from 00:00 through 00:59 on every day of month from 1 through 23"),
        ("*/13 * * * *", "Every 13th minute of every hour"),
    ],
)
def test_day_of_a_schedule_has_a_right_ordinal(schedule: str, words: str) -> None:
    assert in_words(schedule) == words
