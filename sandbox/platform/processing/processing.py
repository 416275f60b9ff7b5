"""Processing of accepted payloads by the runs of their services, on the sandbox clock (FACTS P3 to P8).

No thread waits for a schedule. ``settle`` reads the accepted payloads that came since the last call from the journal,
and lets everything happen that was due since then, in order and each at its own time: runs, retries of pending items,
confirmations of sent ones. It is called before anything is read, and before a change of that on which the outcome
depends: the rules for processing, the services, the settings and the clock. So a payload costs nothing when it is
posted, and the outcome does not depend on when it is read.

Everything is bounded: the oldest items and runs are dropped beyond ``MAX_ITEMS`` and ``MAX_RUNS``. Payloads that the
journal dropped before they were read are counted as dropped items.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from sandbox.foundation.errors import ConflictError, NotFoundError
from sandbox.journal.endpoint_kind import INBOUND
from sandbox.journal.entry import Entry
from sandbox.journal.filter import EntryFilter
from sandbox.platform.model import Service
from sandbox.platform.processing.agenda import NEVER, Agenda
from sandbox.platform.processing.items import items_of, reference_reader
from sandbox.platform.processing.runner import Runner
from sandbox.platform.processing.schedule import next_tick
from sandbox.platform.processing.values import Item, Numbered, ProcessingSnapshot, Run, Timer, run_id

if TYPE_CHECKING:
    from sandbox.platform.platform import Platform

MAX_ITEMS: Final = 100_000
MAX_RUNS: Final = 10_000
_ACCEPTED: Final = EntryFilter(kind=INBOUND.name, accepted=True)
_MOVED_BACK_S: Final = 1.0
"""An entry may be closed a moment after a later one; a greater difference is a clock that was moved back."""

_NOT_OFFERED: Final = "can not be resynced from the dashboard, please contact support"


class Processing:
    """The items and runs of one emulated platform; safe to use from several threads."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = threading.RLock()
        self._read = 0
        self._time = -math.inf
        self._items: Numbered[Item] = Numbered(MAX_ITEMS)
        self._lost = 0
        self._runs: Numbered[Run] = Numbered(MAX_RUNS)
        self._agenda = Agenda(self._next_run)
        self._runner = Runner(platform, self._items, self._runs, self._agenda)

    # --- what happens by itself -------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Take the payloads that were accepted since, and let everything happen that is due."""
        journal = self._platform.journal
        with self._lock:
            now = self._platform.clock.timestamp()
            if self._platform.settings.processing == "off":
                self._read, self._time = journal.last_seq, now
                return
            last, gone = journal.last_seq, journal.first_seq - 1 - self._read
            if gone > 0:
                self._lost += min(gone, journal.dropped_at_most(_ACCEPTED))
            for entry in journal.entries(_ACCEPTED, after=self._read):
                self._read = entry.seq
                self._pass_until(entry.received_at)
                self._accept(entry)
            self._read = max(self._read, last)
            self._pass_until(now)
            self._agenda.ask_again()  # a change may follow
            self._runner.forget()

    def _accept(self, entry: Entry) -> None:
        service = self._platform.store.find_service(entry.company or "", entry.vanity_url or "")
        contents = items_of(entry.json)
        if service is None:  # it was deleted
            self._lost += len(contents)
            return
        connector = self._platform.store.connector(service.connector_id)
        destination = service.options.destination
        systems = (connector.name,) if destination is None else (connector.name, destination)
        self._runner.remember(entry, contents)
        beyond = max(0, len(contents) - MAX_ITEMS)
        self._lost += beyond
        reference_of = reference_reader(service.options.reference)
        for index in range(beyond, len(contents)):
            item = Item(
                id=self._items.last + 1,
                entry=entry.id,
                index=index,
                service_id=service.id,
                company=service.company,
                vanity_url=service.vanity_url,
                entity=service.entity,
                systems=systems,
                reference=reference_of(contents[index]),
                accepted_at=entry.received_at,
            )
            self._items.append(item)
            self._agenda.wait(service.id, item.id)

    def _pass_until(self, time: float) -> None:
        """Let happen what is due up to a time, in order."""
        if time < self._time - _MOVED_BACK_S:
            self._agenda.move_back(self._time - time)
            self._time = time
        if self._time == -math.inf:
            self._time = time
        agenda = self._agenda
        while True:
            due_at, service_id = agenda.next_run()
            timer = agenda.pop_due(min(due_at, time))
            if timer is not None:
                self._time = max(self._time, timer.due_at)
                self._ring(timer)
            elif due_at <= time:
                self._time = max(self._time, due_at)
                service = self._platform.store.service(service_id)
                self._runner.run(
                    service, agenda.take(service_id), self._time, "event" if self._runner.at_once else "cron"
                )
            else:
                break
        self._time = max(self._time, time)

    def _next_run(self, service_id: int) -> float:
        try:
            service = self._platform.store.service(service_id)
        except NotFoundError:
            return NEVER
        if not service.active:
            return NEVER
        if self._runner.at_once:
            return self._time
        options = service.options
        found = None if options.schedule is None else next_tick(options.schedule, options.time_zone, self._time)
        return NEVER if found is None else found

    def _ring(self, timer: Timer) -> None:
        item = self._items.get(timer.item)
        if item is None:
            return
        if not timer.confirms:
            self._agenda.wait(item.service_id, item.id)
        elif item.status == "Sent":
            attempt = replace(item.last[-1], status="OK", confirmed_at=self._time)
            self._items[item.id] = replace(item, last=(*item.last[:-1], attempt))

    # --- what people ask for ----------------------------------------------------------------------------------------

    def run(self, service_id: int) -> Run:
        """Run a service now; raise ``NotFoundError`` and ``ConflictError``."""
        with self._lock:
            self.settle()
            service = self._ready(self._platform.store.service(service_id))
            waiting = self._agenda.take(service_id)
            own = {item.id for item in self._items.values() if item.service_id == service_id}
            retries = self._agenda.take_retries(own)
            return self._runner.run(service, [*waiting, *retries], self._time, "cli")

    def _ready(self, service: Service) -> Service:
        if self._platform.settings.processing == "off":
            raise ConflictError("the setting processing is off; set it to immediate or scheduled first")
        if not service.active:
            raise ConflictError(f"service {service.id} is not active, and inactive services do not run; activate it")
        return service

    def resync(self, item_ids: Iterable[int]) -> list[Item]:
        """Sync failed items again, by a run for each service; raise ``InputError`` and change nothing."""
        with self._lock:
            self.settle()
            by_service: dict[int, dict[int, None]] = {}
            for item_id in item_ids:
                item = self._known(item_id)
                if self._platform.settings.resync == "never":
                    raise ConflictError(f"item {item.id} {_NOT_OFFERED} (setting resync = never)")
                if item.status != "Failed":
                    state = "was not tried yet" if item.status is None else f"is {item.status}"
                    raise ConflictError(f"item {item.id} {state}; only failed items can be resynced")
                by_service.setdefault(item.service_id, {})[item.id] = None
            services = [self._ready(self._platform.store.service(service_id)) for service_id in by_service]
            for service in services:
                for item_id in by_service[service.id]:
                    self._items[item_id] = replace(self._known(item_id), tries=0, swept=False)
                self._runner.run(service, by_service[service.id], self._time, "resync")
            return [self._known(item_id) for ids in by_service.values() for item_id in ids]

    # --- reading ----------------------------------------------------------------------------------------------------

    def items(self) -> list[Item]:
        """Return every item, oldest first, also those that were not tried yet."""
        with self._lock:
            self.settle()
            return list(self._items.values())

    def item(self, item_id: int) -> Item:
        """Return an item or raise ``NotFoundError``."""
        with self._lock:
            self.settle()
            return self._known(item_id)

    def _known(self, item_id: int) -> Item:
        found = self._items.get(item_id)
        if found is None:
            raise NotFoundError("row of the sync report", item_id, _from_to(self._items, str))
        return found

    def runs(self) -> list[Run]:
        """Return every run, oldest first."""
        with self._lock:
            self.settle()
            return list(self._runs.values())

    def find_run(self, run_id_: str) -> Run:
        """Return a run by its id, such as ``run-7``, or raise ``NotFoundError``."""
        with self._lock:
            self.settle()
            found = next((run for run in self._runs.values() if run.id == run_id_), None)
            if found is None:
                raise NotFoundError("run", run_id_, _from_to(self._runs, run_id))
            return found

    def next_run(self, service: Service) -> float | None:
        """Return when a service runs next by its schedule; ``None`` where it does not."""
        if self._platform.settings.processing != "scheduled":
            return None
        with self._lock:
            self.settle()
            found = self._next_run(service.id)
        return None if found == NEVER else found

    @property
    def dropped(self) -> int:
        """An upper bound for the items that are missing, because they were too many."""
        return self._lost + self._items.dropped

    @property
    def dropped_runs(self) -> int:
        """How many runs are missing, because they were too many."""
        return self._runs.dropped

    # --- as a value -------------------------------------------------------------------------------------------------

    def snapshot(self) -> ProcessingSnapshot:
        """Return all of it as a value."""
        with self._lock:
            waiting, timers = self._agenda.snapshot()
            return ProcessingSnapshot(
                read=self._read,
                time=max(self._time, 0.0),
                items=tuple(self._items.values()),
                last_item=self._items.last,
                lost=self._lost,
                runs=tuple(self._runs.values()),
                last_run=self._runs.last,
                waiting=waiting,
                timers=timers,
            )

    def restore(self, snapshot: ProcessingSnapshot) -> None:
        """Take over all of it from a value; raise ``InvalidValueError`` unless items and runs are numbered in order."""
        with self._lock:
            self._items.restore(
                "platform.processing.items", ((item.id, item) for item in snapshot.items), snapshot.last_item
            )
            self._runs.restore(
                "platform.processing.runs", ((run.number, run) for run in snapshot.runs), snapshot.last_run
            )
            self._read, self._time, self._lost = snapshot.read, snapshot.time, snapshot.lost
            self._agenda.restore(snapshot.waiting, snapshot.timers)


def _from_to(known: Numbered[Any], named: Callable[[int], str]) -> list[str]:
    return [f"{named(known.dropped + 1)} to {named(known.last)}"] if known else []
