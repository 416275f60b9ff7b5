"""The story of a test: requests and events, for the report of a failed test and for ``--patchworks-log``.

Many people may read the log of a CI, so the story redacts bodies too that the journal keeps byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, takewhile
from typing import Final

from sandbox.foundation.errors import cut
from sandbox.foundation.instants import span
from sandbox.foundation.printable import replace_unprintable
from sandbox.journal.assertions.failure_message import entry_line
from sandbox.journal.assertions.verify import EntrySource
from sandbox.journal.attempts import Repetitions
from sandbox.journal.endpoint_kind import PAYLOADS
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event, interleaved, jumps_s
from sandbox.journal.filter import EVERY_ENTRY
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.journal.redaction import redact_body

MAX_ENTRIES: Final = 20
_BODY: Final = 100
_SEARCHED: Final = 64 * 1024
"""Bytes of a body that are searched for secrets, of which the first characters are shown."""

_LINE: Final = 160


Marks = Callable[[Entry], Iterable[str]]
"""Returns words with which the line of an entry ends."""


def story(
    journal: EntrySource, max_entries: int | None = MAX_ENTRIES, marks: Marks | None = None, *, after: int = 0
) -> str:
    """Return the newest entries, oldest first, and how many older ones are left out; without a maximum all entries.

    ``after``: only entries with a number above it.
    """
    wanted = takewhile(lambda entry: entry.seq > after, journal.newest_first())
    newest = [*islice(wanted, max_entries)][::-1]
    lines = list(_lines(newest, _events(journal, newest, max_entries, after), journal.secrets, marks))
    left_out = journal.count(EVERY_ENTRY) - len(newest) if len(newest) == max_entries and not after else 0
    if left_out > 0:
        lines.insert(0, f"({left_out} earlier requests left out)")
    if journal.dropped:
        lines.append(f"({journal.dropped} older entries were dropped because the journal was full)")
    if not newest:
        lines.append("no request was received")
    return "\n".join(lines)


def _events(journal: EntrySource, newest: Sequence[Entry], max_entries: int | None, after: int) -> list[Event]:
    """Return the events between the entries. The reset before the first is none: every test begins with one."""
    is_cut = newest and len(newest) == max_entries
    events = [event for event in journal.events(newest[0].seq - 1 if is_cut else after) if event.kind != "reset"]
    return events if max_entries is None else events[-max_entries:]


def _lines(
    entries: Iterable[Entry], events: Sequence[Event], secrets: KnownSecrets, marks: Marks | None
) -> Iterator[str]:
    repetitions = Repetitions()
    for row, jump in jumps_s(interleaved(entries, events)):
        if isinstance(row, Event):
            yield cut(f"({row.text})", _LINE)
            continue
        if jump:
            yield f"({span(jump)} {'later' if jump > 0 else 'earlier'} on the sandbox clock)"
        again = repetitions.mark(row)
        marked = "" if marks is None else "".join(f" ! {mark}" for mark in marks(row))
        yield cut(entry_line(row) + (f" ({again})" if again else ""), _LINE) + marked
        if row.kind in PAYLOADS and row.body:
            yield f"    {_preview(row, secrets)}"


def _preview(entry: Entry, secrets: KnownSecrets) -> str:
    body = redact_body(entry.body[:_SEARCHED], secrets)  # cut after that, because half a secret is one
    text = body.decode("utf-8", "replace")
    shown = cut(replace_unprintable(" ".join(text.split()), "·"), _BODY)
    return shown if len(entry.body) <= _BODY else f"{shown} ({entry.body_size} bytes)"
