"""The fault ``pending``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from sandbox.faults.fault import Fault
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field

DOWN: Final = "The destination does not answer; the item is tried again."


@dataclass(frozen=True, slots=True)
class Pending(Fault):
    """An item that does not arrive: `Pending` in the sync report, and tried again.

    It is `OK` after so many attempts. Without a number it never arrives: the last of the service's `max_attempts`
    makes it `Failed`.
    """

    kind: ClassVar[str] = "pending"
    processes: ClassVar[bool] = True

    attempts: int | None = field(types.integer(1, 15), "Attempts that stay pending until the item arrives.", None)
    message: str = field(types.printable(1_000, 1), "Message in the sync report.", DOWN)


def pending(attempts: int | None = None, message: str = DOWN) -> Pending:
    """Let an item wait for its destination: ``pending(2)`` arrives with the third attempt, ``pending()`` never."""
    return Pending(attempts, message)
