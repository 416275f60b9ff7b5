"""The answer of a WSGI application (PEP 3333) as the bytes of an HTTP/1.1 answer.

What the application says about framing is taken at its word; where it says nothing, the body is framed here. The head
leaves together with the first part of the body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from email.utils import formatdate
from types import TracebackType
from typing import Final, TypeAlias

from sandbox.web.http.request_head import TOKEN, Head

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

_TEXT: Final = re.compile(r"[\x01-\x09\x0b\x0c\x0e-\xff]*")
"""Latin-1 without CR, LF and NUL."""

_STATUS: Final = re.compile(r"[1-9][0-9]{2} " + _TEXT.pattern)


class ResponseError(Exception):
    """The application broke the rules of WSGI or HTTP."""


class Response:
    """The answer to one request, which a WSGI application makes.

    ``flush`` takes the parts that may leave, but not the last: that is ``unsent`` in the end. ``may_persist`` returns
    whether another request may follow on the connection; it is asked when the head is made.
    """

    def __init__(self, head: Head, flush: Callable[[bytes], None], may_persist: Callable[[], bool]) -> None:
        self._head = head
        self._flush = flush
        self._may_persist = may_persist
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._given: dict[str, str] = {}
        self._left: int | None = None
        """Bytes of the body that are still to come, where their number is known."""
        self._chunked = False
        self._begun = False
        self.unsent = b""
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

    def send(self, parts: Iterable[bytes]) -> None:
        """Write the whole body; raise ``ResponseError`` when it falls short of its Content-Length."""
        if isinstance(parts, list | tuple) and len(parts) <= 1:
            only = parts[0] if parts else b""
            self.write(only, len(only))  # the one case in which the length is known before the body is written
        else:
            for part in parts:
                self.write(part)
        if not self._begun:
            self.write(b"", 0)
        if self._chunked:
            self.unsent += b"0\r\n\r\n"
        if self._left:
            raise ResponseError(f"The body ended {self._left} bytes before its Content-Length.")

    def fail(self) -> None:
        """Answer 500 in place of the answer, or break off what has begun of it."""
        if self._begun:
            self.persists = False
            return
        self._status = "500 Internal Server Error"
        self._headers, self._given = [("Content-Type", "text/plain; charset=utf-8")], {}
        body = b"Internal Server Error\n"
        self.write(body, len(body))

    def write(self, data: bytes, length: int | None = None) -> None:
        """Write a part of the body; ``length`` is that of the whole body, where it is known."""
        if not isinstance(data, bytes):
            raise ResponseError(f"The body must be bytes, not {type(data).__name__}.")
        if not self._status:
            raise ResponseError("The application wrote before it called start_response.")
        if not data and length is None:
            return
        if not self._begun:
            self.unsent += self._begin(length)
        if self._chunked:
            self.unsent += b"%x\r\n%b\r\n" % (len(data), data)
        elif self._left is None:
            self.unsent += data
        else:
            self.unsent += data[: self._left]
            self._left -= min(len(data), self._left)
        if self._left != 0:  # more may follow, and much later
            part, self.unsent = self.unsent, b""
            self._flush(part)

    def _begin(self, length: int | None) -> bytes:
        """Decide how the body ends and whether the connection lives on; return the head."""
        self._begun = True
        given, is_1_1 = self._given, self._head.protocol == "HTTP/1.1"
        lines = [f"HTTP/1.1 {self._status}", *[f"{name}: {value}" for name, value in self._headers]]
        if "date" not in given:
            lines.append(f"Date: {formatdate(usegmt=True)}")
        ends_itself = True
        if self._head.method == "HEAD" or self._status[:3] in {"204", "304"} or self._status[0] == "1":
            self._left = 0
        elif "transfer-encoding" in given:
            ends_itself = False  # the application frames the body itself, and its end is not looked for
        elif "content-length" in given:
            self._left = int(given["content-length"])
        elif length is not None:
            lines.append(f"Content-Length: {length}")
            self._left = length
        elif is_1_1:
            lines.append("Transfer-Encoding: chunked")
            self._chunked = True
        else:
            ends_itself = False
        wants_close = "close" in given.get("connection", "").lower()
        self.persists = ends_itself and not wants_close and self._may_persist()
        if "connection" not in given:
            if not self.persists:
                lines.append("Connection: close")
            elif not is_1_1:
                lines.append("Connection: keep-alive")
        lines.append("\r\n")
        return "\r\n".join(lines).encode("latin-1")


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
