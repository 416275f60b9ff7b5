"""The fault ``failed``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from sandbox.faults.fault import Fault
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field

REFUSED: Final = "The destination refused the item."


@dataclass(frozen=True, slots=True)
class Failed(Fault):
    """An item that the destination refuses: `Failed` in the sync report, with a message.

    It acts on items of payloads that were accepted, when their service processes them.
    """

    kind: ClassVar[str] = "failed"
    processes: ClassVar[bool] = True

    message: str = field(types.printable(1_000, 1), "Message in the sync report.", REFUSED)


def failed(message: str = REFUSED) -> Failed:
    """Let an item fail in its processing: ``failed("SKU TEA-01 is unknown")``."""
    return Failed(message)
