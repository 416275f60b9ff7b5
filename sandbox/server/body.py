"""The body of a request as `wsgi.input`: one class for each of the two ways in which a body ends.

A body that cannot be had raises when it is read, and again each time it is read after that. What to answer is
the application's business:

- `ConnectionError`: the client went away before the body was whole;
- `TimeoutError`: the body as a whole took longer than it may;
- `ValueError`: a chunk is malformed.
"""

import io
import re
import sys
from abc import abstractmethod
from collections.abc import Callable

from sandbox.foundation.real_time import monotonic
from sandbox.server.reading import RECEIVE_BYTES, Reader

_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_LINE_BYTES = 4_096
_TRAILER_BYTES = 65_536


class Body(io.BufferedIOBase):
    """What both kinds have in common.

    `greet` sends the 100 Continue that the client waits for; it is called when the application first reads.
    """

    def __init__(self, reader: Reader, timeout_s: float, greet: Callable[[], None] | None) -> None:
        self._reader = reader
        self._timeout_s = timeout_s
        self._deadline = 0.0
        self._greet = greet
        self._failure: Exception | None = None

    def leftover(self) -> int | None:
        """Return how many bytes stand between here and the next request; None when nobody can tell."""
        return None if self._failure or self._greet else self._unread()

    def expire(self) -> None:
        """The request is over: what comes now belongs to the next, which nobody may read from here.

        An earlier failure is let go: its traceback leads to all that the request held, and from there back to it.
        """
        self._failure = ValueError("The request that this body belongs to is over.")

    def withhold_greeting(self) -> None:
        """The answer has begun: a 100 Continue would come too late. The body may still come."""
        if self._greet:
            self._greet = _keep_silent

    def readable(self) -> bool:
        """Say yes, as `io` wants it said."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return `size` bytes, fewer only at the end; everything for -1."""
        wanted = sys.maxsize if size is None or size < 0 else size
        data = self._next(wanted)
        following = self._next(wanted - len(data))
        if not following:
            return data
        whole = io.BytesIO()  # hands its buffer over in the end: a large body is in memory only once
        whole.write(data)
        while following:
            whole.write(following)
            following = self._next(wanted - whole.tell())
        return whole.getvalue()

    def read1(self, size: int = -1, /) -> bytes:
        """Return what one look at the connection gives."""
        return self._next(RECEIVE_BYTES if size < 0 else size)

    def _next(self, size: int) -> bytes:
        """Return from 1 to `size` bytes, none at the end of the body or when `size` is 0."""
        if self._failure:
            raise self._failure
        if size == 0 or self._unread() == 0:
            return b""
        if not self._deadline:
            self._deadline = monotonic() + self._timeout_s
        try:
            if self._greet:
                greet, self._greet = self._greet, None
                greet()
            return self._advance(size)
        except TimeoutError:
            self._failure = TimeoutError(f"The request body was not complete after {self._timeout_s:g} seconds.")
            raise self._failure from None
        except (ConnectionError, ValueError) as error:
            self._failure = error
            raise

    @abstractmethod
    def _unread(self) -> int | None:
        """Return how many bytes are still to be read; None when that is not known."""

    @abstractmethod
    def _advance(self, size: int) -> bytes:
        """Return from 1 to `size` bytes, none only at the end."""


def _keep_silent() -> None:
    """Greet nobody."""


class SizedBody(Body):
    """A body of `Content-Length` bytes, which may be 0. `deadline` is given where it has been awaited already."""

    def __init__(
        self,
        reader: Reader,
        timeout_s: float,
        greet: Callable[[], None] | None,
        content_length: int,
        deadline: float = 0.0,
    ) -> None:
        super().__init__(reader, timeout_s, greet)
        self._deadline = deadline
        self._content_length = content_length
        self._remaining = content_length

    def _unread(self) -> int:
        return self._remaining

    def _advance(self, size: int) -> bytes:
        data = self._reader.read(min(size, self._remaining), self._deadline)
        if not data:
            received = self._content_length - self._remaining
            raise ConnectionAbortedError(
                f"The client went away after {received} of {self._content_length} bytes of the request body."
            )
        self._remaining -= len(data)
        return data


class ChunkedBody(Body):
    """A body in chunks (RFC 9112 §7.1). Chunk extensions and trailer fields are dropped."""

    _in_chunk = 0
    _at_end = False

    def _unread(self) -> int | None:
        return 0 if self._at_end else None

    def _advance(self, size: int) -> bytes:
        if not self._in_chunk:
            self._in_chunk = self._read_chunk_size()
        if not self._in_chunk:
            self._read_trailer()
            self._at_end = True
            return b""
        data = self._read_some(min(size, self._in_chunk))
        self._in_chunk -= len(data)
        if not self._in_chunk:
            for expected in (b"\r", b"\n"):
                if self._read_some(1) != expected:
                    raise ValueError("A chunk of the request body is longer than its size says.")
        return data

    def _read_some(self, size: int) -> bytes:
        data = self._reader.read(size, self._deadline)
        if not data:
            raise ConnectionAbortedError("The client went away before the last chunk of the request body.")
        return data

    def _read_chunk_size(self) -> int:
        match = _CHUNK_SIZE.fullmatch(self._reader.read_line(_LINE_BYTES, self._deadline))
        if match is None:
            raise ValueError("A chunk of the request body does not begin with its size in hexadecimal digits.")
        return int(match[1], 16)

    def _read_trailer(self) -> None:
        left = _TRAILER_BYTES
        while line := self._reader.read_line(_LINE_BYTES, self._deadline):
            left -= len(line)
            if left < 0:
                raise ValueError("The trailer of the request body is too long.")
