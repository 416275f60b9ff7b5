"""The body of a request, cut out of what a client sends. No I/O.

``feed`` takes bytes and returns those that follow the body: they belong to the next request. Sections are those of RFC
9112.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

from sandbox.server.request_head import HeadError, parse_field

_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_CONTROL_CHARACTER: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LINE_BYTES: Final = 4_096
_TRAILER_BYTES: Final = 65_536
_NO_SIZE: Final = "A chunk of the request body does not begin with its size in hexadecimal digits."


class TooLargeError(ValueError):
    """A body is larger than the application takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"The request body is larger than {self.limit} bytes."


class SizedBody:
    """A body of ``Content-Length`` bytes, which may be 0 (§6.2)."""

    def __init__(self, length: int) -> None:
        self._parts: list[bytes] = []
        self._left = length

    @property
    def is_whole(self) -> bool:
        """Whether all of it has come."""
        return not self._left

    def feed(self, data: bytes) -> bytes:
        """Take the body's share of ``data``; return the rest."""
        size = len(data)
        if size <= self._left:
            self._left -= size
            self._parts.append(data)
            return b""
        part, self._left, rest = data[: self._left], 0, data[self._left :]
        self._parts.append(part)
        return rest

    def content(self) -> bytes:
        """Return what has come."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)


class _Part(Enum):
    """The part of a body in chunks that comes next."""

    SIZE = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILER = auto()
    NOTHING = auto()


class ChunkedBody:
    """A body in chunks, of up to ``limit`` bytes (§7.1). Chunk extensions and trailer fields are checked and dropped.

    ``feed`` raises ``TooLargeError``, and ``ValueError`` for what is malformed.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._next = _Part.SIZE
        self._left = 0
        """Bytes of the chunk that are still to come."""
        self._trailer_bytes = 0
        self.size = 0

    @property
    def is_whole(self) -> bool:
        """Whether all of it has come."""
        return self._next is _Part.NOTHING

    def feed(self, data: bytes) -> bytes:
        """Take the body's share of ``data``; return the rest: until the body is whole, the beginning of a line."""
        at = 0
        while self._next is not _Part.NOTHING:
            if self._next is _Part.DATA:
                end = min(at + self._left, len(data))
            else:
                end = data.find(b"\n", at) + 1 or self._unfinished(data, at)
            if end <= at:
                break
            self._take(data[at:end])
            at = end
        return data[at:]

    def _unfinished(self, data: bytes, at: int) -> int:
        """Return 0 when the line that begins at ``at`` may still be finished; raise ``ValueError``."""
        if len(data) - at > _LINE_BYTES:
            raise ValueError(f"A line is longer than {_LINE_BYTES} bytes.")
        if self._next is _Part.DATA_END and data[at : at + 1] not in (b"", b"\r"):
            raise ValueError("A chunk of the request body is longer than its size says.")
        return 0

    def _take(self, part: bytes) -> None:
        match self._next:
            case _Part.DATA:
                self._parts.append(part)
                self._left -= len(part)
                if not self._left:
                    self._next = _Part.DATA_END
            case _Part.DATA_END:
                if part != b"\r\n":
                    raise ValueError("A chunk of the request body is longer than its size says.")
                self._next = _Part.SIZE
            case _Part.SIZE:
                self._begin_chunk(part)
            case _:
                self._take_trailer(part)

    def _begin_chunk(self, line: bytes) -> None:
        match = _CHUNK_SIZE.fullmatch(line)
        if match is None or len(line) > _LINE_BYTES:
            raise ValueError(_NO_SIZE if match is None else f"A line is longer than {_LINE_BYTES} bytes.")
        self._left = int(match[1], 16)
        self.size += self._left
        if self.size > self._limit:
            raise TooLargeError(self._limit)
        self._next = _Part.DATA if self._left else _Part.TRAILER

    def _take_trailer(self, line: bytes) -> None:
        if line == b"\r\n":
            self._next = _Part.NOTHING
            return
        self._trailer_bytes += len(line)
        if self._trailer_bytes > _TRAILER_BYTES or len(line) > _LINE_BYTES:
            raise ValueError("The trailer of the request body is too long.")
        try:
            if line[-2:] != b"\r\n" or _CONTROL_CHARACTER.search(line, 0, len(line) - 2):
                raise HeadError(400, "it has a control character")
            parse_field(line[:-2].decode("latin-1"))
        except HeadError as error:
            raise ValueError(f"A trailer field of the request body is malformed: {error.reason}") from None

    def content(self) -> bytes:
        """Return what has come."""
        return b"".join(self._parts)
