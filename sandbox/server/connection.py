"""One client's connection, from its first byte to its last. It lives in the loop's thread.

    IDLE ──a byte──► HEAD ──head──► BODY ──body──► ANSWERING ──answer──► IDLE, or LEAVING
     │                │                                │
     └─TLS─► HANDSHAKE └─refused─► ANSWERING           └─a fault, a wait─► HELD ──► LEAVING, or CLOSED

One request is looked at at a time: what a client sends ahead waits in the buffer, and reading pauses when that is full.
So answers, refusals and ``100 Continue`` leave in order. Every state but ANSWERING and HELD has a deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import ssl
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import Enum, auto
from http import HTTPStatus
from typing import Final, Protocol, cast

from sandbox.foundation.real_time import monotonic
from sandbox.server.body import ChunkedBody, SizedBody, TooLargeError
from sandbox.server.limits import Limits, Refused
from sandbox.server.request_head import BARE_LF, Head, HeadError, glimpse, parse_head
from sandbox.server.tls.layer import TlsLayer

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_END_OF_HEAD: Final = b"\r\n\r\n"
_TLS_HANDSHAKE: Final = b"\x16"
"""How a record with a ClientHello begins (RFC 8446 §5.1). No method does."""

_REST_OF_REQUEST_LINE: Final = 64
"""Around the target, a request line holds a method, a version and two spaces. No method is longer than this."""

_AHEAD_BYTES: Final = 65_536
"""Bytes that a client may send ahead of an answer before reading pauses."""

_AT_ONCE: Final = 16
"""Requests of one client that are served before other connections are attended to."""

_RESET_ON_CLOSE: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class State(Enum):
    """What a connection does, or waits for."""

    IDLE = auto()  # for the first byte of a request
    HANDSHAKE = auto()  # for the rest of a TLS handshake
    HEAD = auto()  # for the rest of a head
    BODY = auto()  # for the rest of a body
    ANSWERING = auto()  # for the application
    HELD = auto()  # for a fault, or for news
    LEAVING = auto()  # for the client's end of the connection, after ours
    CLOSED = auto()


_RECEIVING: Final = frozenset({State.IDLE, State.HEAD, State.BODY})
"""The states in which a connection waits for bytes of a request."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where connections come in."""

    sock: socket.socket
    host: str
    port: int
    tls: ssl.SSLContext | None

    @property
    def scheme(self) -> str:
        """The URL scheme of what is served there."""
        return "http" if self.tls is None else "https"


@dataclass(slots=True, eq=False)
class Message:
    """A request with its whole body, or with the reason why there is none."""

    head: Head
    body: bytes
    size: int
    """Bytes of the body as announced or counted, also where they were not kept."""
    failure: Exception | None
    """``TooLargeError``, ``TimeoutError``, ``ConnectionError`` or, for a malformed chunk, ``ValueError``."""
    peer: tuple[str, int]
    listener: Listener

    @property
    def keep_alive(self) -> bool:
        """Whether another request may follow on the connection."""
        return self.head.keep_alive and self.failure is None


class Application(Protocol):
    """What a server serves. Its methods are called in the loop's thread, and must not wait for anything."""

    def body_limit(self, head: Head) -> int:
        """Return how many bytes the body of a request may have."""

    def serve(self, message: Message, connection: Connection) -> None:
        """Answer a request on its connection, now or later."""

    def refused(self, refused: Refused, answer: Callable[[], None]) -> None:
        """Note that the server refuses a request, then call ``answer``, which tells the client."""


@dataclass(slots=True, eq=False)
class Service:
    """What the connections of a server share."""

    application: Application
    limits: Limits
    on_error: Callable[[BaseException], None]
    loop: asyncio.AbstractEventLoop
    connections: set[Connection] = field(default_factory=set)
    """Every connection that is open."""
    is_stopping: bool = False


