"""Journals, and exchanges as requests to the inbound URL leave them."""

from __future__ import annotations

from typing import Any

from sandbox.journal.filter import EntryFilter
from sandbox.journal.journal import Entry, Exchange, Journal

ALL = EntryFilter()


def journal_of(max_entries: int = 1000, max_bytes: int = 10**9) -> Journal:
    return Journal("abc123", lambda: max_entries, lambda: max_bytes)


def exchange(**notes: Any) -> Exchange:
    """Return an exchange as a request to the inbound URL leaves it."""
    made = Exchange(
        method=notes.pop("method", "POST"),
        path=notes.pop("path", "/v1/acme/orders"),
        query=notes.pop("query", ""),
        headers=notes.pop("headers", ()),
        remote_addr="127.0.0.1",
        received_at=notes.pop("received_at", 1000.0),
        wall_time=notes.pop("wall_time", 2000.0),
    )
    for name, value in {"kind": "inbound", **notes}.items():
        setattr(made, name, value)
    return made


def close(journal: Journal, body: bytes = b"", **notes: Any) -> Entry:
    return journal.close(exchange(body=body, body_size=len(body), **notes), 200, (), b"")


def seqs(journal: Journal, **page: Any) -> list[int]:
    return [entry.seq for entry in journal.page(ALL, **page).entries]
