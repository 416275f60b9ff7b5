"""A connection that a view keeps waiting for news: no thread waits with it.

News wakes the loop, a thread of the pool makes of it what the client is to get, and the loop writes that. One piece is
under way at a time, and none is made while the client does not read: what it has not got yet stays where it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sandbox.server.connection import Connection
from sandbox.server.pool import Pool
from sandbox.web.news import Answer, News


class Held:
    """One connection and the news that it waits for. ``answer`` sends a late answer, in a thread of the pool."""

    def __init__(self, connection: Connection, news: News, pool: Pool, answer: Callable[[Answer], None]) -> None:
        self._connection = connection
        self._news = news
        self._pool = pool
        self._answer = answer
        self._is_woken = False
        self._is_over = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Hold the connection until the news is over, or the client leaves."""
        self._connection.hold(self._end)
        if not self._is_over:
            self._news.listen(self._wake)
            self._ask()

    def _wake(self) -> None:
        """Look for news soon. For any thread: it costs those that make the news one call, however many come."""
        if not self._is_woken:
            self._is_woken = True
            self._connection.call(self._ask)

    def _ask(self, *, timed_out: bool = False) -> None:
        if not self._connection.is_making and not self._is_over:
            self._connection.is_making, self._is_woken = True, False
            if self._timer is not None:
                self._timer.cancel()
            self._pool.submit(lambda: self._fetch(timed_out))

    def _fetch(self, timed_out: bool) -> None:
        try:
            piece = self._news.next(timed_out=timed_out)
        except Exception as error:  # noqa: BLE001 - reported, and the pool's thread goes on
            self._connection.call(self._connection.fail, error)
            return
        if isinstance(piece, bytes):
            self._connection.call(self._got, piece)
        else:
            self._connection.call(self._release)
            self._answer(piece)

    def _release(self) -> None:
        self._end()
        self._connection.release()

    def _got(self, piece: bytes) -> None:
        if piece:
            self._connection.write(piece)
            self._is_woken = True  # there may be more
        self._connection.when_writable(self._go_on)

    def _go_on(self) -> None:
        self._connection.is_making = False
        if self._is_woken:
            self._ask()
        elif not self._is_over:
            seconds = self._news.seconds_left()
            self._timer = self._connection.loop.call_later(seconds, lambda: self._ask(timed_out=True))

    def _end(self) -> None:
        if not self._is_over:
            self._is_over = True
            if self._timer is not None:
                self._timer.cancel()
            self._news.close()
