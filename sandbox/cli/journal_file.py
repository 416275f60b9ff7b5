"""Reading a journal file back, where no sandbox runs any more that could be asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click


def read_entries(path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """Yield the matching entries of a journal file or an NDJSON export, as the control API shows them.

    A line that a kill cut off is left out, and told: its request was never answered. Raise ``InvalidValueError`` for a
    filter that cannot be, and ``click.ClickException`` for a file that is no journal.
    """
    from sandbox.clock import parse_instant
    from sandbox.matching import EntryFilter
    from sandbox.remote.reading import read_entry

    for name in ("since", "until"):
        if query[name] is not None:
            query[name] = parse_instant(query[name], name).timestamp()
    entry_filter = EntryFilter(**query)
    cut_off = whole = 0
    with Path(path).open("rb") as lines:
        for line in filter(bytes.strip, lines):
            try:
                document = json.loads(line)
                entry = read_entry(document)
            except (ValueError, LookupError, TypeError, AttributeError):
                cut_off += 1
                continue
            whole += 1
            if entry_filter.matches(entry):
                yield document
    if cut_off and not whole:
        raise click.ClickException(f"{path} is no journal file and no NDJSON export")
    if cut_off:
        click.echo(
            f"Not read: {cut_off} cut off when a sandbox was killed, whose requests were never answered.", err=True
        )
