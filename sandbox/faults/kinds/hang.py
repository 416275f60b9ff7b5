"""The fault ``hang``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.effects import Silence
from sandbox.faults.fault import Act, Fault
from sandbox.foundation import value_types as types
from sandbox.foundation.answer import Answer
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class Hang(Fault):
    """No answer, and the connection stays open: until the client gives up, the rule goes or the sandbox stops.

    Occupies no worker.
    """

    kind: ClassVar[str] = "hang"

    seconds: float | None = field(
        types.seconds(), "Close the connection, without an answer, after so long at the latest.", None
    )

    def effect(self, act: Act, answer: Answer) -> Silence:
        """Leave the connection open."""
        return Silence(self.seconds)


def hang(seconds: float | None = None) -> Hang:
    """Leave the client waiting."""
    return Hang(seconds)
