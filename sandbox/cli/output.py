"""Columns and JSON for commands to print, without characters that a terminal would take for a command."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import click

from sandbox.foundation.printable import escape_unprintable, replace_unprintable
from sandbox.foundation.strict_json import write_json

JSON_OPTION: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def json_text(value: object, indent: int | None = None) -> str:
    """Return a value as JSON that stays JSON on standard output: in ASCII where that is not UTF-8.

    A character that a terminal would take for a command is written as an escape.
    """
    encoding = (sys.stdout.encoding or "").lower().replace("_", "-")
    lines = write_json(value, indent=indent, ascii=encoding not in ("utf-8", "utf8")).split("\n")
    return "\n".join(map(escape_unprintable, lines))


def printable(value: object) -> str:
    """Return a value on one line, without characters that move a cursor or change a title."""
    return "-" if value is None else replace_unprintable(str(value))


def printable_lines(text: str) -> str:
    """Return text with its lines and tabs, without other characters that act upon a terminal."""
    return "\n".join(printable(line.expandtabs(4)) for line in text.splitlines())


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return columns as wide as their longest cells."""
    cells = [list(titles), *([printable(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def print_json(value: object) -> None:
    """Print a value as JSON on several lines."""
    click.echo(json_text(value, indent=2))


class UnusableError(click.ClickException):
    """Something that a command was given cannot be used; the exit code is that of wrong usage."""

    exit_code = 2


@contextmanager
def refusals() -> Iterator[None]:
    """Report with exit code 2 what is refused, and what cannot be read or written."""
    from sandbox.foundation.errors import SandboxError

    try:
        yield
    except SandboxError as error:
        raise UnusableError(printable_lines(str(error))) from None
    except OSError as error:
        why = error.strerror or str(error)
        raise UnusableError(printable(f"{error.filename}: {why}" if error.filename else why)) from None
