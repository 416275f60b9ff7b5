"""The fault ``bad_signature_token``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Endpoint, Fault, Handling


@dataclass(frozen=True, slots=True)
class BadSignatureToken(Fault):
    """The token issued is signed by an unknown key: inbound URLs refuse it with 401. Token endpoint only."""

    kind: ClassVar[str] = "bad_signature_token"
    handling: ClassVar[Handling] = "done"
    endpoints: ClassVar[tuple[Endpoint, ...]] = ("token",)


def bad_signature_token() -> BadSignatureToken:
    """Issue a token that is signed by an unknown key."""
    return BadSignatureToken()
