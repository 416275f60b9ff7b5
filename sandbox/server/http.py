"""A WSGI application behind a port, until it is stopped: HTTP/1.0 and HTTP/1.1, with TLS or without."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable

from sandbox.server.connection import Connection, Message
from sandbox.server.engine import Engine, listen
from sandbox.server.limits import Limits, Refused
from sandbox.server.pool import Pool
from sandbox.server.request_head import Head
from sandbox.server.wsgi_bridge import WSGIApplication, WsgiBridge

__all__ = ["HttpServer", "Limits", "Refused"]


class HttpServer:
    """Serves ``app`` at ``host`` and ``port`` (0: any free port, see ``port`` once it is started).

    ``threads`` is how many requests are in the application at the same time; connections that are idle, slow or held
    need none. With ``tls``, only TLS is spoken. ``body_limit`` is how many bytes of a body are kept for the
    application. ``on_refused`` is given the requests that the application does not see, before they are answered.
    ``on_error`` and ``on_cut`` are those of ``Engine``. A server that has been stopped can be started again.
    """

    def __init__(
        self,
        app: WSGIApplication,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        threads: int = 10,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        tls: ssl.SSLContext | None = None,
        on_refused: Callable[[Refused], None] | None = None,
        on_error: Callable[[BaseException], None] | None = None,
        on_cut: Callable[[], None] | None = None,
        body_limit: int = 64 * 1024 * 1024,
    ) -> None:
        self._app = app
        self.host = host
        """The host as it was given."""
        self.port = port
        """The port that is listened on; before the first start, the one that was asked for."""
        self._wanted_port = port
        self._threads = threads
        self._limits = limits
        self._tls = tls
        self._on_refused = on_refused
        self._on_error = on_error
        self._on_cut = on_cut
        self._body_limit = body_limit
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    @property
    def connections(self) -> int:
        """How many connections are open."""
        engine = self._engine
        return engine.connections if engine else 0

    def start(self) -> None:
        """Listen and accept; raise ``OSError`` when the address is taken, ``RuntimeError`` when the server runs."""
        with self._lock:
            if self._engine is not None:
                raise RuntimeError("the server has been started already")
            listener = listen(self.host, self._wanted_port, self._tls)
            self.port = listener.port
            self._pool = Pool(self._threads, "http-worker")
            self._engine = engine = Engine(self, self._limits, on_error=self._on_error, on_cut=self._on_cut)
            self._bridge = WsgiBridge(self._app, self._pool, engine.failed)
            engine.start([listener])

    def stop(self) -> None:
        """Stop listening, end all connections and all threads; do nothing when the server does not run.

        Requests that are being answered get a moment, then their connections are cut.
        """
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.stop()
            self._pool.close()
            if not engine.is_own_thread and (stuck := self._pool.join(self._limits.stuck_s)):
                engine.failed(RuntimeError(f"At the stop, {stuck} requests did not return from the application."))

    # --- what the engine asks for -----------------------------------------------------------------------------------

    def body_limit(self, head: Head) -> int:
        """Return how many bytes the body of a request may have."""
        return self._body_limit

    def serve(self, message: Message, connection: Connection) -> None:
        """Let the application answer a request."""
        self._bridge.submit(message, connection)

    def refused(self, refused: Refused, answer: Callable[[], None]) -> None:
        """Report a request that is refused."""
        if self._on_refused is not None:
            self._on_refused(refused)
        answer()
