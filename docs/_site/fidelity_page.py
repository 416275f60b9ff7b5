"""The fidelity ledger as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sandbox.platform.fidelity import TAGS, Ledger, Row


def fidelity_page(ledger: Ledger) -> str:
    """Return the ledger as the page ``docs/fidelity.md``."""
    lines = [
        "# How faithful is it?",
        "",
        "<!-- Written by `make specs` from sandbox/platform/fidelity.yaml; do not edit. -->",
        "",
        "Each row has a behaviour of the emulated API, its evidence, its source, the tests that check it and the",
        "settings that change it. Every behaviour that this project invented is marked.",
        "",
        *(f"- **{tag}** ({_count(ledger, tag)}): {meaning}" for tag, meaning in TAGS.items()),
        "",
        "A row whose parts differ in their evidence has several tags, the weakest one last.",
    ]
    for letters, chosen in _sections(ledger.rows).items():
        lines += ["", f"## {_TITLES[letters]}", "", "| row | behaviour | evidence | source | changed by |"]
        lines += ["|---|---|---|---|---|", *map(_table_row, chosen)]
    lines += ["", "## Sources", "", *(f"- **{name}**: {_linked(where)}" for name, where in ledger.sources.items()), ""]
    return "\n".join(lines)


def _count(ledger: Ledger, tag: str) -> int:
    return sum(tag in row.tags for row in ledger.rows)


_TITLES: Final = {
    "": "What the vendor's pages say, and what they leave open",
    "P": "Processing of accepted payloads",
    "PF": "Process flows",
    "PC": "The Core API of process flows",
    "W": "The wire format",
    "O": "Our own choices and inventions",
}
"""The title of each section by the letters with which the ids of its rows begin."""


def _sections(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of each section; raise ``KeyError`` for a row that belongs to none."""
    sections: dict[str, list[Row]] = {letters: [] for letters in _TITLES}
    for row in rows:
        sections[row.id.rstrip("0123456789.")].append(row)
    return sections


def _table_row(row: Row) -> str:
    cells = (
        row.id,
        row.behaviour.replace("|", "\\|") + _tests(row),
        ", ".join(f"**{tag}**" for tag in row.tags),
        ", ".join(row.sources),
        "<br>".join(f"`{name}`" for name in row.settings) or "-",
    )
    return f"| {' | '.join(cells)} |"


def _tests(row: Row) -> str:
    if not row.tests:
        return ""
    count = "1 test" if len(row.tests) == 1 else f"{len(row.tests)} tests"
    return f"<details><summary>{count}</summary>{'<br>'.join(f'`{test}`' for test in row.tests)}</details>"


def _linked(where: str) -> str:
    address, _, rest = where.partition(" ")
    return f"<{address}>{' ' + rest if rest else ''}" if address.startswith("https://") else where
