"""The fault ``rate_limit``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Fault
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class RateLimit(Fault):
    """The platform's `429 Too Many Attempts`, with `Retry-After` and the `X-RateLimit` headers, whoever asks.

    To have requests really counted switch on the setting `rate_limit` instead.
    """

    kind: ClassVar[str] = "rate_limit"

    retry_after: float | None = field(
        types.seconds(low=1),
        "Seconds in `Retry-After`. Default: what is left of the rule's time window, else 60.",
        None,
    )


def rate_limit(retry_after: float | None = None) -> RateLimit:
    """Refuse with 429."""
    return RateLimit(retry_after)
