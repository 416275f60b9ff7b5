"""The fidelity ledger: how each behaviour of the sandbox is known, which test pins it and which setting changes it.

``fidelity.yaml`` beside this module is the one table; the page in the documentation, the command and the control API
are made from it. Docstrings cite its rows as ``FACTS 1.14``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import msgspec.yaml

TAGS: Final = {
    "documented": "stated on an official page",
    "framework": "follows from the platform's published stack, recorded from real applications",
    "unconfirmed": "seen in public material that the vendor has not confirmed, or a plausible reading",
    "announced": "an official page says that it is coming; its form is our choice",
    "undefined": "unknown outside Patchworks: our choice",
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
    """All rows, and the address of each source."""

    rows: tuple[Row, ...]
    sources: dict[str, str]


def load_ledger() -> Ledger:
    """Read the table."""
    return msgspec.yaml.decode(files("sandbox.platform").joinpath("fidelity.yaml").read_bytes(), type=Ledger)


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
