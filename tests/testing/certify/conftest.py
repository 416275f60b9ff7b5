"""Runs made of entries, as if a client had been in a storm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from sandbox.testing.certify.run import Outcome, Run
from sandbox.testing.certify.storms import Storm, load_storms
from tests.journal.journals import exchange, journal_of

MakeRun = Callable[..., Run]
STORMS = load_storms()


@pytest.fixture
def made() -> MakeRun:
    """Make a run of a storm from requests: ``t`` a token request, or the number of a payload, and notes of its entry.

    ``at`` is the time of the request in seconds.
    """

    def make(*requests: tuple[Any, ...], storm: str | Storm = "calm", calm: Run | None = None, **outcome: Any) -> Run:
        journal = journal_of()
        for what, at, *more in requests:
            notes: dict[str, Any] = dict(more[0]) if more else {}
            status, headers = notes.pop("status", 200), notes.pop("response_headers", ())
            kind = "token" if what == "t" else "inbound"
            facts = {"kind": kind, "accepted": status == 200, "wall_time": 100.0 + at, "received_at": 100.0 + at}
            body = b"" if what == "t" else f'{{"order": {what}}}'.encode()
            subject = {} if what == "t" else {"company": "acme", "vanity_url": "orders"}
            journal.close(exchange(**{**facts, **subject, "body": body, **notes}), status, headers, b"{}")
        entries = [replace(entry, duration_ms=0.0) for entry in journal.entries()]
        ended = {"exit_code": 0, "seconds": 9.0, **outcome}
        closed = ended.pop("closed", {})
        entries = [
            replace(entry, closed_after_ms=closed[entry.seq] * 1000) if entry.seq in closed else entry
            for entry in entries
        ]
        return Run(storm if isinstance(storm, Storm) else STORMS[storm], entries, (), Outcome(**ended), None, calm)

    return make
