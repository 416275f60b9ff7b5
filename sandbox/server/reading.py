"""What a client has sent and nobody has consumed yet."""

import re
from collections.abc import Callable
from contextlib import suppress

from sandbox.foundation.real_time import monotonic
from sandbox.server.head import BARE_LF, HeadError
from sandbox.server.limits import Limits
from sandbox.server.wire import Wire

RECEIVE_BYTES = 65_536
# Not more is read ahead of a line, since taking a line off the buffer copies what is behind it: a body in chunks
# of one byte would cost the square of what it reads ahead.
_LINE_AHEAD_BYTES = 4_096
_END_OF_HEAD = b"\r\n\r\n"
# How a record with a ClientHello begins (RFC 8446 §5.1). No method does.
_TLS_HANDSHAKE = b"\x16"
_BARE_LF = re.compile(rb"(?<!\r)\n")
# Around the target, a request line holds a method, a version and two spaces. No method is longer than this.
_REST_OF_REQUEST_LINE = 64


class Reader:
    """The buffer between a wire and whoever reads from it.

    `buffered` holds what was received ahead. `bytes` are enough for it: a typical request arrives whole, and
    is taken off in two slices.
    """

    def __init__(self, wire: Wire, limits: Limits, on_dawdling: Callable[[], None]) -> None:
        self._wire = wire
        self._limits = limits
        self._on_dawdling = on_dawdling
        self.buffered = b""
        self.patient_until = 0.0
        """Who waits for bytes of a request later than this (of `monotonic`) calls `on_dawdling` first."""
        self._searched = 0
        self._to_skip = 0

    @property
    def is_skipping(self) -> bool:
        """Whether the rest of an unread body is still to come before the next head."""
        return self._to_skip > 0

    @property
    def has_unseen(self) -> bool:
        """Whether bytes have been received that no `take_head` has looked at."""
        return self._searched < len(self.buffered) or self._wire.has_pending()

    def skip(self, size: int) -> None:
        """Drop the next `size` bytes, now or when they come."""
        here = min(size, len(self.buffered))
        self.buffered = self.buffered[here:]
        self._to_skip = size - here
        self._searched = 0

    def receive(self, timeout: float) -> bool:
        """Wait for more; return False at the end of the stream.

        Raises `TimeoutError` when nothing came in `timeout` seconds and `ConnectionError`.
        """
        data = self._wire.receive(RECEIVE_BYTES, timeout)
        if not self.buffered:
            self.buffered = data
        else:
            self.buffered += data
        if self._to_skip:
            self.skip(self._to_skip)
        return bool(data)

    def take_head(self) -> bytes | None:
        """Take the next head off the buffer, without its empty line; return None until it is whole.

        Raises `HeadError` as soon as the head cannot become a good one any more.
        """
        if not self._searched and self.buffered[:1] in {b"\r", b"\n"}:
            # Some clients end a body with a line break of their own (RFC 9112 §2.2).
            self.buffered = self.buffered.lstrip(b"\r\n")
        if self.buffered[:1] == _TLS_HANDSHAKE:
            self.buffered = b""  # nothing that could be shown
            raise HeadError(400, "This port speaks plain HTTP: use http.")
        buffered = self.buffered
        end = buffered.find(_END_OF_HEAD, max(0, self._searched - len(_END_OF_HEAD)))
        if end < 0:
            self._check_what_came(buffered)
            self._searched = len(buffered)
            return None
        if end > self._limits.header_bytes:
            self._check_what_came(buffered[:end])
        self.buffered = buffered[end + len(_END_OF_HEAD) :]
        self._searched = 0
        return buffered[:end]

    def _check_what_came(self, head: bytes) -> None:
        if _BARE_LF.search(head, max(0, self._searched - 1)):
            raise HeadError(400, BARE_LF)  # or else it would wait for an end that never comes
        limits = self._limits
        longest_line = limits.target_bytes + _REST_OF_REQUEST_LINE
        if len(head) > longest_line and head.find(b"\r\n", 0, longest_line) < 0:
            raise HeadError(414, f"The request target is longer than {limits.target_bytes} bytes.")
        if len(head) > limits.header_bytes:
            raise HeadError(431, f"The request head is longer than {limits.header_bytes} bytes.")

    def read(self, size: int, deadline: float) -> bytes:
        """Return from 1 to `size` bytes, none at the end of the stream.

        Raises `TimeoutError` at `deadline` (of `monotonic`) and `ConnectionError`.
        """
        if self.buffered:
            data = self.buffered[:size]
            self.buffered = self.buffered[size:]
            return data
        return self._receive_by(deadline, min(size, RECEIVE_BYTES))

    def read_line(self, limit: int, deadline: float) -> bytes:
        """Return the next line without its CR LF.

        Raises `ValueError` when it is longer than `limit`, what `read` raises, and `ConnectionError` also at the
        end of the stream.
        """
        while (end := self.buffered.find(b"\r\n", 0, limit + 2)) < 0:
            if len(self.buffered) >= limit + 2:
                raise ValueError(f"A line is longer than {limit} bytes.")
            data = self._receive_by(deadline, _LINE_AHEAD_BYTES)
            if not data:
                raise ConnectionAbortedError("The connection ended in the middle of a line.")
            self.buffered += data
        line = self.buffered[:end]
        self.buffered = self.buffered[end + 2 :]
        return line

    def _receive_by(self, deadline: float, size: int) -> bytes:
        with suppress(TimeoutError):
            return self._wire.receive(size, 0)
        patient_s = min(self.patient_until, deadline) - monotonic()
        if patient_s > 0:
            with suppress(TimeoutError):
                return self._wire.receive(size, patient_s)
        remaining = deadline - monotonic()
        if remaining <= 0:
            raise TimeoutError("nothing came in time")
        self._on_dawdling()
        return self._wire.receive(size, remaining)
