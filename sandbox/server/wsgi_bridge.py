"""The bridge to WSGI applications: a request goes to a thread as an environ, and the answer comes back to the loop.

An application that answers in one part costs its thread no wait. A view may keep its connection waiting for news: no
thread waits with it. News wakes the loop, a thread of the pool makes of it what the client is to get, and the loop
writes that. One piece is under way at a time, and none is made while the client does not read: what it has not got yet
stays where it is.
"""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias

from sandbox.foundation.pool import Pool
from sandbox.server.connection import Connection
from sandbox.web.environ import CONNECTION, Answer, BrokenBody, Environ, News, new_environ
from sandbox.web.http.body import Message
from sandbox.web.http.response import Response


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


WSGIApplication: TypeAlias = Callable[..., Iterable[bytes]]


class ClientGoneError(ConnectionError):
    """The client did not take the answer. No fault of the application's."""


class WsgiBridge:
    """Lets a WSGI application answer requests in the threads of a pool."""

    def __init__(self, app: WSGIApplication, pool: Pool, on_error: Callable[[BaseException], None]) -> None:
        self._app = app
        self._pool = pool
        self._on_error = on_error

    def submit(self, message: Message, connection: Connection) -> None:
        """Let the application answer; raise ``RuntimeError`` where there is no thread for it."""
        self._pool.submit(lambda: self._answer(message, connection))

    def _answer(self, message: Message, connection: Connection) -> None:
        if not connection.may_persist:  # the server is stopping: a request that waited is not begun
            connection.call(connection.abort)
            return
        listener = connection.listener
        environ = new_environ(
            message.head,
            BrokenBody(message.body, message.failure) if message.failure else io.BytesIO(message.body),
            server=(listener.host, listener.port),
            client=connection.peer,
            scheme=listener.scheme,
        )
        awaited: list[News] = []
        environ[CONNECTION] = awaited.append
        self._run(self._app, environ, message, connection, awaited)
        for news in awaited:

            def answer_late(app: WSGIApplication) -> None:
                self._run(app, environ, message, connection, [])

            connection.call(Held(connection, news, self._pool, answer_late).begin)

    def _run(
        self, app: WSGIApplication, environ: Environ, message: Message, connection: Connection, awaited: list[News]
    ) -> None:
        response = Response(
            message.head, partial(_flush, connection), lambda: message.keep_alive and connection.may_persist
        )
        parts: object = None
        try:
            parts = answer = app(environ, response.start)
            if not awaited:
                response.send(answer)
        except ClientGoneError:
            response.persists = False
        except BaseException as error:  # noqa: BLE001 - even SystemExit ends this request only
            self._on_error(error)
            response.fail()
        finally:
            self._close(parts)
            self._close(environ["wsgi.input"])
        if not awaited:
            connection.call(connection.finish_with, response.unsent, response.persists)

    def _close(self, parts: object) -> None:
        close = getattr(parts, "close", None)
        if close is not None:
            try:
                close()
            except BaseException as error:  # noqa: BLE001 - as above
                self._on_error(error)


def _flush(connection: Connection, data: bytes) -> None:
    """Send a part that is not the last; wait until the client takes it."""
    taken = threading.Event()

    def send() -> None:
        connection.write(data)
        connection.when_writable(taken.set)

    connection.call(send)
    while not taken.wait(1.0):
        if connection.loop.is_closed():
            break
    if connection.is_closed:
        raise ClientGoneError("the client is gone, or did not take the answer in time")
