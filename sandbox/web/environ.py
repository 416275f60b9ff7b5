"""The WSGI environ of one request (PEP 3333), whether it came by a socket or without one."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol, TypeAlias
from urllib.parse import unquote_to_bytes

from sandbox.web.http.request_head import Head

Environ = dict[str, object]

RAW_HEADERS: Final = "sandbox.raw_headers"
"""The header fields as they were sent: WSGI joins repeated ones, changes names and leaves some out."""

CONNECTION: Final = "sandbox.connection"
"""The key under which a server offers to hold the connection until there is news.

It is a function that takes the ``News``. What the view returns then is not sent, and no thread waits.
"""

# ``SandboxApp`` adds these for the control API, whose application is shared and so holds none of them.
SANDBOX: Final = "sandbox.sandbox"
CONTROL_KEY: Final = "sandbox.control_key"  # of the server, or ``None``
CA_PEM: Final = "sandbox.ca_pem"  # the certificate authority of the server, or ``None``
STREAMS: Final = "sandbox.streams"  # a function that returns the ``Streams`` of the server
ENDPOINTS: Final = "sandbox.endpoints"  # a function that returns the ``Endpoints`` at a base URL

Answer: TypeAlias = Callable[..., Iterable[bytes]]
"""A whole answer, as a WSGI application."""


class News(Protocol):
    """A stream of pieces that a client waits for. One ``next`` is under way at a time; ``close`` may come meanwhile."""

    def listen(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` from now on when there may be news, in any thread."""

    def next(self, *, timed_out: bool) -> bytes | Answer:
        """Return the bytes that the client is to get now, which may be none, or the answer that ends the wait.

        It is called when there may be news, and with ``timed_out`` when ``seconds_left`` are over. It may take long.
        """

    def seconds_left(self) -> float:
        """Return after how many seconds without news ``next`` is to be called."""

    def close(self) -> None:
        """Listen no more: the client has gone, or the wait is over."""


_WITHOUT_PREFIX: Final = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


def bare_environ(body: io.IOBase, host: str, port: str, remote_addr: str, scheme: str) -> Environ:
    """Return the environ of a request without what its head says."""
    return {
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "REMOTE_ADDR": remote_addr,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.input": body,
    }


def add_request(
    environ: Environ,
    *,
    method: str,
    target: str,
    path: str,
    query: str,
    protocol: str,
    headers: Sequence[tuple[str, str]],
) -> None:
    """Add what the head of a request says to ``environ``; ``path`` is percent-encoded, ``target`` as it was sent.

    Repeated fields are joined as RFC 9110 §5.3 allows, cookies by their own rule. A field with an underscore in its
    name is left out: CGI cannot distinguish ``X_User`` from ``X-User``. ``RAW_HEADERS`` has all fields.
    """
    environ["REQUEST_METHOD"] = method
    environ["SCRIPT_NAME"] = ""
    environ["PATH_INFO"] = unquote_to_bytes(path.encode("latin-1")).decode("latin-1") if "%" in path else path
    environ["QUERY_STRING"] = query
    environ["REQUEST_URI"] = environ["RAW_URI"] = target
    environ["SERVER_PROTOCOL"] = protocol
    environ[RAW_HEADERS] = headers
    for name, value in headers:
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        if key not in _WITHOUT_PREFIX:
            key = "HTTP_" + key
        if key in environ:
            separator = "; " if key == "HTTP_COOKIE" else ","
            environ[key] = f"{environ[key]}{separator}{value}"
        else:
            environ[key] = value


class BrokenBody(io.RawIOBase):
    """A body that is not whole: after what came of it, reading raises the reason, again and again."""

    def __init__(self, data: bytes, failure: Exception) -> None:
        self._data = io.BytesIO(data)
        self._failure = failure

    def readable(self) -> bool:
        """Say yes, as ``io`` wants it said."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Read into a buffer; werkzeug calls it, past ``read``."""
        count = self._data.readinto(buffer)  # type: ignore[arg-type] # a writable buffer
        if not count:
            raise type(self._failure)(*self._failure.args)  # a new one: its traceback holds the request
        return count


def new_environ(
    head: Head, body: io.IOBase, *, server: tuple[str, int], client: tuple[str, int], scheme: str
) -> Environ:
    """Return the environ of a request that came by a socket; ``server`` and ``client`` are host and port."""
    environ = bare_environ(body, server[0], str(server[1]), client[0], scheme)
    environ["REMOTE_PORT"] = str(client[1] or "")
    add_request(
        environ,
        method=head.method,
        target=head.target,
        path=head.path,
        query=head.query,
        protocol=head.protocol,
        headers=head.headers,
    )
    if not head.target.startswith("/") and head.host:
        environ["HTTP_HOST"] = head.host
    return environ
