"""The sync report as a test holds it: rows, and assertions that show the history of a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sandbox.foundation.errors import InvalidValueError, NotFoundError, any_of
from sandbox.foundation.instants import span
from sandbox.foundation.real_time import monotonic
from sandbox.journal.assertions.verify import Expectation, View
from sandbox.journal.assertions.view import DEFAULT_TIMEOUT_S
from sandbox.journal.filter import EntryFilter
from sandbox.platform.model import Service
from sandbox.platform.processing.sync_report import Row
from sandbox.platform.processing.values import STATUSES
from sandbox.testing import verbs
from sandbox.testing.backend import Backend

if TYPE_CHECKING:
    from sandbox.platform.processing.sync_report import Report, Resynced
    from sandbox.platform.processing.values import Run

_LOOK_AGAIN_S: Final = 0.1
_NAMED: Final = 10
"""Other rows that a message names."""


class NotSyncedError(AssertionError):
    """An assertion about the sync report does not hold; the message shows the history of the row."""


@dataclass(frozen=True, eq=False, repr=False)
class SyncReport(Sequence[Row]):
    """The rows of a service in the sync report, oldest first: an item of an accepted payload each.

    An item is in the report once a run has pulled it. Its reference is a text, such as ``"1001"``.
    """

    service: Service
    _backend: Backend = field(repr=False)

    @property
    def rows(self) -> list[Row]:
        """Every row."""
        return self._read().rows

    @property
    def waiting(self) -> int:
        """How many items wait for their first run."""
        return self._read().waiting

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Row:  # type: ignore[override] # a slice is that of `rows`
        return self.rows[index]

    def __repr__(self) -> str:
        shown = ", ".join(_short(row) for row in self.rows[-_NAMED:])
        return f"<sync report of {self.service.path}: {shown or 'no rows'}>"

    def row(self, reference: str) -> Row:
        """Return the newest row with a reference, with its attempts; raise ``NotFoundError``."""
        found = self._newest(reference)
        if found is None:
            raise NotFoundError("row of the sync report", reference, [_short(row) for row in self.rows], named=True)
        return found

    def _newest(self, reference: str) -> Row | None:
        found = self._read(reference).rows
        return self._backend.do(verbs.report_row(found[-1].id)) if found else None

    # --- assertions -------------------------------------------------------------------------------------------------

    def assert_synced(self, reference: str) -> Row:
        """Assert that the newest item with a reference is OK, and return its row; raise ``NotSyncedError``."""
        return self._assert_status(reference, "OK")

    def assert_failed(self, reference: str, message: str | None = None) -> Row:
        """Assert that the newest item with a reference is Failed, with a text in its message; return its row."""
        row = self._assert_status(reference, "Failed")
        if message is not None and message not in (row.message or ""):
            raise NotSyncedError(f"{self._story(row)}\nits message does not hold {message!r}")
        return row

    def assert_pending(self, reference: str) -> Row:
        """Assert that the newest item with a reference is Pending, and return its row."""
        return self._assert_status(reference, "Pending")

    def wait_for_status(self, reference: str, status: str, timeout: float = DEFAULT_TIMEOUT_S) -> Row:
        """Wait until the newest item with a reference has a status, and return its row.

        ``timeout`` is in real seconds; it does not move the sandbox clock. Raise ``NotSyncedError`` after it.
        """
        if status not in STATUSES:
            raise InvalidValueError("status", status, any_of(STATUSES))
        deadline = monotonic() + timeout
        view = View(EntryFilter(company=self.service.company, vanity_url=self.service.vanity_url))
        while True:
            newest = self._backend.journal.last_seq
            row = self._newest(reference)
            if row is not None and row.status == status:
                return row
            left = deadline - monotonic()
            if left <= 0:
                raise NotSyncedError(f"{self._not(status, reference, row)}\nwaited {timeout:g} s for it")
            wanted = Expectation(view, after=newest)
            self._backend.recorder.wait(wanted, min(left, _LOOK_AGAIN_S))

    def _assert_status(self, reference: str, status: str) -> Row:
        row = self._newest(reference)
        if row is None or row.status != status:
            raise NotSyncedError(self._not(status, reference, row))
        return row

    def _not(self, status: str, reference: str, row: Row | None) -> str:
        if row is not None:
            return f"{self._story(row)}\nexpected: {status}"
        report = self._read()
        others = ", ".join(_short(row) for row in report.rows[-_NAMED:])
        told = f"no item {reference} is in the sync report of {self.service.path}, which has {others or 'no rows'}"
        return f"{told}{self._waiting(report)}\nexpected: {status}"

    def _waiting(self, report: Report) -> str:
        if not report.waiting:
            return ""
        count = "1 item waits" if report.waiting == 1 else f"{report.waiting} items wait"
        next_run = self._backend.do(verbs.next_run(self.service.id))
        if next_run is None:
            return f"\n{count} for a run, and the service has none to come: report.run() runs it now"
        left = (next_run - self._backend.do(verbs.clock()).now).total_seconds()
        return f"\n{count} for the run at {_moment(next_run)} on the sandbox clock, in {span(left)}"

    def _story(self, row: Row) -> str:
        lines = [f"{row.reference} is {row.status} in the sync report of {self.service.path} (request {row.entry})"]
        for number, attempt in enumerate(row.history, start=row.attempts - len(row.history) + 1):
            told = "" if attempt.message is None else f": {attempt.message}"
            lines.append(f"  attempt {number} by {attempt.sync_id} at {_moment(attempt.at)}: {attempt.status}{told}")
        return "\n".join(lines)

    # --- acts -------------------------------------------------------------------------------------------------------

    def resync(self, *references: str) -> Resynced:
        """Sync the newest failed item of each reference again, or all failed ones; return their rows.

        The list has the first 1,000 of them, and its ``total`` says how many were synced again. Raise ``ConflictError``
        where one is not failed, and resync none.
        """
        ids = [self.row(reference).id for reference in references]
        where = {} if ids else {"company": self.service.company, "vanity_url": self.service.vanity_url}
        return self._backend.do(verbs.resync(ids, **where))

    def run(self) -> Run:
        """Run the service now, and return the run; raise ``ConflictError`` for an inactive service."""
        return self._backend.do(verbs.run_service(self.service.id))

    @property
    def runs(self) -> list[Run]:
        """Every run of the service, oldest first."""
        return self._backend.do(verbs.runs(company=self.service.company, vanity_url=self.service.vanity_url))

    def log(self, run: Run | str) -> list[str]:
        """Return the log of a run, given as a run or its id, as text lines."""
        run_id = run if isinstance(run, str) else run.id
        return [f"{line.level_name}: {line.message}" for line in self._backend.do(verbs.run_log(run_id))]

    def _read(self, reference: str | None = None) -> Report:
        company, vanity_url = self.service.company, self.service.vanity_url
        return self._backend.do(verbs.report(company=company, vanity_url=vanity_url, reference=reference))


def _short(row: Row) -> str:
    return f"{row.reference} {row.status}"


def _moment(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}"
