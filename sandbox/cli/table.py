"""The text that commands print: columns without control characters, and JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from sandbox.foundation.strict_json import write_json


def json_text(value: object, indent: int | None = None) -> str:
    """Return a value as JSON that stays JSON on standard output: in ASCII where that is not UTF-8."""
    encoding = (sys.stdout.encoding or "").lower().replace("_", "-")
    return write_json(value, indent=indent, ascii=encoding not in ("utf-8", "utf8"))


def printable(value: object) -> str:
    """Return a value on one line; what is received may hold what moves a cursor or changes a title."""
    text = "-" if value is None else str(value)
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def printable_lines(text: str) -> str:
    """Return text with its lines and tabs, and nothing else that is no character."""
    return "\n".join(printable(line.expandtabs(4)) for line in text.splitlines())


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return columns that are as wide as they have to be."""
    cells = [list(titles), *([printable(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )
