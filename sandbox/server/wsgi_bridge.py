"""The bridge to WSGI applications: a request goes to a thread as an environ, and the answer comes back to the loop.

An application that answers in one part costs its thread no wait.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias

from sandbox.foundation.pool import Pool
from sandbox.server.connection import Connection
from sandbox.server.held import Held
from sandbox.web.environ import CONNECTION, BrokenBody, Environ, new_environ
from sandbox.web.http.body import Message
from sandbox.web.http.response import Response
from sandbox.web.news import Holding

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
        listener, holding = connection.listener, Holding()
        environ = new_environ(
            message.head,
            BrokenBody(message.body, message.failure) if message.failure else io.BytesIO(message.body),
            server=(listener.host, listener.port),
            client=connection.peer,
            scheme=listener.scheme,
        )
        environ[CONNECTION] = holding
        self._run(self._app, environ, message, connection, holding)
        if holding.news is not None:

            def answer_late(app: WSGIApplication) -> None:
                self._run(app, environ, message, connection, Holding())

            connection.call(Held(connection, holding.news, self._pool, answer_late).begin)

    def _run(
        self, app: WSGIApplication, environ: Environ, message: Message, connection: Connection, holding: Holding
    ) -> None:
        response = Response(
            message.head, partial(_flush, connection), lambda: message.keep_alive and connection.may_persist
        )
        parts: object = None
        try:
            parts = answer = app(environ, response.start)
            if holding.news is None:
                response.send(answer)
        except ClientGoneError:
            response.persists = False
        except BaseException as error:  # noqa: BLE001 - even SystemExit ends this request only
            self._on_error(error)
            response.fail()
        finally:
            self._close(parts)
            self._close(environ["wsgi.input"])
        if holding.news is None:
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
