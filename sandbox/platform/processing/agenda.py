"""The agenda of processing: the items that wait for a run of a service, and the moments at which an item changes.

The lock of ``Processing`` guards it.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Container, Iterable
from operator import itemgetter
from typing import Final

from msgspec.structs import replace

from sandbox.platform.processing.values import Timer, Waiting

NEVER: Final = math.inf


class Agenda:
    """The runs to come. ``next_run`` returns when a service runs next, by its id, or ``NEVER``."""

    def __init__(self, next_run: Callable[[int], float]) -> None:
        self._next_run = next_run
        self._queues: dict[int, dict[int, None]] = {}
        """The items that wait, by the service, oldest first."""
        self._dues: dict[int, float] = {}
        """When a service runs next, as far as that was asked for."""
        self._timers: list[Timer] = []

    def wait(self, service_id: int, item_id: int) -> None:
        """Let an item wait for the next run of a service."""
        self._queues.setdefault(service_id, {})[item_id] = None
        self._dues.pop(service_id, None)

    def add(self, timer: Timer) -> None:
        """Add a moment."""
        heapq.heappush(self._timers, timer)

    def pop_due(self, until: float) -> Timer | None:
        """Remove the first moment and return it, if it is not after a time."""
        return heapq.heappop(self._timers) if self._timers and self._timers[0].due_at <= until else None

    def next_run(self) -> tuple[float, int]:
        """Return the time of the first run that is due for items, or ``NEVER``, and the id of its service."""
        for service_id in self._queues.keys() - self._dues:
            self._dues[service_id] = self._next_run(service_id)
        dues = ((self._dues[service_id], service_id) for service_id in self._queues)
        return min(dues, key=itemgetter(0), default=(NEVER, 0))

    def take(self, service_id: int) -> list[int]:
        """Remove the items that wait for a service and return them."""
        return list(self._queues.pop(service_id, ()))

    def take_retries(self, items: Container[int]) -> list[int]:
        """Remove the retries of these items, and return the items in the order of their retries."""
        taken = sorted(timer for timer in self._timers if not timer.confirms and timer.item in items)
        self._timers = sorted(set(self._timers).difference(taken))
        return [timer.item for timer in taken]

    def ask_again(self) -> None:
        """Ask again when services run: what that depends on may have changed."""
        self._dues.clear()

    def move_back(self, step: float) -> None:
        """Follow a clock that was moved back: what waited some time goes on to wait for the rest of it."""
        self._timers = [replace(timer, due_at=timer.due_at - step) for timer in self._timers]
        self.ask_again()

    def snapshot(self) -> tuple[tuple[Waiting, ...], tuple[Timer, ...]]:
        """Return the items that wait, and the moments."""
        waiting = tuple(Waiting(service_id, tuple(items)) for service_id, items in self._queues.items())
        return waiting, tuple(sorted(self._timers))

    def restore(self, waiting: Iterable[Waiting], timers: Iterable[Timer]) -> None:
        """Take over what ``snapshot`` returned."""
        self._queues = {each.service_id: dict.fromkeys(each.items) for each in waiting}
        self._timers = sorted(timers)
