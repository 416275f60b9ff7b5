"""Attempts: the requests that carry one payload, and the time between them."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.foundation.errors import InvalidValueError
from sandbox.journal.attempts import Repetitions, find_attempts
from sandbox.journal.entry import Entry
from tests.journal.journals import exchange, journal_of


def entries_of(*notes: dict[str, Any]) -> list[Entry]:
    """Return entries that were answered at once."""
    journal = journal_of()
    for each in notes:
        status = each.pop("status", 200)
        started = {"vanity_url": "orders", "company": "acme", **each}
        journal.close(exchange(**started), status, (), b"")
    from msgspec.structs import replace

    return [replace(entry, duration_ms=0.0) for entry in journal.entries()]


def test_attempts_of_a_payload_are_one_line_with_the_gaps_between_them() -> None:
    found = find_attempts(
        entries_of(
            {"body": b'{"a": 1}', "wall_time": 10.0, "status": 503},
            {"body": b'{"b": 1}', "wall_time": 10.5, "accepted": True},
            {"body": b'{"a":1}', "wall_time": 11.0, "status": 503, "delay_ms": 500.0},
            {"body": b'{"a": 1}', "wall_time": 13.5, "accepted": True},
        )
    )

    assert [attempts.line for attempts in found] == ["503 ·1.0 s· 503 ·2.0 s· 200 stored"]
    assert (found[0].gaps_s, found[0].stored) == ((1.0, 2.0), 1)


def test_attempt_without_an_answer_is_called_by_its_fault() -> None:
    body = {"body": b"{}", "wall_time": 1.0}
    journal = journal_of()
    journal.close(exchange(**body, fault="f", effect="hang: no answer", accepted=True), 0, (), b"")
    journal.note_hang_up(1, 2.0)
    journal.close(exchange(**{**body, "wall_time": 4.5}), 401, (), b"")

    assert find_attempts(journal.entries())[0].line == "hang hung up after 2.0 s stored ·1.5 s· 401"


def test_attempts_that_overlap_have_no_gap() -> None:
    (found,) = find_attempts(
        entries_of({"body": b"1", "wall_time": 1.0, "delay_ms": 5000.0}, {"body": b"1", "wall_time": 2.0})
    )

    assert found.gaps_s == (0.0,)


@pytest.mark.parametrize(
    ("notes", "keys"),
    [({"by": "bytes"}, []), ({}, [None]), ({"json_path": "$.n"}, [1]), ({"at_least": 1, "by": "bytes"}, [None, None])],
)
def test_payloads_are_alike_as_asked(notes: dict[str, Any], keys: list[object]) -> None:
    entries = entries_of({"body": b'{"n": 1}'}, {"body": b'{ "n":1}'})

    assert [attempts.key for attempts in find_attempts(entries, **notes)] == keys


def test_payloads_of_other_services_and_token_requests_are_others() -> None:
    body = {"body": b"{}"}

    assert not find_attempts(entries_of(body.copy(), {**body, "vanity_url": "x"}, {**body, "kind": "token"}))


def test_way_to_be_alike_must_fit() -> None:
    with pytest.raises(InvalidValueError, match="json_path"):
        find_attempts([], "bytes", "$.n")


def test_repetition_says_which_attempt_an_entry_is() -> None:
    repetitions = Repetitions()
    entries = entries_of(
        {"body": b"a", "wall_time": 1.0}, {"body": b"b", "wall_time": 2.0}, {"body": b"a", "wall_time": 3.5}
    )

    assert [str(repetitions.mark(entry)) for entry in entries] == ["None", "None", "attempt 2, 2.5 s after #1"]


@pytest.mark.parametrize("notes", [{"body": b""}, {"body": b"a", "kind": "token"}], ids=["no body", "token request"])
def test_request_without_a_payload_repeats_none(notes: dict[str, Any]) -> None:
    repetitions = Repetitions()

    assert [repetitions.mark(entry) for entry in entries_of(notes.copy(), notes.copy())] == [None, None]


@pytest.mark.parametrize(("count", "line"), [(10, "200" + " ·1.0 s· 200" * 9), (13, None)])
def test_many_attempts_are_counted_in_the_middle(count: int, line: str | None) -> None:
    (found,) = find_attempts(entries_of(*({"body": b"1", "wall_time": float(at)} for at in range(count))))

    assert found.line == (line or "200" + " ·1.0 s· 200" * 8 + " · 3 more · ·1.0 s· 200")
