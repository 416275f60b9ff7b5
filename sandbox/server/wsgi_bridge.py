"""The bridge to WSGI applications (PEP 3333): a request becomes an environ, and the answer goes back to the loop.

What the application says about framing is taken at its word; where it says nothing, the bridge frames the body. The
head leaves together with the first part of the body. An application that answers in one part costs its thread no wait.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import threading
from collections.abc import Callable, Iterable
from email.utils import formatdate
from types import TracebackType
from typing import Final, TypeAlias

from sandbox.server.connection import Connection, Message
from sandbox.server.held import Held
from sandbox.server.pool import Pool
from sandbox.server.request_head import TOKEN
from sandbox.web.environ import CONNECTION, Environ, add_request
from sandbox.web.news import News

WSGIApplication: TypeAlias = Callable[..., Iterable[bytes]]
ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

_TEXT: Final = re.compile(r"[\x01-\x09\x0b\x0c\x0e-\xff]*")
"""Latin-1 without CR, LF and NUL."""

_STATUS: Final = re.compile(r"[1-9][0-9]{2} " + _TEXT.pattern)


class ResponseError(Exception):
    """The application broke the rules of WSGI or HTTP."""


class ClientGoneError(ConnectionError):
    """The client did not take the answer. No fault of the application's."""


class WsgiBridge:
    """Lets a WSGI application answer requests in the threads of a pool."""

    def __init__(self, app: WSGIApplication, pool: Pool, on_error: Callable[[BaseException], None]) -> None:
        self._app = app
        self._pool = pool
        self._on_error = on_error

    def submit(self, message: Message, connection: Connection) -> None:
        """Let the application answer; raise ``RuntimeError`` where there is no thread for it."""
        self._pool.submit(lambda: self._answer(message, connection))

    def _answer(self, message: Message, connection: Connection) -> None:
        if not connection.may_persist:  # the server is stopping: a request that waited is not begun
            connection.call(connection.abort)
            return
        environ = _environ(message)
        offered = environ[CONNECTION] = _Offered()
        writer = _Writer(message, connection)
        self._run(self._app, environ, writer, offered)
        if offered.news is not None:
            held = Held(connection, offered.news, self._pool, lambda app: self._late(app, environ, message, connection))
            connection.call(held.begin)

    def _late(self, app: WSGIApplication, environ: Environ, message: Message, connection: Connection) -> None:
        """Let the answer follow that a view has kept the client waiting for."""
        self._run(app, environ, _Writer(message, connection), None)

    def _run(self, app: WSGIApplication, environ: Environ, writer: _Writer, offered: _Offered | None) -> None:
        parts: object = None
        try:
            parts = answer = app(environ, writer.start)
            if offered is None or offered.news is None:
                writer.send_all(answer)
        except ClientGoneError:
            writer.persists = False
        except BaseException as error:  # noqa: BLE001 - even SystemExit ends this request only
            self._on_error(error)
            with contextlib.suppress(ClientGoneError):
                writer.fail()
        finally:
            self._close(parts)
            self._close(environ["wsgi.input"])
        if offered is None or offered.news is None:
            writer.end()

    def _close(self, parts: object) -> None:
        close = getattr(parts, "close", None)
        if close is not None:
            try:
                close()
            except BaseException as error:  # noqa: BLE001 - as above
                self._on_error(error)


class _Offered:
    """The environ's ``sandbox.connection``: a view may keep its client waiting for news."""

    def __init__(self) -> None:
        self.news: News | None = None

    def wait_for(self, news: News) -> None:
        """Answer when there is news; what the application returns is not sent."""
        self.news = news


class _BrokenBody(io.RawIOBase):
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


