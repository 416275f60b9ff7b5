"""A WSGI application behind a port, until it is stopped: HTTP/1.0 and HTTP/1.1, with TLS or without."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from typing_extensions import Self

from sandbox.foundation.pool import Pool
from sandbox.server.connection import Connection
from sandbox.server.engine import Engine, listen
from sandbox.server.wsgi_bridge import WSGIApplication, WsgiBridge
from sandbox.web.http.body import Message
from sandbox.web.http.limits import Limits, Refused
from sandbox.web.http.request_head import Head

__all__ = ["HttpServer", "Limits", "Refused"]

_logger = logging.getLogger("patchworks_sandbox")
_BODY_LIMIT: Final = 64 * 1024 * 1024


class HttpServer:
    """Serves ``app`` at ``host`` and ``port`` (0: any free port, see ``port`` once it is started).

    ``threads`` is how many requests are in the application at the same time; connections that are idle, slow or held
    need none. With ``tls``, only TLS is spoken. A server that has been stopped can be started again.
    """

    def __init__(
        self,
        app: WSGIApplication,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        threads: int = 10,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._app = app
        self.host = host
        self._wanted = [(port, tls)]
        self._ports = [port]
        self._threads = threads
        self._limits = limits or Limits()
        self._engine: Engine | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; before the first start, the one that was asked for."""
        return self._ports[0]

    @property
    def connections(self) -> int:
        """How many connections are open."""
        engine = self._engine
        return len(engine.connections) if engine else 0

    def start(self) -> Self:
        """Listen and accept; raise ``OSError`` when the address is taken, ``RuntimeError`` when the server runs."""
        with ExitStack() as undone:
            if self._engine is not None:
                raise RuntimeError("the server has been started already")
            listeners = []
            for port, tls in self._wanted:
                listeners.append(listen(self.host, port, tls))
                undone.callback(listeners[-1].sock.close)
            self._ports = [listener.port for listener in listeners]
            self._pools = self._new_pools()
            self._bridge = WsgiBridge(self._app, self._pools[0], self._failed)
            engine = Engine(
                limits=self._limits,
                body_limit=self._body_limit_of,
                serve=self._serve,
                refused=self._refused,
                failed=self._failed,
                end_waits=self._end_waits,
            )
            engine.start(listeners)
            undone.pop_all()
            self._engine = engine
        return self

    def stop(self) -> None:
        """Stop listening, end all connections and all threads; do nothing when the server does not run.

        Requests that are being answered get a moment, then their connections are cut.
        """
        engine, self._engine = self._engine, None
        if engine is None:
            return
        self._end_waits()
        engine.stop()
        for pool in self._pools:
            pool.close()
        if not engine.is_own_thread and (stuck := sum(pool.join(self._limits.stuck_s) for pool in self._pools)):
            self._failed(RuntimeError(f"At the stop, {stuck} requests did not return from the application."))

    def _new_pools(self) -> list[Pool]:
        """Return the threads of a run; those of the application first."""
        return [Pool(self._threads, "http-worker")]

    def _end_waits(self) -> None:
        """End what requests wait for in the application: at the stop, before and after they have a moment."""

    # --- what the engine asks for, in any of the server's threads ---------------------------------------------------

    def _failed(self, error: BaseException) -> None:
        _logger.error("the server failed", exc_info=error)

    def _body_limit_of(self, head: Head) -> int:
        return _BODY_LIMIT

    def _serve(self, message: Message, connection: Connection) -> None:
        self._bridge.submit(message, connection)

    def _refused(self, refused: Refused, answer: Callable[[], None]) -> None:
        """Take note of a request that the application does not see, then answer it."""
        answer()
