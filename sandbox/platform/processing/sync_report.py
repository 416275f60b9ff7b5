"""The sync report and the log of a run, as the vendor's pages show them (FACTS P3, P8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from typing import Any, Final, Literal, NamedTuple

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.instants import format_timestamp
from sandbox.platform.processing.values import Attempt, Item, Run, Status, run_id

WINDOW_DAYS: Final = 5
MAX_WINDOW_DAYS: Final = 15
"""Days that the report shows, and the most that its date filter lets it show."""

DAY_S: Final = 86_400.0
CSV_HEADER: Final = ("Company Group", "Service Entity", "Systems", "Sync ID", "Reference", "Date", "Status")
CSV_NAME: Final = "Sync Reports.csv"


class RowAttempt(NamedTuple):
    """An attempt to sync an item, as the report shows it."""

    sync_id: str
    at: datetime
    status: Status
    message: str | None


class Row(NamedTuple):
    """A row of the sync report: an item and its newest attempt.

    ``attempts`` is their number. ``history`` has the newest of them, oldest first, where the row was asked for by
    itself. ``entry`` is the id of the journal entry of the payload.
    """

    id: int
    sync_id: str
    reference: str | None
    status: Status
    company: str
    vanity_url: str
    entity: str
    systems: str
    attempts: int
    message: str | None
    created_at: datetime
    updated_at: datetime
    entry: str
    history: tuple[RowAttempt, ...] = ()


def row_of(item: Item, *, whole: bool = False) -> Row:
    """Return the row of an item that was tried; with its attempts if it is to be ``whole``."""
    newest = item.last[-1]
    return Row(
        id=item.id,
        sync_id=run_id(newest.run),
        reference=item.reference,
        status=newest.status,
        company=item.company,
        vanity_url=item.vanity_url,
        entity=item.entity,
        systems=systems_of(item),
        attempts=item.attempts,
        message=newest.message,
        created_at=_instant(item.last[0].at),
        updated_at=_instant(newest.updated_at),
        entry=item.entry,
        history=tuple(map(_row_attempt, item.last)) if whole else (),
    )


def _row_attempt(attempt: Attempt) -> RowAttempt:
    return RowAttempt(run_id(attempt.run), _instant(attempt.at), attempt.status, attempt.message)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def systems_of(item: Item) -> str:
    """Return the systems of an item: ``Acme web shop > NetSuite``."""
    return " > ".join(item.systems)


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Conditions on rows; each given one must hold. Texts are compared without regard to case, but for a reference.

    ``search`` is looked for in systems, sync id and reference; ``since`` and ``until`` are Unix seconds.
    """

    company: str | None = None
    vanity_url: str | None = None
    entity: str | None = None
    status: str | None = None
    system: str | None = None
    reference: str | None = None
    entry: str | None = None
    search: str | None = None
    since: float | None = None
    until: float | None = None

    def matches(self, item: Item) -> bool:
        """Return whether an item is in the report and meets every condition."""
        if not item.last:
            return False
        newest = item.last[-1]
        return (
            (self.status is None or newest.status.lower() == self.status.lower())
            and (self.since is None or newest.updated_at >= self.since)
            and (self.until is None or newest.updated_at <= self.until)
            and self.is_about(item)
        )

    def is_about(self, item: Item) -> bool:
        """Return whether an item meets the conditions that do not depend on attempts."""
        systems = systems_of(item).lower()
        return (
            self.company in (None, item.company)
            and self.vanity_url in (None, item.vanity_url)
            and self.entity in (None, item.entity)
            and self.reference in (None, item.reference)
            and self.entry in (None, item.entry)
            and (self.system is None or self.system.lower() in systems)
            and (self.search is None or self._is_found(self.search.lower(), item))
        )

    def _is_found(self, wanted: str, item: Item) -> bool:
        texts = (systems_of(item), run_id(item.last[-1].run) if item.last else "", item.reference or "")
        return any(wanted in text.lower() for text in texts)


SORTS: Final[Mapping[str, Callable[[Item], Any]]] = {
    "id": lambda item: 0,
    "created_at": lambda item: item.last[0].at,
    "updated_at": lambda item: item.last[-1].updated_at,
    "status": lambda item: item.status,
    "reference": lambda item: item.reference or "",
    "entity": lambda item: item.entity,
    "company": lambda item: item.company,
    "systems": systems_of,
    "sync_id": lambda item: item.last[-1].run,
}
"""The columns by which rows can be sorted; equal ones keep the order of their ids."""


class Report(NamedTuple):
    """Rows of the report, and how many items of the same services wait for their first run."""

    rows: list[Row]
    waiting: int
    dropped: int


def report_of(items: Iterable[Item], wanted: ReportFilter, dropped: int) -> Report:
    """Return all rows that match, oldest first."""
    every = list(items)
    rows = [row_of(item) for item in every if wanted.matches(item)]
    return Report(rows, waiting_in(every, wanted), dropped)


