"""NDJSON: a journal entry a line, in the shape in which the control API shows one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from sandbox.journal.entry import Entry
from sandbox.journal.form import shown


def as_ndjson(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the lines of an NDJSON file."""
    return map(as_line, entries)


def as_line(entry: Entry) -> str:
    """Return an entry as a line of JSON, in ASCII, with the newline that ends it."""
    document = shown(entry)
    try:
        return json.dumps(document, allow_nan=False) + "\n"
    except ValueError:  # 1e999 is JSON, and infinity to Python, which JSON has no word for
        return json.dumps({**document, "json": None}) + "\n"
