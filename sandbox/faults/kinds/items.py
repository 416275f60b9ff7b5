"""Faults of items in processing, after their payload was accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sandbox.faults.fault import Fault
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field

REFUSED: Final = "The destination refused the item."
DOWN: Final = "The destination does not answer; the item is tried again."


@dataclass(frozen=True, slots=True)
class Failed(Fault):
    """An item that the destination refuses: `Failed` in the sync report, with a message.

    It acts on items of payloads that were accepted, when their service processes them.
    """

    kind = "failed"
    processes = True

    message: str = field(types.printable(1_000, 1), "Message in the sync report.", REFUSED)


@dataclass(frozen=True, slots=True)
class Pending(Fault):
    """An item that does not arrive: `Pending` in the sync report, and tried again.

    It is `OK` after so many attempts. Without a number it never arrives: the last of the service's `max_attempts`
    makes it `Failed`.
    """

    kind = "pending"
    processes = True

    attempts: int | None = field(types.integer(1, 15), "Attempts that stay pending until the item arrives.", None)
    message: str = field(types.printable(1_000, 1), "Message in the sync report.", DOWN)


@dataclass(frozen=True, slots=True)
class Sent(Fault):
    """An item that was pushed to a file or SFTP destination: `Sent` in the sync report until that is confirmed.

    Without `seconds` it is never confirmed.
    """

    kind = "sent"
    processes = True

    seconds: float | None = field(
        types.seconds(366 * 86_400.0), "Time on the sandbox clock after which it is `OK`.", None
    )