class Connection(asyncio.Protocol):
    """An accepted connection. ``deadline`` is looked at by the engine, which calls ``expire`` then.

    A client for whom there is no room ``is_surplus``: it is refused.
    """

    def __init__(self, service: Service, listener: Listener, *, is_surplus: bool = False) -> None:
        self._service = service
        self._is_surplus = is_surplus
        self._listener = listener
        self._tls = None if listener.tls is None else TlsLayer(listener.tls)
        self._transport = cast(asyncio.Transport, None)
        self._peer = ("", 0)
        self._state = State.IDLE
        self._buffer = b""
        self._searched = 0
        self._raw_head: bytes | None = None
        self._head = cast(Head, None)
        self._body: SizedBody | ChunkedBody = SizedBody(0)
        self._discarded = 0
        self._is_uploading = False
        """Whether a body is still to come that is larger than the application takes."""
        self._is_proceeding = False
        self._has_ended = False
        """Whether the client has ended its side."""
        self._on_gone: Callable[[], None] | None = None
        self._on_writable: Callable[[], None] | None = None
        self._takes_nothing = False
        self.is_making = False
        """Whether a piece of what it is held for is being made."""
        self.deadline = monotonic() + service.limits.keep_alive_s

    @property
    def is_busy(self) -> bool:
        """Whether an answer is being made or written."""
        match self._state:
            case State.ANSWERING:
                return True
            case State.HELD:
                return self.is_making
            case State.LEAVING:
                return self._transport.get_write_buffer_size() > 0
            case _:
                return False

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._state in (State.CLOSED, State.LEAVING)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop whose thread it lives in."""
        return self._service.loop

    def call(self, function: Callable[..., None], *arguments: object) -> None:
        """Call a function in the loop's thread, from any thread; do nothing once the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(function, *arguments)

    # --- called by the transport ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self._peer = peer[0], peer[1]
        self._enter(State.IDLE)
        if self._service.is_stopping:
            self.abort()
        elif self._is_surplus:
            most = self._service.limits.connections
            self._refuse(503, f"The server has {most} connections already, as many as it may.")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client; a request without its whole body is served all the same, to be recorded."""
        state, self._state = self._state, State.CLOSED
        self._service.connections.discard(self)
        gone, self._on_gone = self._on_gone, None
        if gone is not None:
            gone()
        self._writable()
        if state is State.BODY:
            self._cut_off()

    def eof_received(self) -> bool:
        """Note that the client has ended its side; return whether an answer may still follow."""
        self._has_ended = True
        match self._state:
            case State.HEAD | State.BODY:
                self._proceed()
                return True
            case State.ANSWERING:
                return True
            case _:
                return False

    def pause_writing(self) -> None:
        """The client does not take what is written."""
        self._takes_nothing = True
        self.deadline = monotonic() + self._service.limits.body_timeout_s

    def resume_writing(self) -> None:
        """The client has taken it."""
        self._takes_nothing = False
        self._enter(self._state)
        self._writable()
        self._transport.resume_reading()
        self._proceed()

    def _writable(self) -> None:
        writable, self._on_writable = self._on_writable, None
        if writable is not None:
            writable()

    def data_received(self, data: bytes) -> None:
        """Take what the client sends."""
        if self._state is State.LEAVING:
            self._discard(len(data))
            return
        if self._tls is not None:
            data = self._decrypt(data)
        if self._state is State.HELD or not data:
            pass
        elif self._state is State.ANSWERING or self._takes_nothing:
            self._buffer += data
            if len(self._buffer) > _AHEAD_BYTES:
                self._transport.pause_reading()
        else:
            self._buffer = self._buffer + data if self._buffer else data
            self._proceed()
        if self._tls is not None and self._tls.has_ended and not self._has_ended and not self.eof_received():
            self._transport.close()

    def _decrypt(self, data: bytes) -> bytes:
        assert self._tls is not None
        if not self._tls.is_established and self._state is State.IDLE:
            self._enter(State.HANDSHAKE)
        try:
            plain = self._tls.decrypt(data)
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                self._tls, self._raw_head = None, b""
                self._refuse(400, "This port speaks TLS: use https.")
            else:
                self.abort()
            return b""
        if pending := self._tls.pending():
            self._transport.write(pending)
        if self._state is State.HANDSHAKE and self._tls.is_established:
            self._enter(State.IDLE)
        return plain

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._discarded > self._service.limits.discarded_bytes:
            self.abort()

    # --- called by the engine ---------------------------------------------------------------------------------------

    def expire(self) -> None:
        """Give up what is waited for: the deadline has passed."""
        limits = self._service.limits
        if self._takes_nothing:
            self.abort()
            return
        match self._state:
            case State.IDLE:
                self._leave()
            case State.HEAD:
                self._refuse(408, f"The request head was not complete after {limits.head_timeout_s:g} seconds.")
            case State.BODY:
                seconds = f"{limits.body_timeout_s:g}"
                self._dispatch(TimeoutError(f"The request body was not complete after {seconds} seconds."))
            case _:
                self.abort()

    def abort(self) -> None:
        """Close the connection now, whatever is under way."""
        if self._state is not State.BODY:
            self._state = State.CLOSED
        if self._transport is not None:
            self._transport.abort()

    def fail(self, error: BaseException) -> None:
        """Report a defect, which costs this connection only."""
        self._service.on_error(error)
        if self._state is State.ANSWERING:
            self.write(plain_answer(500, "Internal Server Error"))
            self.finish(persists=False)
        else:
            self.abort()

    # --- requests ---------------------------------------------------------------------------------------------------

    def _enter(self, state: State) -> None:
        self._state = state
        if not self._takes_nothing:
            seconds = self._patience(state)
            self.deadline = math.inf if seconds is None else monotonic() + seconds

    def _patience(self, state: State) -> float | None:
        """Return for how many seconds the client is waited for."""
        limits = self._service.limits
        match state:
            case State.IDLE:
                return limits.keep_alive_s
            case State.HANDSHAKE | State.HEAD:
                return limits.head_timeout_s
            case State.BODY:
                return limits.body_timeout_s
            case State.LEAVING:
                return limits.body_timeout_s if self._is_uploading else limits.farewell_s
            case _:
                return None

    def _proceed(self) -> None:
        """Serve the requests that have come, until one has to be waited for."""
        if self._is_proceeding:
            return
        self._is_proceeding = True
        try:
            for _ in range(_AT_ONCE):
                if not self._serve_next():
                    break
            else:
                self.loop.call_soon(self._proceed)
        except HeadError as error:
            self._refuse(error.status, error.reason)
        except Exception as error:  # noqa: BLE001 - a defect costs its connection only
            self.fail(error)
        finally:
            self._is_proceeding = False

    def _serve_next(self) -> bool:
        """Take a request off the buffer as far as it has come; return whether another may be served now."""
        if self._takes_nothing or self._state not in _RECEIVING:
            return False
        if self._state is State.IDLE:
            self._buffer = self._buffer.lstrip(b"\r\n")  # some clients end a body with a line break (RFC 9112 §2.2)
            if not self._buffer:
                if self._has_ended:
                    self._leave()
                return False
            self._searched, self._raw_head = 0, None
        if self._state is not State.BODY:
            if not self._take_head():
                if self._has_ended:
                    raise HeadError(400, "The connection ended in the middle of the request head.")
                if self._state is not State.HEAD:
                    self._enter(State.HEAD)
                return False
            self._begin_body()
        if self._state is State.BODY:
            self._take_body()
        return self._state is State.IDLE

    def _take_head(self) -> bool:
        """Take the next head off the buffer, if it is whole."""
        buffer = self._buffer
        if buffer[:1] == _TLS_HANDSHAKE:
            self._raw_head = b""  # nothing that could be shown
            raise HeadError(400, "This port speaks plain HTTP: use http.")
        limits = self._service.limits
        end = buffer.find(_END_OF_HEAD, max(0, self._searched - len(_END_OF_HEAD)))
        if end < 0 or end > limits.header_bytes:
            self._check_unfinished(buffer if end < 0 else buffer[:end])
            self._searched = len(buffer)
            return False
        self._raw_head = buffer[:end]
        self._buffer = buffer[end + len(_END_OF_HEAD) :]
        self._head = parse_head(self._raw_head, limits)
        return True

    def _check_unfinished(self, head: bytes) -> None:
        limits = self._service.limits
        at = self._searched  # a CR before it belongs to an LF that comes now
        if head[:at].endswith(b"\r"):
            at -= 1
        if head.count(b"\n", at) != head.count(b"\r\n", at):
            raise HeadError(400, BARE_LF)  # or else its end would be waited for in vain
        longest_line = limits.target_bytes + _REST_OF_REQUEST_LINE
        if len(head) > longest_line and head.find(b"\r\n", 0, longest_line) < 0:
            raise HeadError(414, f"The request target is longer than {limits.target_bytes} bytes.")
        if len(head) > limits.header_bytes:
            raise HeadError(431, f"The request head is longer than {limits.header_bytes} bytes.")

    def _begin_body(self) -> None:
        head = self._head
        limit = self._service.application.body_limit(head)
        self._body = ChunkedBody(limit) if head.chunked else SizedBody(head.content_length)
        self._state = State.BODY
        if head.content_length > limit:
            self._dispatch(TooLargeError(limit))
            return
        if len(self._buffer) < head.content_length or head.chunked:
            self._enter(State.BODY)  # it may have to be waited for
        if head.expects_continue and not self._buffer:
            self.write(_CONTINUE)

    def _take_body(self) -> None:
        try:
            self._buffer = self._body.feed(self._buffer)
        except ValueError as error:
            self._dispatch(error)
            return
        if self._body.is_whole:
            self._dispatch(None)
        elif self._has_ended:
            self._cut_off()

    def _cut_off(self) -> None:
        """The client went away within a body: the request is served, so that it is recorded."""
        if isinstance(self._body, ChunkedBody):
            reason = "The client went away before the last chunk of the request body."
        else:
            length, size = self._head.content_length, len(self._body.content())
            reason = f"The client went away after {size} of {length} bytes of the request body."
        self._dispatch(ConnectionAbortedError(reason))

    def _dispatch(self, failure: Exception | None) -> None:
        head, body = self._head, self._body
        size = body.size if isinstance(body, ChunkedBody) else head.content_length
        self._is_uploading = isinstance(failure, TooLargeError)
        message = Message(head, body.content(), size, failure, self._peer, self._listener)
        self._body = SizedBody(0)
        if self._state is not State.CLOSED:
            self._enter(State.ANSWERING)
        try:
            self._service.application.serve(message, self)
        except Exception as error:  # noqa: BLE001 - a defect costs its connection only
            self.fail(error)

    def _refuse(self, status: int, reason: str) -> None:
        """Answer a request that the application does not see."""
        raw = self._buffer if self._raw_head is None else self._raw_head
        method, target, headers = glimpse(raw, self._service.limits)
        self._enter(State.ANSWERING)

        def answer() -> None:
            if self._tls is None or self._tls.is_established:
                self.write(plain_answer(status, reason))
            self.finish(persists=False)

        refused = Refused(status, reason, self._peer[0], method, target, headers)
        try:
            self._service.application.refused(refused, answer)
        except Exception as error:  # noqa: BLE001 - as above
            self._service.on_error(error)
            answer()

    # --- answers ----------------------------------------------------------------------------------------------------

    @property
    def may_persist(self) -> bool:
        """Whether the server has another answer for this connection."""
        return not self._service.is_stopping

    def write(self, data: bytes) -> None:
        """Write a part of the answer."""
        if self.is_closed or self._transport.is_closing():
            return
        self._transport.write(data if self._tls is None else self._tls.encrypt(data))

    def when_writable(self, function: Callable[[], None]) -> None:
        """Call a function once the client takes what is written, or is gone."""
        if self._takes_nothing and self._state is not State.CLOSED:
            self._on_writable = function
        else:
            function()

    def finish(self, *, persists: bool) -> None:
        """End the answer: go on to the next request, or leave."""
        if self._state not in (State.ANSWERING, State.HELD):
            return
        self._on_gone = None
        if not persists or self._service.is_stopping:
            self._leave()
            return
        self._enter(State.IDLE)
        if len(self._buffer) > _AHEAD_BYTES:
            self._transport.resume_reading()
        if self._buffer or self._has_ended:
            self._proceed()

    def _leave(self) -> None:
        """End our side; wait for the client's end, since closing on unread bytes would be a reset."""
        if self._tls is not None:
            self._transport.write(self._tls.farewell())
        self.hang_up()

    def hang_up(self) -> None:
        """End our side with FIN, without a word of TLS."""
        if self._state is State.CLOSED:
            return
        self._on_gone = None
        self._enter(State.LEAVING)
        if self._has_ended:
            self._transport.close()
        else:
            self._transport.resume_reading()
            try:
                self._transport.write_eof()
            except OSError:  # the client is gone already
                self.abort()

    def reset(self) -> None:
        """End with RST: what is under way is lost, in both directions."""
        sock = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # the client is gone already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.abort()

    def hold(self, on_gone: Callable[[], None]) -> None:
        """Hold the connection until ``finish``, ``hang_up`` or ``abort``; call ``on_gone`` if the client leaves."""
        if self._state is State.CLOSED:
            on_gone()
            return
        self._on_gone = on_gone
        self.is_making = False
        self._enter(State.HELD)
        if self._has_ended:
            self._transport.close()

    def release(self) -> None:
        """End the holding: an answer follows."""
        if self._state is State.HELD:
            self._on_gone = None
            self._enter(State.ANSWERING)


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
