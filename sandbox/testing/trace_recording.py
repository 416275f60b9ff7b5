"""The content of a trace: read from the sandbox itself, or from the lines of an export or a journal file."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict, replace
from itertools import islice, takewhile
from typing import IO, TYPE_CHECKING, Final

import msgspec

from sandbox.foundation.errors import DocumentError, InputError, cut
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event, read_event
from sandbox.journal.filter import EVERY_ENTRY
from sandbox.journal.form import read_entry
from sandbox.testing import verbs
from sandbox.web.dashboard.trace import MAX_ROWS, Recording

if TYPE_CHECKING:
    from sandbox.testing.backend import Backend

_MAX_LINE: Final = 64 * 1024 * 1024
"""Bytes of a line that is read."""

_MAX_KEPT: Final = 128 * 1024 * 1024
"""Bytes of the newest lines together."""

_MAX_SAID: Final = 200
_EXPORT: Final = "export the journal with: patchworks-sandbox export -o journal.ndjson"


def title_of(backend: Backend) -> str:
    """Return the title of what a sandbox received."""
    return f"Requests to {backend.place.known_url or 'the sandbox, of which no URL was asked for'}"


def of_sandbox(backend: Backend, note: str = "", after: int = 0) -> Recording:
    """Return what a sandbox holds: the newest requests above ``after``, the events between them, rules and settings."""
    journal = backend.journal
    newest = list(islice(takewhile(lambda entry: entry.seq > after, journal.newest_first()), MAX_ROWS))
    is_full = len(newest) == MAX_ROWS
    events = journal.events(newest[-1].seq if is_full else after)
    rules, settings = backend.do(verbs.rules()), backend.do(verbs.settings())
    return Recording(
        title_of(backend) + note,
        newest[::-1],
        [event for event in events if event.kind != "reset" or event.after],  # each test begins with one
        left_out=max(0, journal.count(EVERY_ENTRY) - len(newest)) if is_full else 0,
        dropped=journal.dropped,
        rules=rules,
        settings=settings,
        secrets=journal.secrets,
    )


def of_lines(lines: IO[bytes], name: str) -> list[Recording]:
    """Return what the newest lines of NDJSON hold: a recording for each journal, the newest first.

    Lines that were cut off are counted, as a sandbox that is killed leaves them. Raise ``DocumentError`` where a line
    is something else, or where there is no entry.
    """
    journals: dict[str, dict[int, Entry]] = {}
    events: dict[str, list[Event]] = {}
    before: list[Event] = []
    unread = 0
    kept, left_out = _newest(lines, name)
    for number, line in kept:
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            unread += 1
            continue
        try:
            row: Entry | Event
            if "event" in document:
                row = msgspec.convert(asdict(read_event(document)), Event)
            else:
                row = msgspec.convert(msgspec.to_builtins(read_entry(document), builtin_types=(bytes,)), Entry)
        except (InputError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            said = cut(f"no journal entry that this version reads ({type(error).__name__}: {error})", _MAX_SAID)
            raise DocumentError(name, number, f"{said}; {_EXPORT}") from None
        if isinstance(row, Entry):
            journals.setdefault(row.journal, {})[row.seq] = row
            events.setdefault(row.journal, before)
        else:
            (list(events.values())[-1] if events else before).append(row)
    if not journals:
        said = f"none of its {unread} lines is an entry of a journal" if unread else "it has no entry of a journal"
        raise DocumentError(name, 0, f"{said}; {_EXPORT}")
    *newer, oldest = [
        Recording(f"Requests of the journal {journal}", [found[seq] for seq in sorted(found)], events[journal])
        for journal, found in reversed(journals.items())
    ]
    return [*newer, replace(oldest, left_out=left_out, unread=unread)]


def _newest(lines: IO[bytes], name: str) -> tuple[deque[tuple[int, bytes]], int]:
    """Return the newest lines with their numbers, as many as a trace may need, and how many came before them."""
    kept: deque[tuple[int, bytes]] = deque()
    size = number = 0
    while line := lines.readline(_MAX_LINE):
        if number == 0 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DocumentError(name, 1, f"it is UTF-16, which > writes in PowerShell; {_EXPORT}")
        number += 1
        if line.isspace():
            continue
        kept.append((number, line))
        size += len(line)
        while len(kept) > MAX_ROWS or (size > _MAX_KEPT and len(kept) > 1):
            size -= len(kept.popleft()[1])
    return kept, kept[0][0] - 1 if kept else 0
