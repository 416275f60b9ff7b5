"""The HTTP server that the rest of the program sees: a WSGI application behind a port, until it is stopped.

It serves HTTP/1.0 and HTTP/1.1, with TLS or without, by a fixed number of threads. It knows its limits
(`Limits`), reports what it refused on its own account (`Refused`) and adds two entries to the environ:

- `sandbox.raw_headers`: the header fields as they were sent, a tuple of pairs (`RawHeaders`);
- `sandbox.connection`: the way to take the connection away from the server (`Connection`).

Nothing here knows what is being served.
"""

import errno
import os
import socket
import ssl
import sys
import threading
from collections.abc import Callable

from sandbox.server.limits import Limits, RawHeaders, Refused
from sandbox.server.listener import Listener
from sandbox.server.parking import Parking
from sandbox.server.service import Connection, Service, WSGIApplication

__all__ = ["Connection", "HttpServer", "Limits", "RawHeaders", "Refused", "WSGIApplication"]

# A burst of clients must not meet a full queue: the first retry of a dropped SYN is a second away.
_BACKLOG = 1_024


class HttpServer:
    """Serves `app` at `host` and `port` (0: any free port, see `port` once it is started).

    `threads` is how many requests are in the application at the same time; idle connections need none. With
    `tls`, only TLS is spoken.

    `on_refused` is told of requests that the application never sees, before they are answered. `on_error` is
    given every exception that escapes from the application (its client gets a plain 500, and keeps its
    connection) or that the server itself runs into; without it, they are logged. Both are called in the
    server's threads.

    `at_once` says of a method and a path, percent-encoded as it was sent, that `app` answers it without waiting
    for anything but the body. Such requests, with a body of up to 64 KiB, are served without a change of
    threads; meanwhile no other connection is attended to, so it must be said only of what takes no longer than
    that change.

    `on_cut` is called when `stop` cuts the connections of requests in flight, to end whatever else `app` waits for.

    A server that has been stopped can be started again.
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
        at_once: Callable[[str, str], bool] | None = None,
        on_cut: Callable[[], None] | None = None,
        parking: Parking | None = None,
    ) -> None:
        self._app = app
        self._host = host
        self._wanted_port = port
        self._bound_port = port
        self._threads = threads
        self._limits = limits
        self._tls = tls
        self._on_refused = on_refused
        self._on_error = on_error
        self._at_once = at_once
        self._on_cut = on_cut
        self._parking = parking
        self._listener: Listener | None = None
        self._lock = threading.Lock()

    @property
    def host(self) -> str:
        """The host as it was given."""
        return self._host

    @property
    def port(self) -> int:
        """The port that is listened on; before the first start, the one that was asked for."""
        return self._bound_port

    def start(self) -> None:
        """Listen and accept; both are the case when this returns.

        Raises `OSError` when the address cannot be had and `RuntimeError` when the server runs already.
        """
        with self._lock:
            if self._listener is not None:
                raise RuntimeError("the server has been started already")
            sock = _listen(self._host, self._wanted_port)
            self._bound_port = sock.getsockname()[1]
            self._listener = Listener(sock, self._service(), self._threads)
            self._listener.start()

    def stop(self) -> None:
        """Stop listening, end all connections and all threads. Does nothing when the server does not run.

        Requests in flight are given a moment, then their connections are cut. Sockets that the application
        has detached are not touched.
        """
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()

    def _service(self) -> Service:
        environ: dict[str, object] = {
            "SERVER_NAME": self._host,
            "SERVER_PORT": str(self._bound_port),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http" if self._tls is None else "https",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
        }
        return Service(
            self._app,
            self._limits,
            self._tls,
            environ,
            self._on_refused,
            self._on_error,
            self._parking,
            self._at_once,
            on_cut=self._on_cut,
        )


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening, non-blocking socket."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise OSError(error.errno, f"Cannot listen on {host!r}: {error.strerror}") from error
    try:
        if port and os.name == "posix":
            # Otherwise a restart has to wait until the last connections of the run before have timed out. On
            # Windows the option means something else, and with port 0 it could yield a port that is in use.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        in_use = error.errno == errno.EADDRINUSE
        why = "the port is in use; choose another, or 0 for a free one" if in_use else error.strerror
        raise OSError(error.errno, f"Cannot listen on {host}:{port}: {why}") from error
    return sock
