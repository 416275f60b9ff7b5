"""The outcome of an attempt on an item: that of the fault rule for processing that acts on it, else that it arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.faults.kinds.failed import Failed
from sandbox.faults.kinds.pending import Pending
from sandbox.faults.kinds.sent import Sent
from sandbox.foundation.errors import NotFoundError
from sandbox.foundation.json_value import JsonValue
from sandbox.journal.entry import Entry
from sandbox.platform.processing.items import ItemInProcessing, items_of
from sandbox.platform.processing.values import Item, Status

if TYPE_CHECKING:
    from sandbox.faults.fault import Fault
    from sandbox.platform.platform import Platform

_FOR_EVER: Final = -1
_NOTHING: Final[tuple[str, Entry | None, list[JsonValue]]] = ("", None, [])


class Outcome(NamedTuple):
    """The outcome of an attempt."""

    status: Status
    message: str | None = None
    pending: int | None = None
    """``Item.pending`` after it."""
    confirmed_after_s: float | None = None
    """Seconds until a sent item is confirmed."""


class Outcomes:
    """The outcomes of the items of one platform. The lock of ``Processing`` guards it."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._parsed = _NOTHING

    def of(self, item: Item, at: float) -> Outcome:
        """Return the outcome of an attempt at a time. One that is pending stays so for as long as its rule said."""
        if item.pending is not None and item.last:
            left = max(item.pending - 1, _FOR_EVER)
            return Outcome("OK") if item.pending == 0 else Outcome("Pending", item.last[-1].message, left)
        match self._chosen_fault(item, at):
            case Failed(message):
                return Outcome("Failed", message)
            case Sent(seconds):
                return Outcome("Sent", confirmed_after_s=seconds)
            case Pending(attempts, message):
                return Outcome("Pending", message, _FOR_EVER if attempts is None else attempts - 1)
        return Outcome("OK")

    def _chosen_fault(self, item: Item, at: float) -> Fault | None:
        faults = self._platform.faults
        if not faults.armed_processing:
            return None
        entry, contents = self._payload(item.entry)
        content = contents[item.index] if item.index < len(contents) else None
        act = faults.choose(ItemInProcessing(item, entry, content), at=at)
        return None if act is None else act.fault

    def _payload(self, entry_id: str) -> tuple[Entry | None, list[JsonValue]]:
        """Return an entry with its items; the items of an entry follow each other, so the last one is remembered."""
        if self._parsed[0] != entry_id:
            try:
                entry = self._platform.journal.get(entry_id)
            except NotFoundError:
                self._parsed = (entry_id, None, [])
            else:
                self.remember(entry, items_of(entry.json))
        return self._parsed[1:]

    def remember(self, entry: Entry, contents: list[JsonValue]) -> None:
        """Keep the parsed items of an entry, which are the next to be asked for."""
        self._parsed = (entry.id, entry, contents)

    def forget(self) -> None:
        """Keep no payload."""
        self._parsed = _NOTHING
