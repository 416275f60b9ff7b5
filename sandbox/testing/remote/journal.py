"""The journal behind a control API. The sandbox applies filters and verifies patterns, and sends the entries asked for.

Only patterns that JSON cannot hold, such as ``unittest.mock.ANY``, are held here against the entries of a filter.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from typing import Any, Final

from sandbox.foundation.errors import InvalidValueError, ProblemError
from sandbox.foundation.real_time import monotonic
from sandbox.foundation.strict_json import sent_json
from sandbox.journal.assertions.difference import Difference
from sandbox.journal.assertions.verify import Expectation, Times
from sandbox.journal.assertions.view import JournalRecorder, NotReceivedError
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event, read_event
from sandbox.journal.filter import EVERY_ENTRY, EntryFilter
from sandbox.journal.form import read_entry
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.testing.remote.control_api import ControlApi

LONGEST_WAIT_S: Final = 60.0
_BUSY_S: Final = 1.0
_MANY: Final = 2**31
"""The largest count that the control API takes."""
_PAGES: Final = (1, 50, 1_000)
"""Entries read by the first questions for the newest; the last size repeats."""


@dataclass(frozen=True)
class RemoteJournal:
    """An ``EntrySource`` that asks a control API."""

    api: ControlApi
    secrets: KnownSecrets = field(default_factory=KnownSecrets, repr=False, compare=False)
    """The secrets that this process has been told; the sandbox redacts those that it issued."""

    @property
    def dropped(self) -> int:
        return int(self.api.get("/health")["journal_dropped"])

    @property
    def last_seq(self) -> int:
        return int(self.api.get("/health")["journal_last_seq"])

    def entries(
        self, entry_filter: EntryFilter = EVERY_ENTRY, after: int = 0, **window: int | bool | None
    ) -> Iterator[Entry]:
        """Iterate over the matching entries with a sequence number above ``after``, oldest first.

        ``window`` is what the export takes: ``skip``, ``limit`` and ``newest``, for the newest first.
        """
        query = {"format": "ndjson", "events": False, "after": after, **entry_filter.document, **window}
        return (read_entry(json.loads(line)) for line in self.api.lines("/requests/export", query))

    def newest_first(self, entry_filter: EntryFilter = EVERY_ENTRY) -> Iterator[Entry]:
        """Iterate over the matching entries, newest first, reading more of them the further it goes."""
        skip, last = 0, None
        for size in chain(_PAGES, repeat(_PAGES[-1])):
            page = list(self.entries(entry_filter, skip=skip, limit=size, newest=True))
            for entry in page:
                if last is None or entry.seq < last:  # entries that came meanwhile move the others on
                    last = entry.seq
                    yield entry
            if len(page) < size:
                return
            skip += size

    def events(self, after: int = 0) -> list[Event]:
        return [read_event(document) for document in self.api.get("/events", after=after)["events"]]

    def count(self, entry_filter: EntryFilter) -> int:
        return self._counted(entry_filter, 0)[0]

    def dropped_at_most(self, entry_filter: EntryFilter, after: int = 0) -> int:
        return self._counted(entry_filter, after)[1]

    def _counted(self, entry_filter: EntryFilter, after: int) -> tuple[int, int]:
        question = {"filter": entry_filter.document, "after": str(after), "at_least": 0, "at_most": _MANY}
        answer = self.verified(question)
        return answer["count"], answer.get("uncertain", 0)

    def verified(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the answer to whether something was received, or the problem details that explain why not."""
        answer: Mapping[str, Any] = self.api.call("POST", "/requests/verify", question, also=409)
        return answer

    def wait(
        self,
        entry_filter: EntryFilter,
        count: int,
        timeout: float,
        *,
        after: int = 0,
        matches: Callable[[Entry], bool] = bool,
    ) -> list[Entry]:
        """Return the first ``count`` matching entries as soon as there are so many, or those there are in the end.

        The sandbox answers when an entry comes that the filter means.
        """
        deadline = monotonic() + timeout
        found: list[Entry] = []
        while True:
            limit = count - len(found) if matches is bool else None
            for entry in self.entries(entry_filter, after, limit=limit):
                after = entry.seq
                if matches(entry):
                    found.append(entry)
                    if len(found) >= count:
                        return found
            left = deadline - monotonic()
            if left <= 0:
                return found
            self._wait_for_one(entry_filter, after, min(left, LONGEST_WAIT_S))

    def _wait_for_one(self, entry_filter: EntryFilter, after: int, timeout: float) -> None:
        query = {**entry_filter.document, "after": after, "count": 1, "timeout": round(timeout, 3)}
        try:
            self.api.call("GET", "/requests/wait", query=query, longer=timeout, also=408)
        except ProblemError as error:
            if error.status != 503:
                raise
            threading.Event().wait(min(timeout, _BUSY_S))  # as many wait there as may


@dataclass(frozen=True)
class RemoteRecorder(JournalRecorder):
    """Lets the sandbox verify expectations and pick entries."""

    journal: RemoteJournal

    def window(self, entry_filter: EntryFilter, skip: int, limit: int | None, *, newest: bool = False) -> list[Entry]:
        if limit == 0:
            return []
        return list(self.journal.entries(entry_filter, skip=skip, limit=limit, newest=newest))

    def explain(self, expectation: Expectation) -> NotReceivedError | None:
        answer = self._verified(_question(expectation))
        if answer is None:
            return super().explain(expectation)
        near = {
            miss["id"]: [Difference(each["path"], each["message"]) for each in miss["differences"]]
            for miss in answer.get("near_misses", ())
        }
        return NotReceivedError(answer["detail"], near) if "detail" in answer else None

    def wait(self, expectation: Expectation, timeout: float) -> list[Entry]:
        """Return the first entries that meet an expectation, fewer than it asks for when the time is up.

        The entries there are already are not sent when none of them matches.
        """
        if expectation.pattern.conditions:
            last_seq = self.journal.last_seq
            answer = self._verified(_question(replace(expectation, times=Times(), waited_s=None)))
            if answer is not None and answer["count"] == 0:
                expectation = replace(expectation, after=max(expectation.after, last_seq))
        return super().wait(expectation, timeout)

    def _verified(self, question: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the sandbox's answer; ``None`` where the control API does not take the question."""
        try:
            if json.loads(sent_json(question, "question")) != question:  # tuples, keys that are no text
                return None
            return self.journal.verified(question)
        except ProblemError as error:
            if error.status not in _NOT_TAKEN:
                raise
            return None
        except InvalidValueError:  # JSON cannot hold it
            return None


_NOT_TAKEN: Final = (400, 413, 422)


def _question(expectation: Expectation) -> dict[str, Any]:
    view, times, order = expectation.view, expectation.times, expectation.in_order
    asked = {"filter": view.filter.document, "only_accepted": view.only_accepted, "after": str(expectation.after)}
    if order is not None:
        return {**asked, "in_order": [pattern.conditions for pattern in order]}
    question = {
        **asked,
        "pattern": expectation.pattern.conditions,
        "at_least": times.at_least,
        "at_most": times.at_most,
        "waited_s": expectation.waited_s,
    }
    return {name: value for name, value in question.items() if value is not None}
