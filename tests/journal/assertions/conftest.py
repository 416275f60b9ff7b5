"""Journals that are written by hand: what matters is what is in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.journal.assertions.verify import View
from sandbox.journal.assertions.view import JournalRecorder, Received
from sandbox.journal.entry import Entry
from sandbox.journal.filter import EntryFilter
from sandbox.journal.journal import Journal
from tests.journal.journals import exchange as made

ORDERS = EntryFilter(kind="inbound", company="acme", vanity_url="orders")
Record = Callable[..., Entry]


class Recorded:
    """A sandbox that is nothing but its journal, of at most ten entries."""

    def __init__(self, max_entries: int) -> None:
        self.journal = Journal("j", max_entries, 10**9)

    def record(self, payload: Any = None, *, body: bytes | None = None, status: int = 200, **changes: Any) -> Entry:
        content = json.dumps(payload).encode() if body is None else body
        notes = {"company": "acme", "vanity_url": "orders", "accepted": status == 200, "wall_time": 1000.0, **changes}
        exchange = made(body=content, body_size=0, remote_addr="", **notes)
        return self.journal.close(exchange, status, (), b"")


@pytest.fixture
def recorded() -> Recorded:
    return Recorded(max_entries=1000)


@pytest.fixture
def small() -> Recorded:
    """One whose journal drops all but the two newest entries."""
    return Recorded(max_entries=2)


def orders_of(recorded: Recorded) -> Received:
    return Received(JournalRecorder(recorded), View(ORDERS, only_accepted=True))


@pytest.fixture
def orders(recorded: Recorded) -> Received:
    return orders_of(recorded)
