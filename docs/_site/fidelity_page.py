"""The fidelity ledger as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sandbox.platform.fidelity import TAGS, Ledger, Row


def fidelity_page(ledger: Ledger) -> str:
    """Return the ledger as the page ``docs/fidelity.md``."""
    lines = [
        "# How faithful is it?",
        "",
        "<!-- Written by `make specs` from sandbox/platform/fidelity.yaml; do not edit. -->",
        "",
        "Every behaviour of the emulated API, how it is known, the test that pins it and the setting that changes it.",
        "The page marks every behaviour that this project invented.",
        "",
        *(f"- **{tag}** ({_count(ledger, tag)}): {meaning}" for tag, meaning in TAGS.items()),
        "",
        "Where parts of a row are known differently it carries two tags, the weaker one last.",
    ]
    for title, chosen in _sections(ledger.rows):
        lines += ["", f"## {title}", "", "| row | behaviour | evidence | source | changed by |"]
        lines += ["|---|---|---|---|---|", *map(_table_row, chosen)]
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
