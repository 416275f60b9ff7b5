"""The fault ``maintenance``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Act, Fault, Rate
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field
from sandbox.foundation.refusals import FaultedError


@dataclass(frozen=True, slots=True)
class Maintenance(Fault):
    """The platform's maintenance mode: `503 Service Unavailable` with `Retry-After`."""

    kind: ClassVar[str] = "maintenance"

    retry_after: float | None = field(
        types.seconds(low=1),
        "Seconds in `Retry-After`. Default: what is left of the rule's time window, else 60.",
        None,
    )

    def refusal(self, act: Act, now: float) -> FaultedError:
        """Refuse as the framework does in maintenance mode."""
        return FaultedError(act.reason, 503, act.retry_after(self.retry_after))

    def refused_rate(self, rate: Rate | None) -> Rate | None:
        """Leave the headers out: maintenance mode comes before the throttle (WIRE D)."""
        return None


def maintenance(retry_after: float | None = None) -> Maintenance:
    """Be down for maintenance."""
    return Maintenance(retry_after)
