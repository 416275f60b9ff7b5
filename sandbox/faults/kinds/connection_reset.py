"""The fault ``connection_reset``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.effects import Reset
from sandbox.faults.fault import Act, Fault
from sandbox.foundation.answer import Answer


@dataclass(frozen=True, slots=True)
class ConnectionReset(Fault):
    """The connection is torn down: a TCP reset (RST) in place of an answer."""

    kind: ClassVar[str] = "connection_reset"

    def effect(self, act: Act, answer: Answer) -> Reset:
        """Reset the connection."""
        return Reset()


def connection_reset() -> ConnectionReset:
    """Tear the connection down in place of an answer."""
    return ConnectionReset()
