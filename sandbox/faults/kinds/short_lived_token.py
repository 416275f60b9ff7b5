"""The fault ``short_lived_token``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Endpoint, Fault, Handling
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class ShortLivedToken(Fault):
    """The token issued is valid for a short time only, on the sandbox clock. Token endpoint only."""

    kind: ClassVar[str] = "short_lived_token"
    handling: ClassVar[Handling] = "done"
    endpoints: ClassVar[tuple[Endpoint, ...]] = ("token",)

    seconds: int = field(types.integer(1, 31_536_000), "How long it is valid.", 1)
    announced: bool = field(types.boolean(), "Whether `expires_in` says so; if not, it tells the usual.", True)


def short_lived_token(seconds: int = 1, *, announced: bool = True) -> ShortLivedToken:
    """Issue a token that soon expires."""
    return ShortLivedToken(seconds, announced)
