"""A stream of bytes, cut into requests. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import Enum, auto
from typing import Final

from sandbox.web.http.body import Body, Message
from sandbox.web.http.limits import Limits, RawHeaders
from sandbox.web.http.request_head import END_OF_HEAD, Head, HeadError, check_unfinished, glimpse, parse_head

_TLS_HANDSHAKE: Final = 0x16
"""How a record with a ClientHello begins (RFC 8446 §5.1). No method does."""


class Wanted(Enum):
    """The bytes that are missing."""

    REQUEST = auto()  # the first byte of one
    HEAD = auto()  # the rest of a head
    BODY = auto()  # the rest of a body
    CONTINUE = auto()  # a body that the client sends once it is told to


class Reader:
    """Cuts ``buffer`` into requests. Its owner adds the bytes that come, and sets ``has_ended`` after the last.

    ``body_limit`` returns how many bytes the body of a request may have.
    """

    def __init__(self, limits: Limits, body_limit: Callable[[Head], int]) -> None:
        self.buffer = bytearray()
        self.has_ended = False
        self._limits = limits
        self._body_limit = body_limit
        self._raw_head = b""
        self._head: Head | None = None
        """The value of ``_raw_head``, unless the head was refused."""

    def refused_head(self) -> tuple[str, str, RawHeaders]:
        """Return what can be made out of the head that a ``HeadError`` is about: method, target and header fields."""
        return glimpse(self._raw_head if self._head is None and self._raw_head else bytes(self.buffer), self._limits)

    def requests(self) -> Generator[Message | Wanted, None, None]:
        """Yield the requests, and what is missing whenever bytes are; raise ``HeadError``, which is the end.

        An exception that is thrown into it while a body is missing becomes the ``failure`` of the request.
        """
        buffer = self.buffer
        while True:
            if not buffer:
                yield Wanted.REQUEST
                continue
            if buffer[0] in b"\r\n":  # some clients end a body with a line break (RFC 9112 §2.2)
                buffer[:] = buffer.lstrip(b"\r\n")
                continue
            head = self._head
            if head is None or not buffer.startswith(self._raw_head):  # requests of a client often have the same head
                head = yield from self._read_head()
            del buffer[: len(self._raw_head)]
            limit, size = self._body_limit(head), head.content_length
            if size <= len(buffer) and size <= limit and not head.chunked:
                yield self._whole(head, size)
            else:
                yield (yield from self._read_body(head, limit))

    def _whole(self, head: Head, size: int) -> Message:
        """Cut off a body that has come. Only its receiver holds it: ``requests`` waits long for the next one."""
        content = bytes(memoryview(self.buffer)[:size])
        del self.buffer[:size]
        return Message(head, content, size, None)

    def _read_head(self) -> Generator[Wanted, None, Head]:
        buffer, limits, searched = self.buffer, self._limits, 0
        if buffer[0] == _TLS_HANDSHAKE:
            buffer.clear()  # nothing that could be shown
            raise HeadError(400, "This port speaks plain HTTP: use http.")
        while (end := buffer.find(END_OF_HEAD, max(0, searched - 3))) < 0 or end > limits.header_bytes:
            check_unfinished(buffer if end < 0 else buffer[:end], searched, limits)
            if self.has_ended:
                raise HeadError(400, "The connection ended in the middle of the request head.")
            searched = len(buffer)
            yield Wanted.HEAD
        self._head, self._raw_head = None, bytes(buffer[: end + len(END_OF_HEAD)])
        self._head = parse_head(self._raw_head[:end], limits)
        return self._head

    def _read_body(self, head: Head, limit: int) -> Generator[Wanted, None, Message]:
        body, failure = Body(head, limit), None
        wanted = Wanted.CONTINUE if head.expects_continue and not self.buffer else Wanted.BODY
        try:
            for _ in body.receive(self.buffer):
                if self.has_ended:
                    raise body.cut_off()
                yield wanted
                wanted = Wanted.BODY
        except (ValueError, OSError) as error:
            failure = error.with_traceback(None)
        return Message(head, body.content(), body.size, failure)
