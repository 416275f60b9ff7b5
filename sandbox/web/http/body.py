"""The body of a request, cut out of the bytes that a client sends. No I/O. Sections are those of RFC 9112."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.web.http.request_head import Head, HeadError, parse_field

_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_CONTROL_CHARACTER: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LINE_BYTES: Final = 4_096
_TRAILER_BYTES: Final = 65_536
_TOO_LONG: Final = "A chunk of the request body is longer than its size says."


class TooLargeError(ValueError):
    """A body is larger than the application takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"The request body is larger than {self.limit} bytes."


@dataclass(slots=True, eq=False)
class Message:
    """A request with its whole body, or with the reason why there is none."""

    head: Head
    body: bytes
    size: int
    """Bytes of the body as announced or counted, also where they were not kept."""
    failure: Exception | None
    """``TooLargeError``, ``TimeoutError``, ``ConnectionError`` or, for a malformed chunk, ``ValueError``."""

    @property
    def keep_alive(self) -> bool:
        """Whether another request may follow on the connection."""
        return self.head.keep_alive and self.failure is None


class Body:
    """The body that a head announces, as far as it has come. ``limit`` is how many bytes it may have."""

    def __init__(self, head: Head, limit: int) -> None:
        self._head = head
        self._limit = limit
        self._parts: list[bytes] = []
        self.size = head.content_length
        """Bytes as announced; of a body in chunks those that the sizes of its chunks have announced so far."""

    def content(self) -> bytes:
        """Return the bytes that have come."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def cut_off(self) -> ConnectionAbortedError:
        """Return the error for a client that went away in the middle."""
        if self._head.chunked:
            return ConnectionAbortedError("The client went away before the last chunk of the request body.")
        size = sum(map(len, self._parts))
        return ConnectionAbortedError(f"The client went away after {size} of {self.size} bytes of the request body.")

    def receive(self, buffer: bytearray) -> Iterator[None]:
        """Move the body out of a buffer, which keeps what follows it; yield whenever more bytes are needed.

        Raise ``TooLargeError``, and ``ValueError`` for what is malformed.
        """
        if self.size > self._limit:
            raise TooLargeError(self._limit)
        return self._chunks(buffer) if self._head.chunked else self._take(buffer, self.size)

    def _take(self, buffer: bytearray, size: int) -> Iterator[None]:
        while size:
            if not buffer:
                yield
                continue
            part = bytes(memoryview(buffer)[:size])
            del buffer[:size]
            self._parts.append(part)
            size -= len(part)

    def _chunks(self, buffer: bytearray) -> Iterator[None]:
        """Take chunks (§7.1). Their extensions and the trailer fields are checked and dropped."""
        while True:
            match = _CHUNK_SIZE.fullmatch((yield from _line(buffer)))
            if match is None:
                raise ValueError("A chunk of the request body does not begin with its size in hexadecimal digits.")
            size = int(match[1], 16)
            if not size:
                break
            self.size += size
            if self.size > self._limit:
                raise TooLargeError(self._limit)
            yield from self._take(buffer, size)
            while b"\r\n".startswith(buffer[:2]) and len(buffer) < 2:
                yield
            if not buffer.startswith(b"\r\n"):
                raise ValueError(_TOO_LONG)
            del buffer[:2]
        left = _TRAILER_BYTES
        while (line := (yield from _line(buffer))) != b"\r\n":
            left -= len(line)
            if left < 0:
                raise ValueError("The trailer of the request body is too long.")
            _check_trailer(line)


def _line(buffer: bytearray) -> Generator[None, None, bytes]:
    while (end := buffer.find(b"\n", 0, _LINE_BYTES) + 1) == 0:
        if len(buffer) >= _LINE_BYTES:
            raise ValueError(f"A line of the request body is longer than {_LINE_BYTES} bytes.")
        yield
    line = bytes(buffer[:end])
    del buffer[:end]
    return line


def _check_trailer(line: bytes) -> None:
    try:
        if line[-2:] != b"\r\n" or _CONTROL_CHARACTER.search(line, 0, len(line) - 2):
            raise HeadError(400, "it has a control character")
        parse_field(line[:-2].decode("latin-1"))
    except HeadError as error:
        raise ValueError(f"A trailer field of the request body is malformed: {error.reason}") from None
