"""Journals, and exchanges as requests to the inbound URL leave them."""

from __future__ import annotations

from typing import Any

from sandbox.journal.entry import Entry, Exchange
from sandbox.journal.filter import EntryFilter
from sandbox.journal.journal import Journal
from sandbox.journal.request import Request

ALL = EntryFilter()


def journal_of(max_entries: int = 1000, max_bytes: int = 10**9) -> Journal:
    return Journal("abc123", max_entries, max_bytes)


def exchange(**notes: Any) -> Exchange:
    """Return an exchange as a request to the inbound URL leaves it; the notes are its fields, or its request's."""
    facts = {name: notes.pop(name) for name in Request.__struct_fields__ if name in notes}
    request = Request(**{"method": "POST", "path": "/v1/acme/orders", "remote_addr": "127.0.0.1", **facts})
    request.body_size = facts.get("body_size", len(request.body))
    given = {name: notes.pop(name, None) for name in ("company", "vanity_url", "flow", "hook")}
    subject = {name: value for name, value in given.items() if value is not None}
    times = {"received_at": 1000.0, "wall_time": 2000.0}
    return Exchange(request, **{**times, "kind": "inbound", "subject": subject, **notes})


def close(journal: Journal, body: bytes = b"", **notes: Any) -> Entry:
    return journal.close(exchange(body=body, **notes), 200, (), b"")


def seqs(journal: Journal, **page: Any) -> list[int]:
    return [entry.seq for entry in journal.page(ALL, **page).entries]
