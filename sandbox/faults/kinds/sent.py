"""The fault ``sent``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Fault
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class Sent(Fault):
    """An item that was pushed to a file or SFTP destination: `Sent` in the sync report until that is confirmed.

    Without `seconds` it is never confirmed.
    """

    kind: ClassVar[str] = "sent"
    processes: ClassVar[bool] = True

    seconds: float | None = field(
        types.seconds(366 * 86_400.0), "Time on the sandbox clock after which it is `OK`.", None
    )


def sent(seconds: float | None = None) -> Sent:
    """Let an item wait for its confirmation: ``sent(60)`` is OK after a minute, ``sent()`` never."""
    return Sent(seconds)
