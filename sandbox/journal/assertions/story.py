"""The story of a test, a line a request, for the report of a failed test and for ``--patchworks-log``.

Many people may read the log of a CI, so the story redacts bodies too that the journal keeps byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from sandbox.foundation.clock import span
from sandbox.foundation.errors import cut
from sandbox.journal.assertions.report import entry_line
from sandbox.journal.assertions.source import EntrySource
from sandbox.journal.endpoint import PAYLOADS
from sandbox.journal.entry import Entry, clock_jump_s
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


def story(journal: EntrySource, max_entries: int | None = MAX_ENTRIES, marks: Marks | None = None) -> str:
    """Return the newest entries, oldest first, and how many older ones are left out; without a maximum all entries."""
    newest = [*islice(journal.newest_first(), max_entries)][::-1]
    lines = list(_lines(newest, journal.secrets, marks))
    left_out = journal.count(EVERY_ENTRY) - len(newest) if len(newest) == max_entries else 0
    if left_out > 0:
        lines.insert(0, f"({left_out} earlier requests left out)")
    if journal.dropped:
        lines.append(f"({journal.dropped} older entries were dropped because the journal was full)")
    return "\n".join(lines) or "no request was received"


def _lines(entries: Iterable[Entry], secrets: KnownSecrets, marks: Marks | None) -> Iterator[str]:
    before: Entry | None = None
    for entry in entries:
        if before is not None and (jump := clock_jump_s(before, entry)):
            yield f"({span(jump)} {'later' if jump > 0 else 'earlier'} on the sandbox clock)"
        before = entry
        marked = "" if marks is None else "".join(f" ! {mark}" for mark in marks(entry))
        yield cut(entry_line(entry), _LINE) + marked
        if entry.kind in PAYLOADS and entry.body:
            yield f"    {_preview(entry, secrets)}"


def _preview(entry: Entry, secrets: KnownSecrets) -> str:
    body = redact_body(entry.body[:_SEARCHED], secrets)  # cut after that, because half a secret is one
    text = body.decode("utf-8", "replace")
    shown = cut("".join(char if char.isprintable() else "·" for char in " ".join(text.split())), _BODY)
    return shown if len(entry.body) <= _BODY else f"{shown} ({entry.body_size} bytes)"