def _environ(message: Message) -> Environ:
    head, listener = message.head, message.listener
    environ: Environ = {
        "SERVER_NAME": listener.host,
        "SERVER_PORT": str(listener.port),
        "REMOTE_ADDR": message.peer[0],
        "REMOTE_PORT": str(message.peer[1] or ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": listener.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.input": _BrokenBody(message.body, message.failure) if message.failure else io.BytesIO(message.body),
    }
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


class _Writer:
    """The answer to one request, on its way from the application to the client."""

    def __init__(self, message: Message, connection: Connection) -> None:
        self._request = message.head
        self._may_persist = message.keep_alive
        self._connection = connection
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._given: dict[str, str] = {}
        self._remaining: int | None = None
        self._chunked = False
        self._begun = False
        self._unsent = b""
        """The last part, which leaves with the end of the answer."""
        self.persists = False
        """Once the head is made: whether it promises the client another answer on this connection."""

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """Take status and headers (WSGI's ``start_response``); raise ``ResponseError`` for what may not be written."""
        if exc_info is not None:
            if self._begun and exc_info[1] is not None:
                raise exc_info[1]
        elif self._status:
            raise ResponseError("start_response was called twice without exc_info.")
        if not _matches(_STATUS, status):
            raise ResponseError(f"A status must be three digits, a space and a reason, not {status!r}.")
        given: dict[str, str] = {}
        for name, value in headers:
            if not _matches(TOKEN, name):
                raise ResponseError(f"{name!r} cannot be the name of a header.")
            if not _matches(_TEXT, value):
                raise ResponseError(f"The value of {name} must be text without CR, LF and NUL, not {value!r}.")
            given[name.lower()] = value
        if not given.get("content-length", "0").isdecimal():
            raise ResponseError(f"Content-Length must be a number, not {given['content-length']!r}.")
        self._status, self._headers, self._given = status, list(headers), given
        return self.write

    def send_all(self, parts: Iterable[bytes]) -> None:
        """Write the whole body; raise ``ResponseError`` when it falls short of its Content-Length."""
        if isinstance(parts, list | tuple) and len(parts) <= 1:
            # The one case in which the length of the body is known before it is written.
            only = parts[0] if parts else b""
            self._write(only, length_if_unsaid=len(only))
        else:
            for part in parts:
                if part:
                    self.write(part)
        if not self._begun:
            self._write(b"", length_if_unsaid=0)
        if self._chunked:
            self._unsent += b"0\r\n\r\n"
        if self._remaining:
            raise ResponseError(f"The body ended {self._remaining} bytes before its Content-Length.")

    def write(self, data: bytes) -> None:
        """Write one part of the body."""
        if data:
            self._write(data, length_if_unsaid=None)

    def fail(self) -> None:
        """Answer 500 in place of the answer, or break off what has begun of it."""
        if self._begun:
            self.persists = False
            return
        self._status = "500 Internal Server Error"
        self._headers = [("Content-Type", "text/plain; charset=utf-8")]
        self._given = {}
        body = b"Internal Server Error\n"
        self._write(body, length_if_unsaid=len(body))

    def end(self) -> None:
        """Send the last part, and give the connection back."""
        self._connection.call(self._end, self._unsent)

    def _end(self, last: bytes) -> None:
        self._connection.write(last)
        self._connection.finish(persists=self.persists)

    def _write(self, data: bytes, length_if_unsaid: int | None) -> None:
        if not isinstance(data, bytes):
            raise ResponseError(f"The body must be bytes, not {type(data).__name__}.")
        if not self._status:
            raise ResponseError("The application wrote before it called start_response.")
        head = b"" if self._begun else self._begin(length_if_unsaid)
        self._unsent += head + self._frame(data)
        if self._remaining != 0:  # more may follow, and much later
            self._flush()

    def _flush(self) -> None:
        """Send a part that is not the last; wait until the client takes it."""
        data, self._unsent = self._unsent, b""
        taken = threading.Event()
        self._connection.call(self._send, data, taken)
        while not taken.wait(1.0):
            if self._connection.loop.is_closed():
                break
        if self._connection.is_closed:
            raise ClientGoneError("the client is gone, or did not take the answer in time")

    def _send(self, data: bytes, taken: threading.Event) -> None:
        self._connection.write(data)
        self._connection.when_writable(taken.set)

    def _begin(self, length_if_unsaid: int | None) -> bytes:
        """Decide how the body ends and whether the connection lives on; return the head."""
        self._begun = True
        given = self._given
        lines = [f"HTTP/1.1 {self._status}"]
        lines += [f"{name}: {value}" for name, value in self._headers]
        if "date" not in given:
            lines.append(f"Date: {formatdate(usegmt=True)}")

        is_1_1 = self._request.protocol == "HTTP/1.1"
        ends_itself = True
        if self._request.method == "HEAD" or self._status[:3] in {"204", "304"} or self._status[0] == "1":
            self._remaining = 0
        elif "transfer-encoding" in given:
            ends_itself = False  # the application frames the body itself, and its end is not looked for
        elif "content-length" in given:
            self._remaining = int(given["content-length"])
        elif length_if_unsaid is not None:
            lines.append(f"Content-Length: {length_if_unsaid}")
            self._remaining = length_if_unsaid
        elif is_1_1:
            lines.append("Transfer-Encoding: chunked")
            self._chunked = True
        else:
            ends_itself = False

        wants_close = "close" in given.get("connection", "").lower()
        self.persists = ends_itself and not wants_close and self._may_persist and self._connection.may_persist
        if "connection" not in given:
            if not self.persists:
                lines.append("Connection: close")
            elif not is_1_1:
                lines.append("Connection: keep-alive")
        lines.append("\r\n")
        return "\r\n".join(lines).encode("latin-1")

    def _frame(self, data: bytes) -> bytes:
        if self._chunked:
            return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        if self._remaining is None:
            return data
        data = data[: self._remaining] if len(data) > self._remaining else data
        self._remaining -= len(data)
        return data


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
