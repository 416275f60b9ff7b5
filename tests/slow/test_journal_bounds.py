"""The journal's bound in bytes, held against the memory that the journal really takes."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.journal.journal import Journal
from tests.journal.journals import exchange, journal_of

BOUND = 4 * 2**20
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


def sent_twice(number: int) -> dict[str, Any]:
    return payload(1_000)(number // 2)


def sent_twice_to_each_service(number: int) -> dict[str, Any]:
    return {**payload(1_000)(number // 14), "path": f"/v1/acme/{number % 7}"}


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
        sent_twice,
        sent_twice_to_each_service,
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

    assert used == pytest.approx([BOUND] * len(used), rel=0.10)


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
