"""The fault ``rate_limit``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Act, Fault, Rate
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field
from sandbox.foundation.refusals import TooManyAttemptsError


@dataclass(frozen=True, slots=True)
class RateLimit(Fault):
    """The platform's `429 Too Many Attempts`, with `Retry-After` and the `X-RateLimit` headers, to every client.

    To have requests really counted switch on the setting `rate_limit` instead.
    """

    kind: ClassVar[str] = "rate_limit"

    retry_after: float | None = field(
        types.seconds(low=1),
        "Seconds in `Retry-After`. Default: what is left of the rule's time window, else 60.",
        None,
    )

    def refusal(self, act: Act, now: float) -> TooManyAttemptsError:
        """Refuse as the throttle does."""
        wait = act.retry_after(self.retry_after)
        refusal = TooManyAttemptsError(wait, math.ceil(now + wait))
        refusal.reason = act.reason
        return refusal

    def refused_rate(self, rate: Rate | None) -> Rate | None:
        """Show that no request is left."""
        return rate and (rate[0], 0)


def rate_limit(retry_after: float | None = None) -> RateLimit:
    """Refuse with 429."""
    return RateLimit(retry_after)
