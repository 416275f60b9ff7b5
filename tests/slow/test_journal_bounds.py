"""The journal's bounds: how many entries, and how many bytes, which is about what they really take."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.journal.journal import Journal
from tests.journal.journals import ALL, close, exchange, journal_of, seqs

BOUND = 4 * 2**20


def test_oldest_are_dropped_beyond_the_count_and_counted() -> None:
    journal = journal_of(max_entries=3)
    for _ in range(5):
        close(journal)

    assert seqs(journal) == [3, 4, 5]
    assert (len(journal), journal.dropped) == (3, 2)
    assert journal.page(ALL).dropped == 2


def test_oldest_are_dropped_beyond_the_bytes_and_counted() -> None:
    journal = journal_of(max_bytes=350_000)
    for _ in range(5):
        close(journal, b"x" * 100_000)

    assert seqs(journal) == [3, 4, 5]
    assert journal.dropped == 2
    assert 300_000 < journal.bytes <= 350_000


def test_newest_entry_stays_however_large_it_is() -> None:
    journal = journal_of(max_bytes=1)
    close(journal, b"a")
    close(journal, b"x" * 100_000)

    assert seqs(journal) == [2]
    assert journal.get("abc123-2").body_size == 100_000


def test_bytes_count_bodies_answers_and_headers_and_come_back_when_dropped() -> None:
    journal = journal_of(max_entries=1)
    close(journal)
    smallest = journal.bytes
    made = exchange(body=b"x" * 10_000, headers=(("A", "b" * 1_000),), query="q" * 100_000)
    journal.close(made, 200, (("E", "f" * 1_000_000),), b"y" * 10_000_000)

    assert 11_111_000 <= journal.bytes - smallest < 11_200_000
    close(journal)
    assert journal.bytes - smallest < 1_100_000  # headers may stay, to be shared


def test_emptied_journal_keeps_nothing_that_it_does_not_count() -> None:
    journal = journal_of()
    close(journal, headers=(("A", "b" * 1_000),))
    before = journal.bytes
    journal.clear()
    close(journal, headers=(("A", "b" * 1_000),))

    assert journal.bytes == before


def test_bounds_are_read_anew_at_each_entry() -> None:
    bound = [5]
    journal = Journal("abc", lambda: bound[0], lambda: 10**9)
    for _ in range(5):
        close(journal)
    bound[0] = 2
    close(journal)

    assert seqs(journal) == [5, 6]


def test_memory_of_dropped_entries_is_given_back() -> None:
    journal = journal_of(max_entries=10)
    for _ in range(2_100):
        close(journal)

    assert len(list(journal.snapshot())) == len(journal) == 10
    assert seqs(journal) == list(range(2_091, 2_101))
    assert seqs(journal, after=2_095) == list(range(2_096, 2_101))
    assert journal.get("abc123-2100").seq == 2_100
    assert journal.dropped == 2_090


# --- bytes, held against what is used -------------------------------------------------------------------------------

HEADERS = (
    ("Host", "127.0.0.1:8025"),
    ("User-Agent", "python-requests/2.32.5"),
    ("Accept", "*/*"),
    ("Authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln"),
    ("Content-Type", "application/json"),
)
ACCEPTED = {"headers": HEADERS, "company": "acme", "vanity_url": "orders", "client_id": "c1", "accepted": True}

OTHER = {"kind": "other", "company": None, "vanity_url": None, "client_id": None, "accepted": False}


def payload(length: int) -> Callable[[int], dict[str, Any]]:
    return lambda number: {"body": f"{number:0>{length}}".encode()[:length]}


def rejected(number: int) -> dict[str, Any]:
    return {"accepted": False, "body": f"{number:0>30}".encode(), "reason": f"token_expired: {number} s ago"}


def unknown_path(number: int) -> dict[str, Any]:
    return {**OTHER, "path": f"/{number}", "reason": f"no_route: /{number}"}


def long_path(number: int) -> dict[str, Any]:
    return {**OTHER, "path": f"/{number:0>4000}"}


def own_header(number: int) -> dict[str, Any]:
    return {
        "body": f"{number:0>30}".encode(),
        "headers": (*HEADERS, (b"Idempotency-Key".decode(), f"{number:0>36}")),
    }


def large_with_own_headers(number: int) -> dict[str, Any]:
    own = tuple((f"X-Own-{at}", f"{number:0>200}") for at in range(15))
    return {"body": f"{number:0>15000}".encode(), "headers": (*HEADERS, *own)}


def unknown_service(number: int) -> dict[str, Any]:
    name = f"{number:0>30}"
    described = {"kind": "inbound", "company": "acme", "vanity_url": name, "path": f"/v1/acme/{name}"}
    return {**OTHER, **described, "reason": f"unknown_service: no service at acme/{name}"}


def unknown_client(number: int) -> dict[str, Any]:
    return {**OTHER, "kind": "token", "client_id": f"{number:0>36}", "body": f"{number:0>30}".encode()}


@pytest.mark.parametrize(
    "notes",
    [
        pytest.param(payload(0), id="no body"),
        pytest.param(payload(100), id="100 bytes"),
        pytest.param(payload(1_000), id="1 KB"),
        pytest.param(payload(16_000), id="16 KB"),
        rejected,
        unknown_path,
        long_path,
        own_header,
        large_with_own_headers,
        unknown_service,
        unknown_client,
    ],
)
def test_bound_in_bytes_is_what_the_journal_takes_once_full_and_ever_after(
    notes: Callable[[int], dict[str, Any]],
) -> None:
    used = taken_when_full_and_later(notes)

    assert used == pytest.approx([BOUND] * len(used), rel=0.05)


def taken_when_full_and_later(notes: Callable[[int], dict[str, Any]]) -> list[int]:
    """Return how many bytes a bounded journal takes when its first entry is dropped, and as more are."""
    fill(journal_of(10**9, 10_000), notes)  # what is made once does not count
    journal = journal_of(10**9, BOUND)
    gc.collect()  # what Python keeps of what is free would be taken without a trace
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        fill(journal, notes)
        used = [taken() - before]
        held = len(journal)
        for part in range(1, 5):  # what dropped entries leave behind comes and goes
            fill(journal, notes, dropped=held * part // 3)
            used.append(taken() - before)
    finally:
        tracemalloc.stop()
    return used


def taken() -> int:
    gc.collect()  # of what is free, Python keeps some for later
    return tracemalloc.get_traced_memory()[0]


def fill(journal: Journal, notes: Callable[[int], dict[str, Any]], dropped: int = 1) -> None:
    """Close exchanges until so many are dropped; each has values of its own, as one that was received has."""
    number = journal.last_seq
    while journal.dropped < dropped:
        described = {**ACCEPTED, "received_at": 1.7e9 + number / 7, "wall_time": 1.8e9 + number / 7, **notes(number)}
        described["body_size"] = len(described.get("body", b""))
        answer = json.dumps({"message": "Payload stored successfully."}).encode()
        journal.close(exchange(**described), 200, (("Content-Type", "application/json"),), answer)
        number += 1
