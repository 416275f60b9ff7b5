"""The fidelity ledger: how each behaviour of the sandbox is known, which test pins it and which setting changes it.

``fidelity.yaml`` beside this module is the one table; the page in the documentation, the command and the control API
are made from it. Docstrings cite its rows as ``FACTS 1.14``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any, Final

import yaml

TAGS: Final = {
    "documented": "stated on an official page",
    "framework": "follows from the platform's published stack, recorded from real applications",
    "unconfirmed": "seen in public material that the vendor has not confirmed, or a plausible reading",
    "undefined": "nobody outside knows: our choice",
    "ours": "an invention of the sandbox",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One behaviour. ``tests`` are node ids below ``tests/``; several tags: parts are known differently."""

    id: str
    behaviour: str
    tags: tuple[str, ...]
    sources: tuple[str, ...]
    tests: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """All rows, and where each source is."""

    rows: tuple[Row, ...]
    sources: dict[str, str]


def load_ledger() -> Ledger:
    """Read the table."""
    document = yaml.safe_load(files("sandbox").joinpath("fidelity.yaml").read_text(encoding="utf-8"))
    rows = tuple(Row(**{key: _value(value) for key, value in row.items()}) for row in document["rows"])
    return Ledger(rows, document["sources"])


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def as_markdown(ledger: Ledger) -> str:
    """Return the ledger as the page ``docs/fidelity.md``."""
    lines = [
        "# How faithful is it?",
        "",
        "<!-- Written by `make specs` from sandbox/fidelity.yaml; do not edit. -->",
        "",
        "Every behaviour of the emulated API, how it is known, the test that pins it and the setting that changes it.",
        "Nothing that the sandbox invents passes for behaviour of Patchworks.",
        "",
        *(f"- **{tag}** ({_count(ledger, tag)}): {meaning}" for tag, meaning in TAGS.items()),
        "",
        "Where parts of a row are known differently it carries two tags, the weaker one last.",
    ]
    for title, chosen in _sections(ledger.rows):
        lines += ["", f"## {title}", "", "| | behaviour | evidence | source | pinned by | changed by |"]
        lines += ["|---|---|---|---|---|---|", *map(_table_row, chosen)]
    lines += ["", "## Sources", "", *(f"- **{name}**: {_linked(where)}" for name, where in ledger.sources.items()), ""]
    return "\n".join(lines)


def _count(ledger: Ledger, tag: str) -> int:
    return sum(tag in row.tags for row in ledger.rows)


def _sections(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    by_prefix = partial(_rows_with_prefix, rows)
    return [
        ("What the vendor's pages say, and what they leave open", by_prefix("1", "2")),
        ("The wire format", by_prefix("W")),
        ("Our own choices and inventions", by_prefix("O")),
    ]


def _rows_with_prefix(rows: Sequence[Row], *prefixes: str) -> list[Row]:
    return [row for row in rows if row.id.startswith(prefixes)]


def _table_row(row: Row) -> str:
    cells = (
        row.id,
        row.behaviour.replace("|", "\\|"),
        ", ".join(row.tags),
        ", ".join(row.sources),
        "<br>".join(f"`{test}`" for test in row.tests) or "-",
        "<br>".join(f"`{name}`" for name in row.settings) or "-",
    )
    return f"| {' | '.join(cells)} |"


def _linked(where: str) -> str:
    address, _, rest = where.partition(" ")
    return f"<{address}>{' ' + rest if rest else ''}" if address.startswith("https://") else where


def as_text(ledger: Ledger) -> str:
    """Return the ledger for a terminal, a behaviour a paragraph."""
    return "\n\n".join(
        "\n".join(
            [
                f"{row.id:>5}  {row.behaviour}",
                f"       {', '.join(row.tags)} ({', '.join(row.sources)})",
                *([f"       changed by: {', '.join(row.settings)}"] if row.settings else []),
            ]
        )
        for row in ledger.rows
    )
