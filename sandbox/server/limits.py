"""What the server allows a client, and its account of what it refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

RawHeaders = tuple[tuple[str, str], ...]
"""Header fields as they were sent: case, order and repeats kept, bytes decoded as Latin-1."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how long a client may take. Sizes are bytes, times seconds."""

    header_bytes: int = 65_536
    """The whole head, request line included. More is answered 431."""
    header_count: int = 100
    """Header fields of one request. More is answered 431."""
    target_bytes: int = 16_384
    """The request target (path and query). More is answered 414."""
    head_timeout_s: float = 10.0
    """From the first byte of a head to its last, and for a whole TLS handshake. Later is answered 408."""
    body_timeout_s: float = 60.0
    """For a whole body, from the moment the application asks for it; and for the client to take what one
    write of the answer gives it."""
    keep_alive_s: float = 75.0
    """How long a connection may stay silent between two requests, or before its first."""
    connections: int = 2_048
    """Open at the same time. One more is answered 503 and closed."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that the server answered itself, before the application saw it.

    `method`, `target` and `headers` are what had arrived by then, unchecked, and empty where nothing had.
    """

    status: int
    reason: str
    remote_addr: str = ""
    method: str = ""
    target: str = ""
    headers: RawHeaders = ()


# For the client's end of a connection that was answered for the last time.
_FAREWELL_S = 2.0


class Phase(Enum):
    """What a parked channel waits for."""

    IDLE = auto()  # the first byte of a request
    HANDSHAKE = auto()  # the rest of a TLS handshake
    HEAD = auto()  # the rest of a head
    BODY = auto()  # the rest of a body that will be served at once
    SKIPPING = auto()  # the rest of a body that the application did not want
    LEAVING = auto()  # the client's end of the connection, after ours


def patience(phase: Phase, limits: Limits) -> float:
    """Return for how many seconds a client is waited for."""
    match phase:
        case Phase.IDLE:
            return limits.keep_alive_s
        case Phase.BODY:
            return limits.body_timeout_s
        case Phase.HEAD | Phase.HANDSHAKE:
            return limits.head_timeout_s
        case _:
            return _FAREWELL_S
