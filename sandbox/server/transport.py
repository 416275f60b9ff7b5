"""Bringing about the effect of a request on its connection: the last step, after the journal entry is closed.

Failures are real ones on the wire. Whatever takes time is a timer of the loop: it costs no thread, and it ends with the
client's patience, the fault rule, a reset of the sandbox or the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from typing_extensions import assert_never

from sandbox.faults.cancellation import Cancellation
from sandbox.faults.effects import Delayed, Empty, Garbage, Relayed, Reset, Silence, Slow, Truncated
from sandbox.foundation.answer import Answer, Headers
from sandbox.platform.serve import Served
from sandbox.server.connection import Connection, Message
from sandbox.web.wsgi import head, relayed_head, spread


def perform(served: Served, date: str, message: Message, connection: Connection) -> None:
    """Bring an effect about. ``date`` is the value of the header ``Date``. For the loop's thread."""
    effect, cancellation = served.effect, served.cancellation
    if isinstance(effect, Answer):
        persists = message.keep_alive and connection.may_persist
        if cancellation is not None:
            effect, persists = _of_fault(effect, persists=persists)
        option = "close" if not persists else "" if message.head.protocol == "HTTP/1.1" else "keep-alive"
        connection.write(head(effect, date, connection=option) + effect.body)
        connection.finish(persists=persists)
        return
    assert cancellation is not None
    assert served.hung_up is not None
    match effect:
        case Reset():
            connection.reset()
        case Empty():
            connection.hang_up()
        case Silence(seconds):
            _Steps(connection, (), cancellation, served.hung_up).begin(seconds)
        case Delayed(answer, seconds):
            steps = [(seconds, head(answer, date) + answer.body)]
            _Steps(connection, steps, cancellation, served.hung_up).begin()
        case Slow(answer, seconds, pieces):
            steps = [(0.0, head(answer, date)), *spread(answer.body, seconds, pieces)]
            _Steps(connection, steps, cancellation, served.hung_up).begin()
        case Relayed(answer, sent, chunked):
            _relay(answer, sent, date, message, connection, chunked=chunked)
        case Truncated(answer, kept):
            connection.write(head(answer, date) + answer.body[:kept])
            connection.hang_up()
        case Garbage(data):
            connection.write(data)
            connection.hang_up()
        case _:
            assert_never(effect)


def _of_fault(answer: Answer, *, persists: bool) -> tuple[Answer, bool]:
    """Return the answer of a fault without its ``Connection`` header, and whether the connection lives on for it."""
    options = [value for name, value in answer.headers if name.lower() == "connection"]
    if not options:
        return answer, persists
    headers = tuple(header for header in answer.headers if header[0].lower() != "connection")
    return Answer(answer.status, headers, answer.body, answer.phrase), persists and "close" not in options


def _relay(answer: Answer, sent: bytes, date: str, message: Message, connection: Connection, *, chunked: bool) -> None:
    """Send an answer in one chunk or with its length; in HTTP/1.0, which has no chunks, its end is the close."""
    has_body = message.head.method != "HEAD" and answer.status not in (204, 304)
    persists = message.keep_alive and connection.may_persist
    framing: Headers = (("Content-Length", str(len(sent))),)
    if not has_body:
        framing, sent = (), b""
    elif chunked:
        framing = ()
        if message.head.protocol == "HTTP/1.1":
            framing = (("Transfer-Encoding", "chunked"),)
            sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(sent), sent) if sent else b"0\r\n\r\n"
        else:
            persists = False
    connection.write(relayed_head(answer, date, framing, connection="keep-alive" if persists else "close") + sent)
    connection.finish(persists=persists)


class _Steps:
    """A held connection: each step's bytes are sent when its seconds have passed, and then the connection ends."""

    def __init__(
        self,
        connection: Connection,
        steps: Iterable[tuple[float, bytes]],
        cancellation: Cancellation,
        hung_up: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._steps: Iterator[tuple[float, bytes]] = iter(steps)
        self._cancellation = cancellation
        self._hung_up = hung_up
        self._began = connection.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False
        self._stop_listening: Callable[[], None] = lambda: None

    def begin(self, hold_s: float | None = None) -> None:
        """Begin; without a step the connection is held for ``hold_s`` seconds, or without end for ``None``."""
        connection = self._connection
        connection.hold(self._gone)
        if self._is_over:
            return
        first = next(self._steps, None)
        if first is not None:
            self._schedule(first)
        elif hold_s is not None:
            self._timer = connection.loop.call_later(hold_s, self._cancel)
        self._stop_listening = self._cancellation.listen(lambda: connection.call(self._cancel))

    def _schedule(self, step: tuple[float, bytes]) -> None:
        due, data = step
        self._timer = self._connection.loop.call_at(self._began + due, self._take, data)

    def _take(self, data: bytes) -> None:
        self._connection.write(data)
        following = next(self._steps, None)
        if following is not None:
            self._schedule(following)
        else:
            self._stop()
            self._connection.hang_up()

    def _cancel(self) -> None:
        if not self._is_over:
            self._stop()
            self._connection.abort()

    def _gone(self) -> None:
        """Note that the client is gone, unless the sandbox ended the connection itself."""
        if not self._is_over and self._connection.may_persist:
            self._hung_up()
        self._stop()

    def _stop(self) -> None:
        """End the timers and the listening: the connection is gone, or its last step was taken."""
        if not self._is_over:
            self._is_over = True
            if self._timer is not None:
                self._timer.cancel()
            self._stop_listening()
