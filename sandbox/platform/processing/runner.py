"""A run of a service: an attempt on each item that it pulls (FACTS P4, P5).

The outcome of an attempt is that of the fault rule for processing that acts on the item, else that it arrives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from sandbox.faults.kinds.items import Failed, Pending, Sent
from sandbox.foundation.json_value import JsonValue
from sandbox.journal.entry import Entry
from sandbox.platform.model import Service
from sandbox.platform.processing.agenda import Agenda
from sandbox.platform.processing.items import item_in_processing, items_of
from sandbox.platform.processing.values import Attempt, Item, Numbered, RequestedBy, Run, Status, Timer

if TYPE_CHECKING:
    from sandbox.platform.platform import Platform

_MAX_ATTEMPTS_KEPT: Final = 50
_FOR_EVER: Final = -1
_NOTHING: Final[tuple[str, Entry | None, list[JsonValue]]] = ("", None, [])


class _Outcome(NamedTuple):
    """The outcome of an attempt."""

    status: Status
    message: str | None = None
    pending: int | None = None
    """``Item.pending`` after it."""
    confirmed_after_s: float | None = None
    """Seconds until a sent item is confirmed."""


class Runner:
    """Runs the services of one platform. The lock of ``Processing`` guards it."""

    def __init__(self, platform: Platform, items: Numbered[Item], runs: Numbered[Run], agenda: Agenda) -> None:
        self._platform = platform
        self._items = items
        self._runs = runs
        self._agenda = agenda
        self._parsed = _NOTHING

    @property
    def at_once(self) -> bool:
        """Whether a service runs as soon as an item waits for it."""
        return self._platform.settings.processing == "immediate"

    def run(self, service: Service, items: Iterable[int], at: float, requested_by: RequestedBy) -> Run:
        """Run a service at a time: attempt each of these items, by their ids."""
        number = self._runs.last + 1
        counts: Counter[Status] = Counter()
        for item_id in items:
            item = self._items.get(item_id)
            if item is None:
                continue
            if item.service_id != service.id:  # of another service, for which this sweeper runs
                if item.status != "Failed":
                    continue
                item = replace(item, tries=0, swept=True)
            counts[self._attempt(service, item, number, at)] += 1
        run = Run(
            number=number,
            service_id=service.id,
            company=service.company,
            vanity_url=service.vanity_url,
            requested_by=requested_by,
            due_at=at,
            pulled=counts.total(),
            pushed=counts["OK"] + counts["Sent"],
            pending=counts["Pending"],
            failed=counts["Failed"],
            page_size=service.options.page_size,
        )
        self._runs.append(run)
        self.forget()
        return run

    def _attempt(self, service: Service, item: Item, run: int, at: float) -> Status:
        """Try to sync an item: the newest attempt of it decides on its status."""
        status, message, pending, confirmed_after_s = self._outcome(item, at)
        tries = item.tries + 1
        if status == "Pending" and tries >= service.options.max_attempts:
            status, message, pending = "Failed", f"{message} (no success in {tries} attempts)", None
        attempt = Attempt(run, at, status, message)
        last = (*item.last[1 - _MAX_ATTEMPTS_KEPT :], attempt)
        item = replace(item, attempts=item.attempts + 1, tries=tries, pending=pending, last=last)
        self._items[item.id] = item
        if confirmed_after_s is not None:
            self._agenda.add(Timer(at + confirmed_after_s, item.id, True))
        if status == "Pending" and self.at_once:
            self._agenda.add(Timer(at + self._platform.settings.processing_retry, item.id, False))
        elif status == "Pending":
            self._agenda.wait(item.service_id, item.id)
        elif status == "Failed":
            self._leave_to_sweepers(service, item)
        return status

    def _leave_to_sweepers(self, service: Service, item: Item) -> None:
        """Put a failed item into the queues of sweepers; it is swept once until it is resynced."""
        if self.at_once or item.swept:
            return
        for other in self._platform.store.services():
            same_source = (other.connector_id, other.entity) == (service.connector_id, service.entity)
            if same_source and other.options.type == "sweeper" and other.id != item.service_id:
                self._agenda.wait(other.id, item.id)

    # --- outcomes -----------------------------------------------------------------------------------------------------

    def _outcome(self, item: Item, at: float) -> _Outcome:
        """Return the outcome of an attempt at a time. One that is pending stays so for as long as its rule said."""
        if item.pending is not None and item.last:
            left = max(item.pending - 1, _FOR_EVER)
            return _Outcome("OK") if item.pending == 0 else _Outcome("Pending", item.last[-1].message, left)
        faults, act = self._platform.faults, None
        if faults.armed_processing:
            act = faults.choose(item_in_processing(item, *self._payload(item.entry)), at=at)
        match act and act.fault:
            case Failed(message):
                return _Outcome("Failed", message)
            case Sent(seconds):
                return _Outcome("Sent", confirmed_after_s=seconds)
            case Pending(attempts, message):
                return _Outcome("Pending", message, _FOR_EVER if attempts is None else attempts - 1)
        return _Outcome("OK")

    def _payload(self, entry_id: str) -> tuple[Entry | None, list[JsonValue]]:
        """Return an entry with its items; the items of an entry follow each other, so the last one is remembered."""
        if self._parsed[0] != entry_id:
            entry = self._platform.journal.find(entry_id)
            self._parsed = (entry_id, entry, [] if entry is None else items_of(entry.json))
        return self._parsed[1:]

    def remember(self, entry: Entry, contents: list[JsonValue]) -> None:
        """Keep the parsed items of an entry, which are the next to be asked for."""
        self._parsed = (entry.id, entry, contents)

    def forget(self) -> None:
        """Keep no payload."""
        self._parsed = _NOTHING
