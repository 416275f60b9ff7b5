"""Waiting wakes at once, is not fooled by frozen time, and ends when nothing can come any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from freezegun import freeze_time

from sandbox import Sandbox
from sandbox.foundation.errors import WaitInterruptedError
from sandbox.journal.assertions.view import NotReceivedError, Received
from sandbox.journal.entry import Entry
from sandbox.journal.filter import EVERY_ENTRY, EntryFilter
from sandbox.journal.journal import Journal
from tests.journal.assertions.conftest import ORDERS, Recorded

PATIENCE_S = 10.0
AT_ONCE_S = 3.0
"""What "at once" may take on a busy machine; a wait that nobody woke takes all of its time."""


@pytest.fixture
def start() -> Any:
    """Run functions in threads of their own."""
    with ThreadPoolExecutor() as pool:
        yield pool.submit


def when_waiting(journal: Journal) -> None:
    """Return once somebody waits on a journal."""
    never = threading.Event()
    for _ in range(5_000):
        if journal.waiting.followers:
            return
        never.wait(0.002)
    pytest.fail("nobody waits")


def test_what_is_there_already_is_returned_without_waiting(recorded: Recorded, orders: Received) -> None:
    entries = [recorded.record(number) for number in (1, 2, 3)]

    assert orders.wait_for(2, timeout=0) == entries[:2]


def test_wait_ends_with_the_entry_that_completes_it(
    recorded: Recorded, orders: Received, start: Callable[..., Future[list[Entry]]]
) -> None:
    waiting = start(orders.wait_for, 2, PATIENCE_S, json_contains={"a": 1})
    recorded.record({"a": 1})
    recorded.record({"a": 2})
    recorded.record({"a": 1}, status=422)
    when_waiting(recorded.journal)
    assert not waiting.done()
    recorded.record({"a": 1})

    assert [entry.seq for entry in waiting.result(AT_ONCE_S)] == [1, 4]


def test_each_entry_is_looked_at_once_however_often_a_wait_wakes(
    recorded: Recorded, start: Callable[..., Future[list[Entry]]]
) -> None:
    looked_at: list[int] = []

    def third(entry: Entry) -> bool:
        looked_at.append(entry.seq)
        return entry.seq == 3

    waiting = start(recorded.journal.wait, ORDERS, 1, PATIENCE_S, matches=third)
    for number in range(3):
        when_waiting(recorded.journal)
        recorded.record(number)
    waiting.result(PATIENCE_S)

    assert looked_at == [1, 2, 3]


def test_many_who_wait_are_all_woken(recorded: Recorded, orders: Received) -> None:
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(orders.wait_for, count, PATIENCE_S) for count in range(1, 21)]
        for number in range(20):
            recorded.record(number)

        assert [len(found.result(AT_ONCE_S)) for found in waiting] == list(range(1, 21))


def test_time_is_up_with_a_message_that_tells_what_came(recorded: Recorded, orders: Received) -> None:
    recorded.record(1)
    with pytest.raises(NotReceivedError) as failure:
        orders.wait_for(2, timeout=0.01)

    assert str(failure.value).splitlines()[:2] == [
        "expected at least 2 accepted requests to /v1/acme/orders within 0.01 s",
        "but 1 of 1 match: #1",
    ]


def test_wait_ends_in_time_although_a_test_froze_it(orders: Received) -> None:
    with freeze_time("2026-11-23"), pytest.raises(NotReceivedError):
        orders.wait_for(timeout=0.01)


def test_cursor_leaves_out_what_was_seen(recorded: Recorded) -> None:
    entries = [recorded.record(number) for number in (1, 2)]

    assert recorded.journal.wait(ORDERS, 1, 0, after=entries[0].seq) == entries[1:]
    assert recorded.journal.wait(ORDERS, 1, 0, after=entries[1].seq) == []


@pytest.mark.parametrize(
    ("interrupt", "why"),
    [
        (lambda sandbox: sandbox.reset(), "the sandbox was reset"),
        (lambda sandbox: sandbox.journal.waiting.interrupt("the server is stopping"), "the server is stopping"),
    ],
    ids=["reset", "shutdown"],
)
def test_wait_is_interrupted(
    sandbox: Sandbox, start: Callable[..., Future[Any]], interrupt: Callable[[Sandbox], object], why: str
) -> None:
    waiting = start(sandbox.journal.wait, EVERY_ENTRY, 1, PATIENCE_S)
    when_waiting(sandbox.journal)
    interrupt(sandbox)

    with pytest.raises(WaitInterruptedError, match=why):
        waiting.result(AT_ONCE_S)


def test_who_waits_on_a_journal_of_before_a_reset_is_told_at_once(sandbox: Sandbox) -> None:
    before = sandbox.journal
    sandbox.reset()

    with pytest.raises(WaitInterruptedError):
        before.wait(EVERY_ENTRY, 1, PATIENCE_S)


def test_journal_can_be_waited_on_again_after_an_interruption(recorded: Recorded) -> None:
    recorded.journal.waiting.interrupt("the server is stopping")
    recorded.record(1)

    assert len(recorded.journal.wait(EVERY_ENTRY, 1, PATIENCE_S)) == 1


@pytest.mark.parametrize(
    "entry_filter",
    [
        EntryFilter(),
        EntryFilter(kind="inbound"),
        EntryFilter(company="acme", outcome="rejected"),
        EntryFilter(vanity_url="orders", status=200),
        EntryFilter(client_id="c1"),
        EntryFilter(client_id="nobody"),
        EntryFilter(accepted=True),
    ],
    ids=str,
)
def test_index_finds_what_a_look_at_every_entry_finds(entry_filter: EntryFilter) -> None:
    recorded = Recorded(max_entries=700)
    for number in range(2_000):
        recorded.record(
            number,
            status=200 if number % 3 else 401,
            kind="token" if number % 5 == 0 else "inbound",
            company="acme" if number % 2 else "other",
            vanity_url=None if number % 5 == 0 else f"v{number % 7}" if number % 11 else "orders",
            client_id=f"c{number % 4}",
        )
    journal = recorded.journal
    expected = [entry for entry in journal.snapshot() if entry_filter.matches(entry)]

    assert list(journal.entries(entry_filter)) == expected
    assert list(journal.newest_first(entry_filter)) == expected[::-1]
    assert list(journal.entries(entry_filter, after=1_700)) == [entry for entry in expected if entry.seq > 1_700]
    assert journal.count(entry_filter) == len(expected)
    assert journal.dropped == 1_300


def test_values_dropped_with_their_last_entry_leave_no_index_behind() -> None:
    recorded = Recorded(max_entries=10)
    for number in range(30_000):
        recorded.record(1, vanity_url=f"v{number}")

    index = recorded.journal._index
    assert sum(map(len, index._tables.values())) <= 10 + 5
    assert len(index._drops) <= 10_000 + 5
    assert recorded.journal.dropped_at_most(EntryFilter(vanity_url="never")) <= recorded.journal.dropped


def test_equal_entries_share_what_is_equal(recorded: Recorded) -> None:
    def record() -> Entry:
        headers = (("Accept", bytes([42, 47, 42]).decode()), ("X-Trace", "1"))
        return recorded.record(1, path=b"/v1/acme/orders".decode(), headers=headers)

    first, second = record(), record()

    assert first.headers is second.headers
    assert first.path is second.path
    assert first.response_body is second.response_body
