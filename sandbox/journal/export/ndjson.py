"""NDJSON: a journal entry a line, in the shape in which the control API shows one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sandbox.foundation.strict_json import write_json
from sandbox.journal.entry import Entry
from sandbox.journal.form import shown


def as_ndjson(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the lines of an NDJSON file."""
    return map(as_line, entries)


def as_line(entry: Entry) -> str:
    """Return an entry as a line of JSON, in ASCII, with the newline that ends it."""
    return write_json(shown(entry)) + "\n"
