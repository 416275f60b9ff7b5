"""Part of the journal as a test holds it: a sequence of entries, with assertions that explain themselves."""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from operator import attrgetter
from typing import Any, Final, Protocol, overload

from typing_extensions import Never, Unpack

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.real_time import monotonic
from sandbox.journal.assertions.difference import Difference
from sandbox.journal.assertions.failure_message import report
from sandbox.journal.assertions.pattern import Pattern, PatternFields
from sandbox.journal.assertions.verify import EntrySource, Expectation, Times, View, as_json, as_pattern, verify
from sandbox.journal.entry import Entry
from sandbox.journal.filter import EntryFilter

DEFAULT_TIMEOUT_S = 5.0
_ALL_OF_THEM: Final = "patchworks.story()"
"""Shows all requests, where a message names a few."""
_PIECE_S: Final = 0.25
"""Seconds after which a thread looks whether the test still waits."""
_SHOWN = 5
"""Entries that a representation names."""


class NotReceivedError(AssertionError):
    """An assertion about received requests does not hold; the message lists what came instead.

    ``near`` has the differences of the requests that nearly match, by the id of the entry, the nearest first.
    """

    def __init__(self, message: str, near: Mapping[str, Sequence[Difference]] | None = None) -> None:
        super().__init__(message)
        self.near = near or {}


class HasJournal(Protocol):
    """A sandbox, whose journal is another one after each reset."""

    @property
    def journal(self) -> EntrySource:
        """The present journal."""


@dataclass(frozen=True)
class JournalRecorder:
    """Answers questions about the present journal of a sandbox.

    A subclass may answer otherwise than by reading entries: by asking a control API.
    """

    sandbox: HasJournal

    def window(self, entry_filter: EntryFilter, skip: int, limit: int | None, *, newest: bool = False) -> list[Entry]:
        """Return up to ``limit`` matching entries after the first ``skip``, from the oldest on or the newest back."""
        journal = self.sandbox.journal
        found = journal.newest_first(entry_filter) if newest else journal.entries(entry_filter)
        return list(islice(found, skip, None if limit is None else skip + limit))

    def explain(self, expectation: Expectation) -> NotReceivedError | None:
        """Return why an expectation does not hold; ``None`` when it does."""
        verdict = verify(self.sandbox.journal, expectation)
        near = {} if verdict.earlier else {miss.entry.id: miss.differences for miss in verdict.near_misses}
        return None if verdict.ok else NotReceivedError(report(verdict, _ALL_OF_THEM), near)

    def wait(self, expectation: Expectation, timeout: float) -> list[Entry]:
        """Wait for the first entries that meet an expectation; after ``timeout`` seconds there are fewer."""
        pattern = expectation.pattern
        return self.sandbox.journal.wait(
            expectation.view.meant_by(pattern),
            expectation.times.at_least,
            timeout,
            after=expectation.after,
            matches=pattern.matches if pattern.conditions else bool,
        )


