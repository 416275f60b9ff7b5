"""One client's connection, from its first byte to its last. It lives in the loop's thread.

    IDLE ──a byte──► HEAD ──head──► BODY ──body──► ANSWERING ──answer──► IDLE, or LEAVING
                      └─refused─► ANSWERING            └─a fault, a wait─► HELD ──► LEAVING, or CLOSED

A ``Reader`` cuts requests off what the client sends, one at a time: what comes ahead of an answer waits in its buffer,
and reading pauses when that is full. So answers, refusals and ``100 Continue`` leave in order. Every state has a
deadline, except ANSWERING and HELD.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from email.utils import formatdate
from typing import TYPE_CHECKING, Final, cast

from sandbox.foundation.answer import Answer
from sandbox.foundation.real_time import monotonic
from sandbox.server.channel import ANSWERING, IDLE, RECEIVING, Channel, Listener, State
from sandbox.web.http.body import Message, TooLargeError
from sandbox.web.http.limits import Refused
from sandbox.web.http.reader import Reader, Wanted
from sandbox.web.http.request_head import HeadError
from sandbox.web.wsgi import head as head_of

if TYPE_CHECKING:
    from sandbox.server.engine import Engine

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_WAITING: Final = {
    Wanted.REQUEST: State.IDLE,
    Wanted.HEAD: State.HEAD,
    Wanted.BODY: State.BODY,
    Wanted.CONTINUE: State.BODY,
}
_AHEAD_BYTES: Final = 65_536
"""Bytes that a client may send ahead of an answer before reading pauses."""

_AT_ONCE: Final = 16
"""Requests of one client that are served before other connections are attended to."""


class Connection(Channel):
    """An accepted connection. The engine looks at ``deadline``, and calls ``expire`` then."""

    def __init__(self, engine: Engine, listener: Listener) -> None:
        super().__init__(engine, listener)
        self._reader = Reader(engine.limits, engine.body_limit)
        self._requests = self._reader.requests()
        self._is_proceeding = False
        self._discarded = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin. A client for whom there is no room is refused, one of a flood of those is not even answered."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.peer = peer[0], peer[1]
        self._enter(State.IDLE)
        limits, others = self._engine.limits, len(self._engine.connections)
        if self._tls is not None:
            self.deadline = monotonic() + limits.head_timeout_s  # for the handshake
        self._engine.add(self)
        if self._engine.is_stopping or others >= limits.connections + limits.turned_away:
            self.abort()
        elif others >= limits.connections:
            self._refuse(503, f"The server has {limits.connections} connections already, as many as it may.")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client; a request without its whole body is served all the same, to be recorded."""
        state, self._state = self._state, State.CLOSED
        self._engine.connections.discard(self)
        gone, self._on_gone = self._on_gone, None
        if gone is not None:
            gone()
        self._writable()
        if state is State.BODY:
            self._reader.has_ended = True
            if isinstance(message := next(self._requests), Message):
                self._serve(message)

    def eof_received(self) -> bool:
        """Note that the client has ended its side; return whether an answer may still follow."""
        self._has_ended = self._reader.has_ended = True
        if self._state <= RECEIVING:
            self._proceed()
        elif self._state is not State.ANSWERING:
            return False
        return True

    def resume_writing(self) -> None:
        """The client has taken what was written: the requests that have come meanwhile are served."""
        super().resume_writing()
        self._proceed()

    def buffer_updated(self, nbytes: int) -> None:
        """Take what the client sends."""
        data: memoryview | bytes = self._engine.received[:nbytes]
        if self._state is State.LEAVING:
            self._discarded += nbytes
            if self._discarded > self._engine.limits.discarded_bytes:
                self.abort()
            return
        if self._tls is not None:
            try:
                data = self._decrypt(bytes(data), self._tls)
            except ssl.SSLError as error:
                if error.reason != "HTTP_REQUEST":
                    self.abort()
                    return
                self._tls, data = None, b""
                self._refuse(400, "This port speaks TLS: use https.")
        if self._state is not State.HELD:
            self._reader.buffer += data
            if self._state <= RECEIVING and not self._takes_nothing:
                self._proceed()
            elif len(self._reader.buffer) > _AHEAD_BYTES:
                self._transport.pause_reading()
        if self._tls is not None and self._tls.has_ended and not self._has_ended and not self.eof_received():
            self._transport.close()

    def expire(self) -> None:
        """Give up what is waited for: the deadline has passed."""
        limits = self._engine.limits
        if self._takes_nothing:
            self.abort()
            return
        match self._state:
            case State.IDLE:
                self._leave()
            case State.HEAD:
                self._refuse(408, f"The request head was not complete after {limits.head_timeout_s:g} seconds.")
            case State.BODY:
                self._proceed(
                    TimeoutError(f"The request body was not complete after {limits.body_timeout_s:g} seconds.")
                )
            case _:
                self.abort()

    def fail(self, error: BaseException) -> None:
        """Report a defect, which costs this connection only."""
        self._engine.failed(error)
        if self._state is State.ANSWERING:
            self.write(_plain_answer(500, "Internal Server Error"))
            self.finish(persists=False)
        else:
            self.abort()

    def _proceed(self, error: Exception | None = None) -> None:
        """Serve the requests that have come, until one has to be waited for; with an error, end what is waited for."""
        if self._is_proceeding:
            return
        self._is_proceeding = True
        try:
            for _ in range(_AT_ONCE):
                if self._takes_nothing or self._state > RECEIVING:
                    return
                step = self._requests.throw(error) if error else next(self._requests)
                error = None
                if not isinstance(step, Message):
                    self._wait_for(step)
                    return
                self._serve(step)
                if self._state is IDLE and not self._reader.buffer and not self._has_ended:
                    return
            self.loop.call_soon(self._proceed)
        except HeadError as refusal:
            self._refuse(refusal.status, refusal.reason)
        except Exception as defect:  # noqa: BLE001 - a defect costs its connection only
            self.fail(defect)
        finally:
            self._is_proceeding = False

    def _wait_for(self, wanted: Wanted) -> None:
        state = _WAITING[wanted]
        if self._state is not state:
            self._enter(state)
        if wanted is Wanted.CONTINUE:
            self.write(_CONTINUE)
        elif wanted is Wanted.REQUEST and self._has_ended:
            self._leave()

    def _serve(self, message: Message) -> None:
        self._is_uploading = isinstance(message.failure, TooLargeError)
        if self._state is not State.CLOSED:
            self._state, self.deadline = ANSWERING, math.inf
        try:
            self._engine.serve(message, self)
        except Exception as error:  # noqa: BLE001 - a defect costs its connection only
            self.fail(error)

    def _refuse(self, status: int, reason: str) -> None:
        method, target, headers = self._reader.refused_head()
        self._enter(State.ANSWERING)
        refused = Refused(status, reason, self.peer[0], method, target, headers)
        try:
            self._engine.refused(refused, lambda: self.call(self._answer_refused, refused))
        except Exception as error:  # noqa: BLE001 - a defect costs its connection only
            self._engine.failed(error)
            self._answer_refused(refused)

    def _answer_refused(self, refused: Refused) -> None:
        if self._tls is None or self._tls.is_established:
            self.write(_plain_answer(refused.status, refused.reason))
        self.finish(persists=False)

    def finish_with(self, data: bytes, persists: bool) -> None:
        """Write the last part of the answer and end it."""
        self.write(data)
        self.finish(persists=persists)

    def finish(self, *, persists: bool) -> None:
        """End the answer: go on to the next request, or leave."""
        if self._state is not ANSWERING and self._state is not State.HELD:
            return
        self._on_gone = None
        if not persists or self._engine.is_stopping:
            self._leave()
            return
        self._enter(IDLE)
        if len(self._reader.buffer) > _AHEAD_BYTES:
            self._transport.resume_reading()
        self._proceed()


def _plain_answer(status: int, text: str) -> bytes:
    """Return a whole answer of the server's own: one line of plain text. The connection ends with it."""
    body = f"{text}\n".encode("latin-1", "replace")
    answer = Answer(status, (("Content-Type", "text/plain; charset=latin-1"),), body)
    return head_of(answer, formatdate(usegmt=True)) + body
