"""What a connection waits for that is parked, and how long it may."""

from enum import Enum, auto

from sandbox.server.limits import Limits

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
