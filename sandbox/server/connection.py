"""What an application may do to the connection that its request came on."""

import socket
from typing import Protocol


class Takeable(Protocol):
    """What stands behind a `Connection`, until it is taken."""

    def reset(self) -> None:
        """End with RST."""

    def hang_up(self) -> None:
        """End with FIN."""

    def release(self) -> socket.socket:
        """Hand the socket over and forget it."""


class Connection:
    """The environ's `sandbox.connection`: take the connection away from the server.

    Each method may be called before the answer has begun or in the midst of it, by the thread that serves the
    request. After one of them the server writes no byte more: return an empty body, which is ignored like
    whatever else is returned. Called twice, or once the answer is complete, they raise `RuntimeError`.
    """

    __slots__ = ("_channel", "aborted")

    def __init__(self, channel: Takeable) -> None:
        self._channel: Takeable | None = channel
        self.aborted = False
        """Whether one of the methods has been called."""

    def reset(self) -> None:
        """End the connection with RST. What had been written and is still under way is lost."""
        self._take().reset()

    def close(self) -> None:
        """End the connection with FIN: to the client, a clean end of the stream."""
        self._take().hang_up()

    def detach(self) -> socket.socket:
        """Return the socket, in blocking mode; it is an `ssl.SSLSocket` on a TLS connection.

        From here on it is the caller's, who must close it, also after the server has stopped.
        """
        return self._take().release()

    def expire(self) -> None:
        """The answer is complete: from now on the connection serves somebody else."""
        self._channel = None

    def _take(self) -> Takeable:
        channel = self._channel
        if channel is None:
            raise RuntimeError("the connection has been taken over already, or its answer is complete")
        self._channel = None
        self.aborted = True
        return channel
