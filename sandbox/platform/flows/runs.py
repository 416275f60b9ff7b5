"""The runs of process flows: each accepted start, webhook or callback makes one, on the sandbox clock.

The request begins a run; the journal decides whether it was accepted. ``settle`` takes the entries that came since the
last call, and gives each run its outcome by the fault rules for processing: it fails, it stays pending and ends after
some retries, or it ends when it is confirmed. The oldest runs are dropped beyond ``MAX_RUNS``. Runs whose entry the
journal dropped before ``settle`` took it are counted as dropped.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Mapping
from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from sandbox.faults.kinds.items import Failed, Pending, Sent
from sandbox.faults.matching import Faultable
from sandbox.foundation.answer import JSON, compact
from sandbox.foundation.errors import NotFoundError
from sandbox.foundation.form_data import media_type, pairs_of, php_fields
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.endpoint_kind import CALLBACK, START, WEBHOOK
from sandbox.journal.entry import Entry, Exchange
from sandbox.journal.filter import EntryFilter
from sandbox.journal.redaction import SIGNATURE
from sandbox.platform.flows.model import STARTED, Flow, FlowRun, FlowRunsSnapshot, Trigger
from sandbox.platform.flows.store import ulid
from sandbox.platform.processing.items import in_processing, reference_reader

if TYPE_CHECKING:
    from sandbox.platform.platform import Platform

MAX_RUNS: Final = 10_000

LOG_LIFETIME_S: Final = 7 * 86_400
"""Seconds for which the platform keeps the log of a run (FLOWS 7)."""

PAYLOAD_LIFETIME_S: Final = 72 * 3_600
"""Seconds for which the platform keeps the payload of a run (FLOWS 7)."""

_BEGINNERS: Final = tuple(EntryFilter(kind=kind.name) for kind in (WEBHOOK, CALLBACK, START))
_UNDECIDED: Final[Mapping[str, Any]] = {"ends_at": None, "failed": False, "stopped": False, "message": None}
_reference = reference_reader(None)


class Runs:
    """The runs of one emulated platform; safe to use from several threads."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = threading.RLock()
        self._read = 0
        self._lost = 0
        self._begun: dict[str, FlowRun] = {}
        self._runs: dict[str, FlowRun] = {}
        self._last_number = 0

    def begin(
        self,
        exchange: Exchange,
        flow: Flow,
        version: int,
        trigger: Trigger,
        *,
        environment: str | None = None,
        variables: str | None = None,
        user_id: int | None = None,
    ) -> FlowRun:
        """Begin the run of a request that is being answered; it counts once the journal has the request as accepted."""
        run = FlowRun(
            id=self._new_id(),
            flow_id=flow.id,
            flow=flow.name,
            company=flow.company,
            version=version,
            trigger=trigger,
            started_at=exchange.received_at,
            environment=environment,
            variables=variables,
            user_id=user_id,
        )
        exchange.subject = {**exchange.subject, "run": run.id}
        with self._lock:
            _add(self._begun, run)
        return run

    def settle(self) -> None:
        """Take the requests that were accepted since, and decide on the outcomes of their runs."""
        journal = self._platform.journal
        with self._lock:
            last, gone = journal.last_seq, journal.first_seq - 1 - self._read
            if gone > 0:
                self._lost += min(gone, sum(map(journal.dropped_at_most, _BEGINNERS)))
            each = (journal.entries(entry_filter, after=self._read) for entry_filter in _BEGINNERS)
            for entry in heapq.merge(*each, key=attrgetter("seq")):
                self._read = entry.seq
                run = self._begun.pop(entry.run or "", None)
                if run is not None and entry.accepted:
                    self._accept(self._with_outcome(replace(run, entry=entry.id), entry))
                elif entry.run and entry.accepted:
                    self._lost += 1
            self._read = max(self._read, last)

    def _accept(self, run: FlowRun) -> FlowRun:
        self._last_number += 1
        run = replace(run, number=self._last_number)
        _add(self._runs, run)
        return run

    def _with_outcome(self, run: FlowRun, entry: Entry | None) -> FlowRun:
        platform = self._platform
        if platform.settings.processing == "off":
            return run
        act = None
        if platform.faults.armed_processing:
            act = platform.faults.choose(_in_processing(run, entry), at=run.started_at)
        match act and act.fault:
            case Failed(message):
                return replace(run, ends_at=run.started_at, failed=True, message=message)
            case Sent(seconds):
                lasts_s = seconds
            case Pending(attempts, _):
                lasts_s = None if attempts is None else attempts * platform.settings.processing_retry
            case _:
                lasts_s = 0
        return replace(run, ends_at=None if lasts_s is None else run.started_at + lasts_s)

    def retry(self, run_id: str, *, user_id: int | None = None) -> FlowRun:
        """Run a flow again with the payload of a run; raise ``NotFoundError``."""
        with self._lock:
            first = self.run(run_id)
            cause = {"trigger": "Retry", "user_id": user_id, "retries": first.id}
            now = self._platform.clock.timestamp()
            again = replace(first, id=self._new_id(), started_at=now, **cause, **_UNDECIDED)
            return self._accept(self._with_outcome(again, self._entry(again)))

    def stop(self, run_id: str) -> None:
        """End a run that has not ended, as a deletion from the queue does; raise ``NotFoundError``."""
        with self._lock:
            run, now = self.run(run_id), self._platform.clock.timestamp()
            if run.status(now) == STARTED:
                self._runs[run_id] = replace(run, **{**_UNDECIDED, "ends_at": now, "stopped": True})

    def _new_id(self) -> str:
        return ulid(self._platform.clock.timestamp(), self._platform.rng)

    def runs(self) -> list[FlowRun]:
        """Return the runs whose logs the platform still keeps, oldest first."""
        with self._lock:
            self.settle()
            since = self._platform.clock.timestamp() - LOG_LIFETIME_S
            return [run for run in self._runs.values() if run.started_at >= since]

    @property
    def dropped(self) -> int:
        """An upper bound for the runs that are missing, because they were too many."""
        return self._lost + self._last_number - len(self._runs)

    def run(self, run_id: str) -> FlowRun:
        """Return a run or raise ``NotFoundError``."""
        found = {run.id: run for run in self.runs()}
        if run_id not in found:
            raise NotFoundError("flow run", run_id, list(found)[-20:])
        return found[run_id]

    def payload(self, run: FlowRun) -> bytes | None:
        """Return the payload of a run; ``None`` where the journal dropped it, or the platform would have by now."""
        if run.started_at < self._platform.clock.timestamp() - PAYLOAD_LIFETIME_S:
            return None
        entry = self._entry(run)
        return None if entry is None else payload_of(entry)

    def content_type(self, run: FlowRun, payload: bytes) -> str:
        """Return the type of the payload of a run: the one that its request declared, unless that of its wrapping."""
        entry = self._entry(run)
        is_payload = entry and entry.body and (entry.kind != START.name or "/raw" in entry.path)
        if entry and is_payload and (declared := entry.header("Content-Type")):
            return media_type(declared)
        try:
            parse_json(payload)
        except NotJsonError:
            return "text/plain"
        return JSON

    def _entry(self, run: FlowRun) -> Entry | None:
        return None if run.entry is None else self._platform.journal.find(run.entry)

    def snapshot(self) -> FlowRunsSnapshot:
        """Return all of it as a value."""
        with self._lock:
            runs, begun = tuple(self._runs.values()), tuple(self._begun.values())
            return FlowRunsSnapshot(read=self._read, runs=runs, begun=begun, lost=self._lost)

    def restore(self, snapshot: FlowRunsSnapshot) -> None:
        """Take over all of it from a value."""
        with self._lock:
            self._read, self._lost = snapshot.read, snapshot.lost
            self._runs = {run.id: run for run in snapshot.runs[-MAX_RUNS:]}
            self._begun = {run.id: run for run in snapshot.begun[-MAX_RUNS:]}
            self._last_number = max((run.number for run in self._runs.values()), default=0)