def waiting_in(items: Iterable[Item], wanted: ReportFilter) -> int:
    """Return how many items that were not tried yet meet the conditions that do not depend on attempts."""
    return sum(1 for item in items if item.status is None and wanted.is_about(item))


MAX_RESYNCED: Final = 1_000
"""Rows that the answer to a resync holds at most."""


class Resynced(list[Row]):
    """The first 1,000 rows that were synced again; ``total`` is how many were."""

    def __init__(self, rows: Iterable[Row], total: int) -> None:
        super().__init__(rows)
        self.total = total


def resynced(items: Sequence[Item]) -> Resynced:
    """Return the answer about items that were synced again."""
    return Resynced(map(row_of, items[:MAX_RESYNCED]), len(items))


class ReportPage(NamedTuple):
    """Rows of the report. ``next_after`` is the id after which the next page begins; ``None`` on the last."""

    rows: Sequence[Row]
    next_after: int | None


def page(
    items: Iterable[Item],
    wanted: ReportFilter,
    *,
    sort: str = "id",
    descending: bool = False,
    after: int = 0,
    limit: int = 100,
) -> ReportPage:
    """Return up to ``limit`` rows that match, sorted, after the row with an id; raise ``InvalidValueError``."""
    found = sorted_rows(items, wanted, sort=sort, descending=descending)
    if after:
        if sort == "id":
            found = [item for item in found if (item.id < after if descending else item.id > after)]
        else:
            place = next((place for place, item in enumerate(found) if item.id == after), None)
            if place is None:
                allowed = "the id of a row that the filter matches; begin again without after"
                raise InvalidValueError("after", after, allowed)
            found = found[place + 1 :]
    return ReportPage(list(map(row_of, found[:limit])), found[limit - 1].id if len(found) > limit else None)


def sorted_rows(items: Iterable[Item], wanted: ReportFilter, *, sort: str, descending: bool) -> list[Item]:
    """Return the rows that match, sorted by a column of ``SORTS``."""
    key = SORTS[sort]
    return sorted(filter(wanted.matches, items), key=lambda item: (key(item), item.id), reverse=descending)


def as_csv(items: Iterable[Item], company_names: Mapping[str, str]) -> Iterator[str]:
    """Yield the report as the vendor's download: its header, then a line for each row, with dates in UTC.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    yield _line(CSV_HEADER)
    for row in map(row_of, items):
        name = company_names.get(row.company, row.company)
        cells = (name, row.entity, row.systems, row.sync_id, row.reference or "")
        yield _line((*map(_cell, cells), f"{row.updated_at:%d/%m/%Y %H:%M:%S}", row.status))


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _line(cells: Iterable[str]) -> str:
    import csv
    import io

    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


Level = Literal["info", "warning", "error"]


class LogLine(NamedTuple):
    """A line of the log of a run."""

    level_name: Level
    date_time: str
    message: str


MAX_LOG_LINES: Final = 1_000


def log_of(run: Run, items: Iterable[Item]) -> list[LogLine]:
    """Return the log of a run, line by line; of very many items only the first are named."""
    at = format_timestamp(run.due_at)
    pages = range(0, run.pulled, run.page_size)[: MAX_LOG_LINES // 2]
    lines = [LogLine("info", at, f"Run {run.id} started, requested by {run.requested_by}")]
    lines += [
        LogLine("info", at, f"Page {number} of {run.pages}: pulled {min(run.page_size, run.pulled - first)}")
        for number, first in enumerate(pages, start=1)
    ]
    tried = [(item, attempt) for item in items for attempt in item.last if attempt.run == run.number]
    room = max(0, MAX_LOG_LINES - len(lines))
    lines += [_tried(item, attempt, at) for item, attempt in tried[:room]]
    if run.pulled > min(len(tried), room):
        lines.append(LogLine("info", at, f"{run.pulled - min(len(tried), room)} more items"))
    counts = f"pulled {run.pulled}, pushed {run.pushed}, pending {run.pending}, failed {run.failed}"
    return [*lines, LogLine("info", at, f"Run {run.id} is {run.status}: {counts}")]


_LEVELS: Final[Mapping[Status, Level]] = {"OK": "info", "Sent": "info", "Pending": "warning", "Failed": "error"}


def _tried(item: Item, attempt: Attempt, at: str) -> LogLine:
    name = item.reference or f"item {item.id}"
    told = "" if attempt.message is None else f": {attempt.message}"
    return LogLine(_LEVELS[attempt.status], at, f"{name} to {item.systems[-1]}: {attempt.status}{told}")


def shown_filter(wanted: ReportFilter) -> str:
    """Return the given conditions in words: ``vanity_url=orders, status=Failed``."""
    given = ((field.name, getattr(wanted, field.name)) for field in fields(wanted))
    return ", ".join(f"{name}={value}" for name, value in given if value is not None)
