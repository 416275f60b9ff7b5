"""What is to be sent on one event stream, a piece at a time: read from the journal when there is room, never queued."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any, Final

from sandbox.control.requests import EntrySchema, presented
from sandbox.matching import EntryFilter
from sandbox.state import Sandbox

PIECE: Final = 20
"""Entries in one piece; each is at most a few times the size of a body that a listing carries."""

HEARTBEAT: Final = b": still here\n\n"
BEGINNING: Final = b"retry: 1000\n\n"
_SCHEMA: Final = EntrySchema()


class Feed:
    """The entries that match a filter, from a cursor on and across resets.

    Belongs to one thread. ``journal_id`` is that of the journal the cursor is of; where that is not the journal of now,
    all that is new follows.
    """

    def __init__(self, sandbox: Sandbox, entry_filter: EntryFilter, after: int, journal_id: str) -> None:
        self._sandbox = sandbox
        self._filter = entry_filter
        self._after = after
        self._journal_id = journal_id

    def next(self) -> bytes:
        """Return the next piece; nothing when there is nothing new.

        A reset since the last piece is told by an event of its own, and so are entries that were dropped or cleared
        before they could be sent.
        """
        journal = self._sandbox.journal
        parts: list[bytes] = []
        if journal.id != self._journal_id:
            self._after, self._journal_id = 0, journal.id
            parts.append(_event("reset", {"journal": journal.id}))
        if (missed := journal.first_seq - 1 - self._after) > 0:
            self._after += missed
            parts.append(_event("dropped", {"missed": missed, "dropped": journal.dropped}))
        last = journal.last_seq
        entries = list(islice(journal.entries(self._filter, self._after), PIECE))
        self._after = entries[-1].seq if len(entries) == PIECE else max(last, entries[-1].seq if entries else 0)
        parts += [_event("request", _SCHEMA.dump(presented(entry, listed=True)), entry.id) for entry in entries]
        return b"".join(parts)


def _event(name: str, data: Any, id: str = "") -> bytes:
    lines = [f"id: {id}"] if id else []
    return "\n".join([*lines, f"event: {name}", f"data: {json.dumps(data)}", "", ""]).encode()
