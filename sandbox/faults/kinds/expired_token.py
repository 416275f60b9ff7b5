"""The fault ``expired_token``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Endpoint, Fault, Handling


@dataclass(frozen=True, slots=True)
class ExpiredToken(Fault):
    """A token has expired before its time.

    At the token endpoint: the token issued is past its lifetime already, while the answer looks like any other. At an
    inbound URL: the token used expires at this very request, which gets 401 like every later one with it.
    """

    kind: ClassVar[str] = "expired_token"
    handling: ClassVar[Handling] = "done"
    endpoints: ClassVar[tuple[Endpoint, ...]] = ("token", "inbound")


def expired_token() -> ExpiredToken:
    """Issue an expired token, or let the one used expire now."""
    return ExpiredToken()
