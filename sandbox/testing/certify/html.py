"""The report of a certification as one HTML file, which loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.foundation.errors import cut
from sandbox.journal.assertions.report import entry_line
from sandbox.journal.attempts import ended_at
from sandbox.journal.entry import Entry
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.testing.certify.checks import CHECKS, Check
from sandbox.testing.certify.report import Report, help_url
from sandbox.testing.certify.run import Run, Verdict, numbers
from sandbox.web.dashboard.one_file import encoded, opened_in_file, templates_of_files, without_secrets
from sandbox.web.dashboard.opened import Opened

_SHOWN: Final = 6
"""Exchanges of a verdict that are shown."""

_ROWS: Final = 60
"""Payloads of a timeline that are shown."""

_BODY: Final = 4_000
"""Bytes of a body that are shown."""

_THINNEST: Final = 0.6
_ORDER: Final = ("fail", "info", "pass", "not_reached")


@dataclass(frozen=True, slots=True)
class Bar:
    """A request on a timeline; ``left`` and ``width`` are per cent of it."""

    left: float
    width: float
    style: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Part:
    """A verdict with what shows it."""

    verdict: Verdict
    check: Check
    numbers: str
    exchanges: tuple[Opened, ...]
    left_out: int


def as_html(report: Report, secrets: KnownSecrets | None = None) -> str:
    """Return a report as an HTML file, without the ``secrets`` and without text that looks like a credential."""
    known = KnownSecrets() if secrets is None else secrets
    by_id = {entry.id: entry for run in report.runs for entry in run.entries}
    parts = sorted(
        (_part(verdict, by_id, known) for verdict in report.verdicts),
        key=lambda part: _ORDER.index(part.verdict.verdict),
    )
    html = templates_of_files(Path(__file__).parent).get_template("report.html")
    values = {
        "report": report,
        "parts": parts,
        "runs": [(run, timeline(run)) for run in report.runs if run.entries],
        "help_url": help_url,
        "words": {"pass": "Pass", "fail": "Fail", "info": "Info", "not_reached": "Not reached"},
    }
    return encoded(html.render(**values)).decode()


def _part(verdict: Verdict, by_id: dict[str, Entry], secrets: KnownSecrets) -> Part:
    entries = [by_id[entry] for entry in verdict.entries if entry in by_id]
    shown = tuple(
        opened_in_file(without_secrets(entry, _BODY, secrets), f"{verdict.check}-{entry.id}")
        for entry in entries[:_SHOWN]
    )
    return Part(verdict, CHECKS[verdict.check], numbers(verdict.entries), shown, len(entries) - len(shown))


def timeline(run: Run) -> list[tuple[str, list[Bar]]]:
    """Return the rows of a run: the token requests, and the attempts of each payload."""
    began = min(entry.wall_time for entry in run.entries)
    span = max(0.05, max(ended_at(entry) for entry in run.entries) - began)

    def bars(entries: Sequence[Entry]) -> list[Bar]:
        return [_bar(entry, began, span) for entry in entries]

    rows = [("tokens", bars(run.tokens))] if run.tokens else []
    for number, attempts in enumerate(run.attempts[:_ROWS], 1):
        rows.append((f"payload {number}", bars(attempts.entries)))
    return rows


def _bar(entry: Entry, began: float, span: float) -> Bar:
    left = min(100 - _THINNEST, 100 * (entry.wall_time - began) / span)
    width = min(100 - left, max(_THINNEST, 100 * (ended_at(entry) - entry.wall_time) / span))
    style = "accepted" if entry.accepted and entry.fault is None else "faulted" if entry.fault else "rejected"
    label = str(entry.status) if entry.status else "none"
    title = f"{entry_line(entry)}, after {entry.wall_time - began:.1f} s"
    return Bar(round(left, 2), round(width, 2), style, label, cut(title, 200))
