"""The trace of a run: everything that a sandbox received, as one HTML file that opens anywhere.

It is made of the journal's entries, which hold no credentials, and loses those of payloads too: many people may read
what a CI job keeps. The file stays below ``MAX_BYTES``: the requests that explain a failure are shown whole first, and
the others while there is room.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, Template

from sandbox.faults.book import RuleState
from sandbox.foundation.errors import cut
from sandbox.foundation.printable import replace_unprintable
from sandbox.foundation.settings import setting_specs
from sandbox.foundation.strict_json import write_json
from sandbox.journal.assertions.difference import Difference
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.journal.redaction import redact_text
from sandbox.web.dashboard.one_file import MAX_VALUE, encoded, opened_in_file, templates_of_files, without_secrets
from sandbox.web.dashboard.opened import Opened, Wrong
from sandbox.web.dashboard.story import Day, Row, story

MAX_BYTES: Final = 1_000_000
MAX_ROWS: Final = 1_000
"""Requests that are listed, the newest of each sandbox."""

_BODIES: Final = 400_000
"""Bytes of all bodies together, of which each request has its share, within these bounds."""
_MIN_BODY: Final = 2 * 1024
_MAX_BODY: Final = 16 * 1024
_MAX_RECORDINGS: Final = 50
_MAX_TOO_LARGE: Final = 10
"""Requests in full that do not fit, after which no other is tried."""
_MAX_TEXT: Final = 20_000
"""Characters of the message of a failure."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A part of a test that failed; ``near`` are the requests that an assertion found nearest, by their ids."""

    when: str
    text: str
    near: Mapping[str, Sequence[Difference]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recording:
    """One sandbox: its requests, oldest first, the events between them, and the state it was left in."""

    title: str
    entries: Sequence[Entry] = ()
    events: Sequence[Event] = ()
    left_out: int = 0
    """Older requests that the recording lacks."""
    dropped: int = 0
    """Older requests that the journal itself lacked."""
    unread: int = 0
    """Lines of a file that are no entries."""
    rules: Sequence[RuleState] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: KnownSecrets = field(default_factory=KnownSecrets, repr=False)
    problem: str = ""
    """Why the requests cannot be shown."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A run: a test with its outcome, or a journal."""

    title: str
    recordings: list[Recording]
    outcome: str = ""
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A recording on the page: its rows, newest first, and the requests in full that there is room for."""

    recording: Recording
    rows: Sequence[Row | Event | Day]
    panes: dict[int, str]
    """By the number of the entry."""


def as_html(trace: Trace, templates: Environment | None = None) -> str:
    """Return a trace as an HTML file of less than ``MAX_BYTES``; for several, give all the same ``templates``."""
    templates = templates or templates_of_files()
    page, pane = templates.get_template("trace.html"), templates.get_template("trace_pane.html")
    failures = [replace(each, text=_said(each.text, trace.recordings)) for each in trace.failures]
    trace = replace(trace, title=cut(redact_text(trace.title), MAX_VALUE), failures=failures)
    near = {entry: found for failure in failures for entry, found in failure.near.items()}
    rows = MAX_ROWS
    shown = _shown(trace.recordings, rows)
    while (room := MAX_BYTES - len(_page(page, trace, shown))) < 0:
        rows //= 2
        shown = _shown(trace.recordings, rows)
    too_large = 0
    for number, row, entry in _by_interest(shown, near):
        found = _opened(entry, near.get(entry.id, ()), f"r{number}-{entry.seq}")
        values = {"near": entry.id in near, "number": number, "attempts": row.attempts.entries}
        text = encoded(pane.render(opened=found, **values))
        if len(text) < room:
            shown[number].panes[entry.seq] = text.decode()
            room -= len(text)
        elif (too_large := too_large + 1) == _MAX_TOO_LARGE:
            break
    return _page(page, trace, shown).decode()


def _shown(recordings: Sequence[Recording], rows: int) -> list[_Shown]:
    return [_Shown(each, story(each.entries, each.events), {}) for each in _redacted(recordings, rows)]


def _page(page: Template, trace: Trace, shown: Sequence[_Shown]) -> bytes:
    by_id = {entry.id: (number, entry) for number, each in enumerate(shown) for entry in each.recording.entries}
    return encoded(page.render(trace=trace, recordings=shown, by_id=by_id, settings=_settings))


def is_trace(file: Path) -> bool:
    """Return whether a file is a trace; raise ``OSError`` where it cannot be read."""
    with file.open("rb") as content:
        return b'content="patchworks-sandbox trace"' in content.read(1_000)


def _by_interest(shown: Sequence[_Shown], near: Mapping[str, object]) -> Iterable[tuple[int, Row, Entry]]:
    """Return requests with recording and row: those near an expectation, refused ones, others; the newest first."""
    found = [
        (number, row, entry)
        for number, each in enumerate(shown)
        for row in each.rows
        if isinstance(row, Row)
        for entry in reversed(row.attempts.entries)
    ]
    return sorted(found, key=lambda each: (each[2].id not in near, each[2].outcome == "accepted"))


def _opened(entry: Entry, differences: Sequence[Difference], id: str) -> Opened:
    """Return a request in full, in which the differences from what a test expected are marked."""
    found = opened_in_file(entry, id)
    wrong = [
        Wrong(each.path, each.message, found.tree.line_of(each.path) if found.tree and each.path[:1] == "$" else None)
        for each in differences
    ]
    return replace(found, wrong=[*wrong, *found.wrong])


def _settings(values: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Return name and value of the settings, and whether it is not the default; those that are not come first."""
    specs = {spec.name: spec for spec in setting_specs() if not spec.secret}
    rows = [
        (name, cut(write_json(value, ascii=False), MAX_VALUE), write_json(value) != write_json(specs[name].default))
        for name, value in values.items()
        if name in specs
    ]
    return sorted(rows, key=lambda row: not row[2])


# --- without secrets, and of a bounded size ---------------------------------------------------------------------------


def _redacted(recordings: Sequence[Recording], rows: int) -> list[Recording]:
    """Return the first recordings with their newest entries, together at most so many, without credentials."""
    kept = recordings[:_MAX_RECORDINGS]
    each_has = rows // max(1, len(kept))
    limit = min(_MAX_BODY, max(_MIN_BODY, _BODIES // max(1, sum(len(each.entries) for each in kept))))
    found = []
    for each in kept:
        first = max(0, len(each.entries) - each_has)
        found.append(
            replace(
                each,
                title=cut(redact_text(each.title), MAX_VALUE),
                entries=[without_secrets(entry, limit, each.secrets) for entry in each.entries[first:]],
                events=each.events[max(0, len(each.events) - each_has) :],
                left_out=each.left_out + first,
            )
        )
    if more := sum(len(each.entries) for each in recordings[_MAX_RECORDINGS:]):
        found[-1] = replace(found[-1], left_out=found[-1].left_out + more)
    return found


def _said(text: str, recordings: Iterable[Recording]) -> str:
    """Return the end of a message, where the error is, without credentials."""
    end = text[-4 * _MAX_TEXT :]
    for recording in recordings:
        end = recording.secrets.redact(end)
    end = replace_unprintable(redact_text(end), "\N{MIDDLE DOT}", but="\n\t")
    return end if len(end) <= _MAX_TEXT else f"… {end[-_MAX_TEXT:]}"