@dataclass(frozen=True, eq=False, repr=False)
class Received(Sequence[Entry]):
    """The present entries of a view, oldest first."""

    recorder: JournalRecorder
    view: View

    # --- looking ----------------------------------------------------------------------------------------------------

    @property
    def filter(self) -> EntryFilter:
        """The filter of these entries."""
        return self.view.filter

    @property
    def _journal(self) -> EntrySource:
        return self.recorder.sandbox.journal

    @property
    def requests(self) -> list[Entry]:
        """Every request, accepted or not, oldest first."""
        return list(self._journal.entries(self.filter))

    @property
    def payloads(self) -> list[Any]:
        """The payloads accepted, oldest first: parsed where they are JSON, as text where they are not.

        What JSON holds is known to the test alone, so the items are of any type, as with ``requests``' ``json()``.
        """
        accepted = replace(self.filter, accepted=True)
        entries = self._journal.entries(accepted)
        return [entry.text if (parsed := entry.json) is None else parsed for entry in entries]

    @property
    def first(self) -> Entry:
        """The oldest request, accepted or not; raise ``NotReceivedError`` before it came."""
        return self._at_end(newest=False)

    @property
    def last(self) -> Entry:
        """The newest request, accepted or not; raise ``NotReceivedError`` before the first."""
        return self._at_end(newest=True)

    def _at_end(self, *, newest: bool) -> Entry:
        for entry in self.recorder.window(self.filter, 0, 1, newest=newest):
            return entry
        self._check(Expectation(replace(self.view, only_accepted=False)))
        return self._at_end(newest=newest)  # it came while the failure was being explained

    def one(self, **pattern: Unpack[PatternFields]) -> Entry:
        """Return the only entry that matches the pattern; fail as ``assert_received(times=1)`` does.

        Without a pattern it is the only request, at an inbound URL the only accepted payload.
        """
        __tracebackhide__ = True
        expectation = Expectation(self.view, as_pattern(pattern), Times(1, 1))
        self._check(expectation)
        return self.recorder.wait(expectation, 0)[0]

    @property
    def dropped(self) -> int:
        """An upper bound for the requests missing here, because the journal was full and dropped entries."""
        return self._journal.dropped_at_most(self.filter)

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (list, tuple, Received)) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # what it is equal to changes

    def __repr__(self) -> str:
        count, newest = len(self), self.recorder.window(self.filter, 0, _SHOWN, newest=True)
        shown = ", ".join(f"#{entry.seq} {entry.status} {entry.outcome}" for entry in reversed(newest))
        return f"<{count} {self.view.noun}: {'…, ' if count > _SHOWN else ''}{shown or 'none'}>"

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.requests)

    def __len__(self) -> int:
        return self._journal.count(self.filter)

    @overload
    def __getitem__(self, index: int) -> Entry: ...

    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...

    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        if isinstance(index, slice):
            return self._slice(index)
        place = operator.index(index)
        found = self.recorder.window(self.filter, ~place if place < 0 else place, 1, newest=place < 0)
        if not found:
            raise IndexError(f"there is no entry {place} among {self.view.noun}")
        return found[0]

    def _slice(self, wanted: slice) -> list[Entry]:
        """Return the entries of a slice, read by one question where its bounds do not depend on how many there are."""
        start, stop = wanted.start or 0, wanted.stop
        if wanted.step in (None, 1):
            if start >= 0 and (stop is None or stop >= 0):
                return self.recorder.window(self.filter, start, None if stop is None else max(0, stop - start))
            if start < 0 and stop is None:
                return self.recorder.window(self.filter, 0, -start, newest=True)[::-1]
        places = range(*wanted.indices(len(self)))
        if not places:
            return []
        first = min(places)
        found = self.recorder.window(self.filter, first, max(places) - first + 1)
        return [found[place - first] for place in places if place - first < len(found)]

    def __reversed__(self) -> Iterator[Entry]:
        return iter(self.recorder.window(self.filter, 0, None, newest=True))

    # --- asserting --------------------------------------------------------------------------------------------------

    def assert_received(
        self,
        *unnamed: Never,
        times: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        **pattern: Unpack[PatternFields],
    ) -> None:
        """Fail unless entries that match the pattern came that often, at least once if nothing is said.

        See ``Pattern`` for the conditions. At an inbound URL only accepted payloads count, those included whose answer
        a fault then spoilt, unless ``outcome``, ``status``, ``reason`` or ``fault`` is given. Also fails when entries
        were dropped that could have changed the result.
        """
        __tracebackhide__ = True
        wanted = as_pattern(pattern, *unnamed)
        self._check(Expectation(self.view, wanted, Times.of(times, at_least, at_most)))

    def assert_nothing_received(self, *unnamed: Never, **pattern: Unpack[PatternFields]) -> None:
        """Fail if anything that matches the pattern came; without a pattern, if anything came.

        What counts is what counts for ``assert_received``: at an inbound URL accepted payloads.
        """
        __tracebackhide__ = True
        self._check(Expectation(self.view, as_pattern(pattern, *unnamed), Times(0, 0)))

    def assert_received_in_order(self, patterns: Iterable[Pattern | Mapping[str, object]]) -> None:
        """Fail unless entries that match the patterns came one after the other; others may have come between them.

        Each is a ``Pattern`` or a mapping of its conditions: ``[{"json_path": {"$.order": "1001"}}, …]``.
        """
        __tracebackhide__ = True
        self._check(Expectation(self.view, in_order=[as_pattern(pattern) for pattern in patterns]))

    def wait_for(
        self, count: int = 1, timeout: float = DEFAULT_TIMEOUT_S, **pattern: Unpack[PatternFields]
    ) -> list[Entry]:
        """Return the first ``count`` entries that match the pattern as soon as there are so many.

        Fails like ``assert_received`` when there are fewer after ``timeout`` real seconds. It blocks its thread: in an
        event loop use ``wait_for_async``.
        """
        __tracebackhide__ = True
        expectation = self._awaited(count, timeout, pattern)
        found = self.recorder.wait(expectation, timeout) if count else []
        return found if len(found) >= count else self._late(expectation, _blocked_loop())

    async def wait_for_async(
        self, count: int = 1, timeout: float = DEFAULT_TIMEOUT_S, **pattern: Unpack[PatternFields]
    ) -> list[Entry]:
        """Do as ``wait_for`` does, while the event loop of asyncio goes on.

        With trio: ``await trio.to_thread.run_sync(patchworks.inbound("orders").wait_for)``.
        """
        __tracebackhide__ = True
        import asyncio

        expectation = self._awaited(count, timeout, pattern)
        if not count:
            return []
        deadline = monotonic() + timeout
        while True:
            left = deadline - monotonic()
            found = await asyncio.to_thread(self.recorder.wait, expectation, max(0.0, min(left, _PIECE_S)))
            if len(found) >= count:
                return found
            if left <= 0:
                return await asyncio.to_thread(self._late, expectation)

    def _awaited(self, count: int, timeout: float, pattern: PatternFields) -> Expectation:
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise InvalidValueError("count", count, f"a whole number from 0 on; {as_json(count)}")
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout >= 0:
            raise InvalidValueError("timeout", timeout, f"seconds from 0 on; {as_json(timeout)}")
        return Expectation(self.view, as_pattern(pattern), Times.of(at_least=count), waited_s=timeout)

    def _late(self, expectation: Expectation, note: str = "") -> list[Entry]:
        """Fail when the time is up; return the entries if the last one came while the failure was being explained."""
        __tracebackhide__ = True
        self._check(expectation, note)
        return self.recorder.wait(expectation, 0)

    def _check(self, expectation: Expectation, note: str = "") -> None:
        __tracebackhide__ = True
        error = self.recorder.explain(expectation)
        if error is not None:
            raise NotReceivedError(f"{error}{note}", error.near)


def _blocked_loop() -> str:
    """Return a note for a message where an event loop runs in this thread, which could do nothing meanwhile."""
    for name, is_running in (("asyncio", "_get_running_loop"), ("trio", "lowlevel.in_trio_run")):
        module = sys.modules.get(name)
        if module is not None and attrgetter(is_running)(module)():
            instead = "await …wait_for_async(…)" if name == "asyncio" else "await trio.to_thread.run_sync(…wait_for)"
            return (
                f"\n\nwait_for blocked the event loop of {name} that runs in this thread, so that nothing which the "
                f"loop was to send could be sent; use {instead}"
            )
    return ""
