"""The fault ``revoked_token``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Endpoint, Fault, Handling
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class RevokedToken(Fault):
    """Tokens are revoked in mid-flight: this request gets 401, like every later one with them. Inbound URLs only.

    New tokens are issued as ever.
    """

    kind: ClassVar[str] = "revoked_token"
    handling: ClassVar[Handling] = "done"
    endpoints: ClassVar[tuple[Endpoint, ...]] = ("inbound",)

    whose: str = field(
        types.choice("request", "client", "all"),
        "Which tokens: the one this request carries, all of its OAuth client, or all there are.",
        "request",
    )


def revoked_token(whose: str = "request") -> RevokedToken:
    """Revoke the token of a request, those of its client, or all."""
    return RevokedToken(whose)
