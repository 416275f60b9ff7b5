"""Bringing about the effect of a request on its connection: the last step, after the journal entry is closed.

Failures are real ones on the wire. Work that takes time is a task of the loop: it costs no thread, and it ends with the
client's patience, the fault rule, a reset of the sandbox or the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from typing_extensions import assert_never

from sandbox.faults.effects import Delayed, Empty, Garbage, Relayed, Reset, Silence, Slow, Truncated
from sandbox.foundation.answer import Answer
from sandbox.foundation.real_time import monotonic
from sandbox.platform.serve import DateStamp, Served
from sandbox.server.connection import Connection
from sandbox.web.http.body import Message
from sandbox.web.wsgi import Inflictable, LastHead, head, of_fault, relayed, spread


class Transport:
    """Brings effects about. For the loop's thread."""

    def __init__(self) -> None:
        self._date = DateStamp()
        self._head = LastHead()

    def perform(self, served: Served, message: Message, connection: Connection) -> None:
        """Bring an effect about."""
        date = self._date(served.timestamp)
        answer, persists = served.effect, message.keep_alive and connection.may_persist
        if not isinstance(answer, Answer):
            _inflict(answer, served, date, message, connection)
            return
        if served.cancellation is not None:
            answer, persists = of_fault(answer, persists=persists)
        option = "close" if not persists else "" if message.head.protocol == "HTTP/1.1" else "keep-alive"
        connection.finish_with(self._head(answer, date, option) + answer.body, persists)


def _inflict(effect: Inflictable, served: Served, date: str, message: Message, connection: Connection) -> None:
    match effect:
        case Reset():
            connection.reset()
        case Empty():
            connection.hang_up()
        case Silence(seconds):
            _hold(connection, served, (), float("inf") if seconds is None else seconds)
        case Delayed(answer, seconds):
            _hold(connection, served, [(seconds, head(answer, date) + answer.body)])
        case Slow(answer, seconds, pieces):
            _hold(connection, served, [(0.0, head(answer, date)), *spread(answer.body, seconds, pieces)])
        case Relayed(answer, sent, chunked):
            persists = message.keep_alive and connection.may_persist
            connection.finish_with(*relayed(answer, sent, date, message.head, chunked=chunked, persists=persists))
        case Truncated(answer, kept):
            connection.write(head(answer, date) + answer.body[:kept])
            connection.hang_up()
        case Garbage(data):
            connection.write(data)
            connection.hang_up()
        case _:
            assert_never(effect)


def _hold(
    connection: Connection, served: Served, steps: Iterable[tuple[float, bytes]], silence_s: float | None = None
) -> None:
    """Hold a connection: each step's bytes are sent when its seconds have passed, and then the connection ends.

    With ``silence_s`` it is cut after so many seconds. The journal notes a client that leaves before that.
    """
    cancellation, hung_up = served.cancellation, served.hung_up
    assert cancellation is not None and hung_up is not None  # noqa: PT018 - every effect that takes time has both

    async def take_steps() -> None:
        began = monotonic()
        for due, data in steps:
            await asyncio.sleep(began + due - monotonic())
            connection.write(data)
        if silence_s is None:
            connection.hang_up()
        else:
            await asyncio.sleep(silence_s)
            connection.cut()

    def gone() -> None:
        if connection.may_persist:  # otherwise the stop of the server has ended it
            hung_up()
        task.cancel()

    def cancel() -> None:
        if not task.done():
            task.cancel()
            connection.cut()

    task = connection.loop.create_task(take_steps())
    connection.hold(gone)
    withdraw = cancellation.listen(lambda: connection.call(cancel))
    task.add_done_callback(lambda _: withdraw())
