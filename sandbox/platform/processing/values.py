"""The values of processing: items, attempts and runs, which the sync report shows and a saved state keeps.

Times are Unix seconds on the sandbox clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, Literal, TypeVar

from msgspec import Meta, Struct

from sandbox.foundation.bounds import Count, Number, Seconds
from sandbox.foundation.errors import InvalidValueError

Status = Literal["OK", "Sent", "Pending", "Failed"]
"""The statuses of the sync report (FACTS P3)."""

STATUSES: Final[tuple[Status, ...]] = ("OK", "Sent", "Pending", "Failed")

RequestedBy = Literal["cron", "cli", "resync", "event"]
"""The cause of a run: its schedule, a person, a resync, or a payload that is processed at once (FACTS P8)."""


class Attempt(Struct, frozen=True, gc=False):
    """One attempt to sync an item, which a run made."""

    run: Number
    at: Seconds
    status: Status
    message: str | None
    confirmed_at: Seconds | None = None
    """When a sent item was confirmed."""

    @property
    def updated_at(self) -> float:
        """The time of the attempt, or of its confirmation."""
        return self.at if self.confirmed_at is None else self.confirmed_at


class Item(Struct, frozen=True, kw_only=True, gc=False):
    """An item of an accepted payload: a whole payload, or an entry of a list."""

    id: Number
    entry: str
    """Id of the journal entry of its payload."""
    index: Count
    """Its place in the list; 0 where the payload is no list."""
    service_id: Number
    company: str
    vanity_url: str
    entity: str
    systems: Annotated[tuple[str, ...], Meta(min_length=1)]
    reference: str | None
    accepted_at: Seconds
    attempts: Count = 0
    """How many attempts there were in all."""
    tries: Count = 0
    """How many attempts there were since it was accepted, or since the last resync."""
    last: tuple[Attempt, ...] = ()
    """The newest attempts, oldest first."""
    swept: bool = False
    """Whether a sweeper tried it since it was accepted or resynced."""
    pending: int | None = None
    """After how many more attempts a pending item arrives; -1 for never; null where it is not pending."""

    @property
    def status(self) -> Status | None:
        """The status in the sync report; ``None`` before the first attempt."""
        return self.last[-1].status if self.last else None


def run_id(number: int) -> str:
    """Return the id of a run, which the sync report shows as sync id."""
    return f"run-{number}"


class Run(Struct, frozen=True, kw_only=True, gc=False):
    """A run of a service: it pulls the items that wait, and pushes them one by one."""

    number: Number
    service_id: Number
    company: str
    vanity_url: str
    requested_by: RequestedBy
    due_at: Seconds
    pulled: Count
    pushed: Count
    pending: Count
    failed: Count
    page_size: Number

    @property
    def id(self) -> str:
        """The id."""
        return run_id(self.number)

    @property
    def pages(self) -> int:
        """How many pages of items it pulled."""
        return -(-self.pulled // self.page_size)

    @property
    def status(self) -> str:
        """Whether it is complete, or failed with all of its items."""
        return "failed" if self.pulled and self.failed == self.pulled else "complete"


class Timer(Struct, frozen=True, order=True):
    """A moment at which something happens to an item: a retry, or the confirmation of a sent one."""

    due_at: Seconds
    item: Number
    confirms: bool


class Waiting(Struct, frozen=True):
    """The items that wait for the next run of a service."""

    service_id: Number
    items: tuple[int, ...]


class ProcessingSnapshot(Struct, frozen=True, kw_only=True):
    """Processing. ``read`` is the number of the newest journal entry whose payload was taken."""

    read: Count
    time: Annotated[Seconds, Meta(description="Everything until then has happened.")]
    items: tuple[Item, ...]
    last_item: Count
    lost: Annotated[Count, Meta(description="Items that were dropped before they had a number.")]
    runs: tuple[Run, ...]
    last_run: Count
    waiting: tuple[Waiting, ...]
    timers: tuple[Timer, ...]


T = TypeVar("T")


class Numbered(dict[int, T]):
    """Up to ``limit`` values by their numbers, oldest first. ``last`` is the highest number so far."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.last = 0

    def append(self, value: T) -> None:
        """Add a value with the next number."""
        self.last += 1
        self[self.last] = value
        if len(self) > self._limit:
            del self[self.last - self._limit]

    @property
    def dropped(self) -> int:
        """How many were dropped."""
        return self.last - len(self)

    def restore(self, where: str, values: Iterable[tuple[int, T]], last: int) -> None:
        """Take over values with their numbers; raise ``InvalidValueError`` where these have gaps."""
        restored = dict(values)
        numbers = list(restored)
        if numbers != list(range(last - len(numbers) + 1, last + 1)):
            raise InvalidValueError(
                where, numbers[:5], f"values with numbers without gaps, of which {last} is the last"
            )
        self.clear()
        self.update((number, restored[number]) for number in numbers[-self._limit :])
        self.last = last
