"""The report of a certification as one HTML file, which loads nothing and stays below ``MAX_BYTES``.

Each run has its share of the file for its timeline. Exchanges are shown while there is room, those of failed checks
first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Template

from sandbox.foundation.errors import cut
from sandbox.journal.assertions.failure_message import entry_line
from sandbox.journal.attempts import ended_at
from sandbox.journal.entry import Entry
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.testing.certify.checks import CHECKS
from sandbox.testing.certify.report import Report, help_url
from sandbox.testing.certify.run import Run, numbers
from sandbox.web.dashboard.one_file import encoded, opened_in_file, templates_of_files, without_secrets

MAX_BYTES: Final = 1_000_000
_RUNS: Final = 400_000
"""Bytes of all runs together."""

_SHOWN: Final = 6
"""Exchanges of a verdict that are shown."""

_BARS: Final = 1_000
"""Requests of a timeline that are shown."""

_BODY: Final = 4_000
"""Bytes of a body that are shown."""

_THINNEST: Final = 0.6
_COUNT: Final = 40
"""Bytes for what changes on the page around an exchange."""

_ORDER: Final = ("fail", "info", "pass", "not_reached")


@dataclass(frozen=True, slots=True)
class Bar:
    """A request on a timeline; ``left`` and ``width`` are per cent of it."""

    left: float
    width: float
    style: str
    label: str
    title: str


def as_html(report: Report, secrets: KnownSecrets | None = None) -> str:
    """Return a report as an HTML file, without the ``secrets`` and without text that looks like a credential."""
    known = KnownSecrets() if secrets is None else secrets
    templates = templates_of_files(Path(__file__).parent)
    page, exchange = templates.get_template("report.html"), templates.get_template("report_exchange.html")
    with_entries = [run for run in report.runs if run.entries]
    template = templates.get_template("report_run.html")
    runs = [_run(template, run, _RUNS // len(with_entries)) for run in with_entries]
    by_id = {entry.id: entry for run in report.runs for entry in run.entries}
    verdicts = sorted(report.verdicts, key=lambda verdict: _ORDER.index(verdict.verdict))

    def rendered(shown: Mapping[int, tuple[str, ...]]) -> bytes:
        html = page.render(
            report=report,
            verdicts=verdicts,
            shown=shown,
            checks=CHECKS,
            numbers=numbers,
            runs=[run for run in runs if run],
            runs_left_out=runs.count(None),
            help_url=help_url,
            words={"pass": "Pass", "fail": "Fail", "info": "Info", "not_reached": "Not reached"},
        )
        return encoded(html)

    room = MAX_BYTES - len(rendered({}))
    shown: dict[int, tuple[str, ...]] = {}
    for at, verdict in enumerate(verdicts):
        for entry in [by_id[each] for each in verdict.entries if each in by_id][:_SHOWN]:
            found = opened_in_file(without_secrets(entry, _BODY, known), f"{verdict.check}-{entry.id}")
            text = encoded(exchange.render(opened=found)).decode()
            room -= len(text.encode()) + _COUNT
            if room < 0:
                return rendered(shown).decode()
            shown[at] = (*shown.get(at, ()), text)
    return rendered(shown).decode()


def _run(template: Template, run: Run, room: int) -> str | None:
    """Return a run as HTML with as many requests on its timeline as there is room for; ``None`` for no room."""
    bars = _BARS
    while True:
        rows = timeline(run, bars)
        left_out = sum(len(each) for each in (run.tokens, run.payloads)) - sum(len(row) for _, row in rows)
        text = encoded(template.render(run=run, rows=rows, left_out=left_out, chains=_chains(run, bars))).decode()
        if len(text.encode()) <= room:
            return text
        if not bars:
            return None
        bars //= 2


def _chains(run: Run, most: int) -> list[str]:
    """Return the attempts of payloads that were sent more than once, each on a line, those of the first payloads."""
    return [cut(attempts.line, 600) for attempts in run.attempts if attempts.gaps_s][: min(20, most)]


def timeline(run: Run, bars: int = _BARS) -> list[tuple[str, list[Bar]]]:
    """Return the rows of a run, up to so many bars: the token requests, and the attempts of each payload."""
    began = min(entry.wall_time for entry in run.entries)
    span = max(0.05, max(ended_at(entry) for entry in run.entries) - began)
    rows = [("tokens", run.tokens[: bars // 4])] if run.tokens else []
    bars -= sum(len(entries) for _, entries in rows)
    for number, attempts in enumerate(run.attempts, 1):
        if bars <= 0:
            break
        rows.append((f"payload {number}", list(attempts.entries[:bars])))
        bars -= len(attempts.entries)
    return [(title, [_bar(entry, began, span) for entry in entries]) for title, entries in rows if entries]


def _bar(entry: Entry, began: float, span: float) -> Bar:
    left = min(100 - _THINNEST, 100 * (entry.wall_time - began) / span)
    width = min(100 - left, max(_THINNEST, 100 * (ended_at(entry) - entry.wall_time) / span))
    style = "accepted" if entry.accepted and entry.fault is None else "faulted" if entry.fault else "rejected"
    label = str(entry.status) if entry.status else "none"
    title = f"{entry_line(entry)}, after {entry.wall_time - began:.1f} s"
    return Bar(round(left, 2), round(width, 2), style, label, cut(title, 200))
