"""A connection that a view keeps waiting for news: no thread waits with it.

News wakes the loop, a thread of the pool makes of it what the client is to get, and the loop writes that. One piece is
under way at a time, and none is made while the client does not read: what it has not got yet stays where it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sandbox.foundation.pool import Pool
from sandbox.server.connection import Connection
from sandbox.web.news import Answer, News


class Held:
    """One connection and the news that it waits for. ``answer`` sends a late answer, in a thread of the pool."""

    def __init__(self, connection: Connection, news: News, pool: Pool, answer: Callable[[Answer], None]) -> None:
        self._connection = connection
        self._news = news
        self._pool = pool
        self._answer = answer
        self._is_woken = self._timed_out = False
        self._woken = asyncio.Event()

    def begin(self) -> None:
        """Hold the connection until the news is over, or the client leaves."""
        task = self._connection.loop.create_task(self._run())
        self._connection.hold(task.cancel)

    def _wake(self) -> None:
        """Look for news soon. For any thread: it costs those that make the news one call, however many come."""
        if not self._is_woken:
            self._is_woken = True
            self._connection.call(self._woken.set)

    async def _run(self) -> None:
        connection, news = self._connection, self._news
        try:
            news.listen(self._wake)
            while isinstance(piece := await self._next(), bytes):
                connection.write(piece)
                writable = asyncio.Event()
                connection.when_writable(writable.set)
                await writable.wait()
                connection.is_making = False
                if not piece:
                    timer = connection.loop.call_later(news.seconds_left(), self._time_out)
                    try:  # `asyncio.wait_for` would swallow a cancellation that meets news, before Python 3.12
                        await self._woken.wait()
                    finally:
                        timer.cancel()
            connection.release()
            self._pool.submit(lambda: self._answer(piece))
        except Exception as error:  # noqa: BLE001 - a defect costs this connection only
            connection.fail(error)
        finally:
            news.close()

    def _time_out(self) -> None:
        self._timed_out = True
        self._woken.set()

    async def _next(self) -> bytes | Answer:
        timed_out, self._timed_out, self._is_woken = self._timed_out, False, False
        self._woken.clear()
        self._connection.is_making = True
        return await asyncio.wrap_future(self._pool.submit(lambda: self._news.next(timed_out=timed_out)))
