"""What all connections of one server have in common."""

import logging
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from sandbox.environ import Environ
from sandbox.server.limits import Limits, Refused

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
