"""Bringing about what a client is made to see: the last step of a request, after its journal entry is closed.

Where the server lets us have the connection, failures are real ones on the wire, and waiting is the parking's. Where it
does not (Flask's test client, an application mounted elsewhere) the exception is raised that Python's ``http.client``
would have raised.
"""

from __future__ import annotations

import socket
from typing import Protocol

from typing_extensions import assert_never

from sandbox.faults.cancellation import Cancellation
from sandbox.faults.effects import Delayed, Empty, Garbage, Reset, Silence, Slow, Truncated
from sandbox.server.parking import Parking
from sandbox.web.wsgi import Inflictable, head, spread


class Detachable(Protocol):
    """A connection that can be ended, or handed over."""

    def reset(self) -> None:
        """End it with RST."""

    def close(self) -> None:
        """End it with FIN."""

    def detach(self) -> socket.socket:
        """Hand the socket over."""


def inflict(
    effect: Inflictable,
    connection: Detachable,
    date: str,
    parking: Parking,
    cancellation: Cancellation,
) -> None:
    """Bring an effect about on a connection. ``cancellation`` ends whatever takes time."""
    match effect:
        case Reset():
            connection.reset()
        case Empty():
            connection.close()
        case Silence(seconds):
            parking.park(connection.detach(), (), seconds, cancellation)
        case Delayed(answer, seconds):
            parking.park(connection.detach(), [(seconds, head(answer, date) + answer.body)], None, cancellation)
        case Slow(answer, seconds, pieces):
            steps = [(0.0, head(answer, date)), *spread(answer.body, seconds, pieces)]
            parking.park(connection.detach(), steps, None, cancellation)
        case Truncated(answer, kept):
            parking.park(connection.detach(), [(0.0, head(answer, date) + answer.body[:kept])], None, cancellation)
        case Garbage(data):
            parking.park(connection.detach(), [(0.0, data)], None, cancellation)
        case _:
            assert_never(effect)
