"""What all connections of one server have in common."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from sandbox.faults.cancellation import Cancellation
from sandbox.server.limits import Limits, Refused
from sandbox.server.parking import Parking
from sandbox.server.transport import inflict
from sandbox.web.environ import Environ
from sandbox.web.wsgi import Inflictable

WSGIApplication: TypeAlias = Callable[..., Iterable[bytes]]
_log = logging.getLogger(__name__)


class Endable(Protocol):
    """A connection, as `stop` sees it."""

    def cut(self) -> None:
        """Make whoever waits for this client stop waiting."""

    def close(self) -> None:
        """Give the connection back to the system."""


@dataclass(slots=True, eq=False)
class Service:
    """The application, the rules, and the register of open connections."""

    app: WSGIApplication
    limits: Limits
    tls: ssl.SSLContext | None
    environ: Environ
    """What is the same in the environ of every request."""
    on_refused: Callable[[Refused], None] | None
    on_error: Callable[[BaseException], None] | None
    parking: Parking | None = None
    """Where connections wait that a fault delays or holds."""
    at_once: Callable[[str, str], bool] | None = None
    """Tells by its method and path, percent-encoded, whether a request keeps nobody waiting, once its body is there."""
    is_stopping: bool = False
    on_cut: Callable[[], None] | None = None
    """Told when `stop` has no more patience with the requests in flight: to end what they wait for."""
    waiting: Callable[[], int] = field(default=lambda: 0)
    """How many connections wait for a worker."""
    stand_in: Callable[[], bool] = field(default=lambda: False)
    """Let one more worker serve while one waits for its client; return whether there is one."""
    stand_down: Callable[[], None] = field(default=lambda: None)
    """Have one worker less again, after `stand_in`."""
    channels: set[Endable] = field(default_factory=set)
    """Every connection that the server still has to close."""

    def refused(self, refused: Refused) -> None:
        """Tell the application what was refused without it."""
        if self.on_refused is not None:
            try:
                self.on_refused(refused)
            except Exception as error:  # noqa: BLE001 - a broken listener must not end the server
                self.failed(error)

    def failed(self, error: BaseException) -> None:
        """Report an error that nobody else has dealt with."""
        if self.on_error is None:
            _log.error("Error while serving a request", exc_info=error)
            return
        try:
            self.on_error(error)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("on_error itself failed on %r", error)


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

    __slots__ = ("_channel", "_parking", "aborted")

    def __init__(self, channel: Takeable, parking: Parking | None = None) -> None:
        self._parking = parking
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

    def inflict(self, effect: Inflictable, date: str, cancellation: Cancellation) -> None:
        """Bring an effect about. ``cancellation`` ends whatever takes time."""
        assert self._parking is not None
        inflict(effect, self, date, self._parking, cancellation)

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