def _add(runs: dict[str, FlowRun], run: FlowRun) -> None:
    runs[run.id] = run
    if len(runs) > MAX_RUNS:
        del runs[next(iter(runs))]


def payload_of(entry: Entry) -> bytes:
    """Return the payload with which a request starts a flow, as it came (FLOWS 3 and 4).

    It is the body, of the Start API in its wrapped form the text in ``payload``. Of a webhook or callback without a
    body it is the query as JSON, without the signature.
    """
    if entry.kind == START.name:
        wrapped = entry.json
        if "/raw" in entry.path or not isinstance(wrapped, Mapping):
            return entry.body
        text = wrapped.get("payload")
        return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b""
    return entry.body or query_payload(entry.query)


def query_payload(query: str) -> bytes:
    """Return the query of a webhook or callback as a JSON object without the signature; nothing where it is empty."""
    fields = php_fields(pairs_of(query))
    fields.pop(SIGNATURE, None)
    return compact(fields) if fields else b""


def _in_processing(run: FlowRun, entry: Entry | None) -> Faultable:
    """Return a run as fault rules look at it."""
    content: JsonValue = None
    with suppress(NotJsonError):
        content = parse_json(b"" if entry is None else payload_of(entry))
    return in_processing(entry, content, company=run.company, flow=run.flow, reference=_reference(content))
