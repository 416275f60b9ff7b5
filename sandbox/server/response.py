"""Write the answer of a WSGI application, and nothing that it did not mean.

The head leaves together with the first part of the body, in one `send`. What the application says about
framing is taken at its word; where it says nothing, the server frames the body itself.
"""

import re
from collections.abc import Callable, Iterable
from email.utils import formatdate
from http import HTTPStatus
from types import TracebackType
from typing import TypeAlias

from sandbox.server.head import TOKEN, Head

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

# Latin-1 without CR, LF and NUL.
_TEXT = re.compile(r"[\x01-\x09\x0b\x0c\x0e-\xff]*")
_STATUS = re.compile(r"[1-9][0-9]{2} " + _TEXT.pattern)
# Up to here, copying the first part of the body behind the head is cheaper than a second system call.
_COPY_BYTES = 65_536


class ResponseError(Exception):
    """The application broke the rules of WSGI or HTTP."""


class ClientGoneError(ConnectionError):
    """The client did not take the answer. No fault of the application's."""


def plain_answer(status: int, text: str) -> bytes:
    """Return a whole answer of the server's own: one line of plain text. The connection ends with it."""
    body = f"{text}\n".encode("latin-1", "replace")
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        "Content-Type: text/plain; charset=latin-1\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("latin-1") + body


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


class Response:
    """The answer to one request, on its way from the application to the client.

    `send` writes to the client. `may_persist` tells, at the moment the head leaves, whether the connection
    could serve another request after this one. `on_start` is called just before the head leaves.
    """

    def __init__(
        self,
        head: Head,
        send: Callable[[bytes], None],
        may_persist: Callable[[], bool],
        on_start: Callable[[], None],
    ) -> None:
        self._request = head
        self._send = send
        self._may_persist = may_persist
        self._on_start = on_start
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._given: dict[str, str] = {}
        self._remaining: int | None = None
        self._chunked = False
        self.begun = False
        self.persists = False
        """Once the head has left: whether it promised the client another request on this connection."""

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """Take status and headers; this is WSGI's `start_response`.

        Raises `ResponseError` for what may not be written, above all line breaks in a value.
        """
        if exc_info is not None:
            if self.begun and exc_info[1] is not None:
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
        """Write the whole body, as the application yields it, and end it."""
        if isinstance(parts, list | tuple) and len(parts) <= 1:
            # The one case in which the server can tell the length of the body before it is written.
            only = parts[0] if parts else b""
            self._write(only, length_if_unsaid=len(only))
        else:
            for part in parts:
                if part:
                    self.write(part)
        self.finish()

    def write(self, data: bytes) -> None:
        """Write one part of the body now."""
        if data:
            self._write(data, length_if_unsaid=None)

    def finish(self) -> None:
        """End the answer.

        Raises `ResponseError` when it falls short of its Content-Length.
        """
        if not self.begun:
            self._write(b"", length_if_unsaid=0)
        if self._chunked:
            self._send(b"0\r\n\r\n")
        if self._remaining:
            raise ResponseError(f"The body ended {self._remaining} bytes before its Content-Length.")

    def fail(self) -> None:
        """Answer 500 in place of whatever the application meant to say, or break off what it has begun."""
        if self.begun:
            self.persists = False
            return
        self._status = "500 Internal Server Error"
        self._headers = [("Content-Type", "text/plain; charset=utf-8")]
        self._given = {}
        body = b"Internal Server Error\n"
        self._write(body, length_if_unsaid=len(body))

    def _write(self, data: bytes, length_if_unsaid: int | None) -> None:
        if not isinstance(data, bytes):
            raise ResponseError(f"The body must be bytes, not {type(data).__name__}.")
        if self.begun:
            if body := self._frame(data):
                self._send(body)
            return
        if not self._status:
            raise ResponseError("The application wrote before it called start_response.")
        head = self._begin(length_if_unsaid)
        body = self._frame(data)
        if len(body) <= _COPY_BYTES:
            self._send(head + body)
        else:
            self._send(head)
            self._send(body)

    def _begin(self, length_if_unsaid: int | None) -> bytes:
        """Decide how the body ends and whether the connection lives on; return the head."""
        self._on_start()
        self.begun = True
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
            ends_itself = False  # the application frames the body itself; who knows how that ends
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
        self.persists = ends_itself and not wants_close and self._request.keep_alive and self._may_persist()
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
