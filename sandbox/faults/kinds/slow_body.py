"""The fault ``slow_body``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.effects import Slow
from sandbox.faults.fault import Act, Fault, Handling
from sandbox.foundation import value_types as types
from sandbox.foundation.answer import Answer
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class SlowBody(Fault):
    """The head of the answer at once, then its body in pieces. The request is handled as without a fault.

    A client's time-out for a single read does not notice; one for the whole answer does. The wait is real time and
    occupies no worker; the connection is closed after the answer.
    """

    kind: ClassVar[str] = "slow_body"
    handling: ClassVar[Handling] = "done"

    seconds: float = field(types.seconds(), "How long the whole body takes.", 5.0)
    pieces: int = field(types.integer(1, 10_000), "In how many pieces it comes, at most one a byte.", 10)

    def effect(self, act: Act, answer: Answer) -> Slow:
        """Send the body in pieces."""
        return Slow(answer, self.seconds, max(1, min(self.pieces, len(answer.body))))


def slow_body(seconds: float = 5.0, pieces: int = 10) -> SlowBody:
    """Send the body of the answer bit by bit."""
    return SlowBody(seconds, pieces)
