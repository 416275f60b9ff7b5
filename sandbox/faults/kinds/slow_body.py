"""The fault ``slow_body``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Fault, Handling
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class SlowBody(Fault):
    """The head of the answer at once, then its body in dribs and drabs. The request is handled as ever.

    A client's time-out for a single read does not notice; one for the whole answer does. The wait is real time and
    occupies no worker; the connection is closed in the end.
    """

    kind: ClassVar[str] = "slow_body"
    handling: ClassVar[Handling] = "done"

    seconds: float = field(types.seconds(), "How long the whole body takes.", 5.0)
    pieces: int = field(types.integer(1, 10_000), "In how many pieces it comes, at most one a byte.", 10)


def slow_body(seconds: float = 5.0, pieces: int = 10) -> SlowBody:
    """Send the body of the answer bit by bit."""
    return SlowBody(seconds, pieces)
