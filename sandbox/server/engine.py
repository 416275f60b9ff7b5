"""The event loop of a server: one thread that accepts connections and serves them, until it is stopped.

The loop's clock is the machine's: libraries that freeze time do not stop it. Where uvloop is installed (on Windows
winloop; the extra ``patchworks-sandbox[fast]``), it takes the place of the standard loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from sandbox.foundation.real_time import monotonic
from sandbox.server.connection import Application, Connection, Listener, Service
from sandbox.server.limits import Limits

_logger = logging.getLogger("patchworks_sandbox")

_BACKLOG: Final = 1_024
"""A burst of clients must not meet a full queue: the first retry of a dropped SYN is a second away."""

_ACCEPTED_AT_ONCE: Final = 64
"""Connections that are accepted before those that are there are served again."""

_SWEEP_S: Final = 0.25
"""How late a deadline may be noticed."""

_BREATHER_S: Final = 0.05
"""How long accepting rests when the system gives no descriptor."""

_COMPLAINT_S: Final = 60.0
"""How often it says so at most."""


class RealTimeLoop(asyncio.SelectorEventLoop):
    """The standard loop by the machine's clock, which freezegun cannot stop.

    On Windows too: the other loop there shuts a connection down before it closes it, which turns a reset into an end.
    """

    def time(self) -> float:
        """Return the seconds that timers go by."""
        return monotonic()


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        if sys.platform == "win32":
            from winloop import new_event_loop
        else:
            from uvloop import new_event_loop
    except ImportError:
        return RealTimeLoop()
    loop: asyncio.AbstractEventLoop = new_event_loop()
    return loop


def listen(host: str, port: int, tls: ssl.SSLContext | None = None) -> Listener:
    """Listen at an address; clients are accepted once an engine has the listener. Raise ``OSError``, which names it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise OSError(error.errno, f"Cannot listen on {host!r}: {error.strerror}") from error
    try:
        if port and os.name == "posix":
            # Otherwise a restart waits until the last connections of the run before have timed out. On Windows the
            # option means something else, and with port 0 it could yield a port that is in use.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        if os.name == "posix":
            # Accepted connections inherit it: they do not keep the port from the next server that asks for it.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        in_use = error.errno == errno.EADDRINUSE
        why = "the port is in use; choose another, or 0 for a free one" if in_use else error.strerror
        raise OSError(error.errno, f"Cannot listen on {host}:{port}: {why}") from error
    return Listener(sock, host, sock.getsockname()[1], tls)


class Engine:
    """Serves an application on listeners, from ``start`` to ``stop``.

    ``on_cut`` is called when ``stop`` cuts the connections of requests that are being answered, to end what they wait
    for. ``on_error`` is given each exception that nothing else deals with; without it, they are logged. Both are called
    in the server's threads.
    """

    def __init__(
        self,
        application: Application,
        limits: Limits,
        *,
        on_error: Callable[[BaseException], None] | None = None,
        on_cut: Callable[[], None] | None = None,
    ) -> None:
        self._on_error = on_error
        self._on_cut = on_cut
        self._loop = _new_loop()
        self._service = Service(application, limits, self.failed, self._loop)
        self._listeners: set[Listener] = set()
        self._arrivals: set[asyncio.Task[object]] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._next_complaint = 0.0
        self._thread = threading.Thread(target=self._run, name="http-loop", daemon=True)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._service.connections)

    @property
    def is_own_thread(self) -> bool:
        """Whether the caller is in the loop's thread."""
        return threading.current_thread() is self._thread

    def start(self, listeners: Sequence[Listener]) -> None:
        """Accept connections: those that come before the thread runs wait with the system."""
        for listener in listeners:
            self._loop.call_soon(self._open, listener)
        self._thread.start()

    def open(self, listener: Listener) -> None:
        """Accept connections of a further listener, while it runs."""
        self.call(self._open, listener)

    def close(self, listener: Listener) -> None:
        """Accept no more connections of a listener; those that are open stay."""
        if self._thread.is_alive():
            closed = threading.Event()
            self.call(self._close, listener, closed)
            if not self.is_own_thread:
                closed.wait()

    def stop(self) -> None:
        """Stop accepting, give the requests that are being answered a moment to end, close all connections."""
        self.call(self._halt)
        if not self.is_own_thread:
            self._thread.join()

    def failed(self, error: BaseException) -> None:
        """Report an error that nothing else deals with."""
        if self._on_error is None:
            _logger.error("the server failed", exc_info=error)
            return
        try:
            self._on_error(error)
        except Exception:  # a broken listener must not end the server
            _logger.exception("on_error itself failed on %r", error)

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function in the loop's thread, from any thread; do nothing once the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)

    # --- in the loop's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        loop = self._loop
        loop.set_exception_handler(self._fails)
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()  # until `_halt`
            loop.run_until_complete(self._wind_down())
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    def _fails(self, _: object, context: dict[str, object]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError):  # a client that goes away while it is written to is no error
            self.failed(error if isinstance(error, BaseException) else RuntimeError(str(context.get("message"))))

    def _halt(self) -> None:
        self._service.is_stopping = True
        self._loop.stop()

    async def _wind_down(self) -> None:
        for listener in list(self._listeners):
            self._close(listener)
        if self._sweeper is not None:
            self._sweeper.cancel()
        if not await self._are_gone(self._service.limits.grace_s):
            for connection in list(self._service.connections):
                connection.abort()
            if self._on_cut is not None:
                self._on_cut()
            await self._are_gone(1.0)
        if self._arrivals:
            await asyncio.wait(self._arrivals)

    async def _are_gone(self, seconds: float) -> bool:
        """Abort each connection once no answer is on its way there; return whether none is left in time."""
        connections = self._service.connections
        end = monotonic() + seconds
        while connections and monotonic() < end:
            for connection in list(connections):
                if not connection.is_busy:
                    connection.abort()
            await asyncio.sleep(0.001 if any(one.is_busy for one in connections) else 0)
        return not connections

    def _open(self, listener: Listener) -> None:
        self._listeners.add(listener)
        self._loop.add_reader(listener.sock, self._accept, listener)

    def _close(self, listener: Listener, closed: threading.Event | None = None) -> None:
        if listener in self._listeners:
            self._listeners.discard(listener)
            self._loop.remove_reader(listener.sock)
            listener.sock.close()
        if closed is not None:
            closed.set()

    def _accept(self, listener: Listener) -> None:
        """Accept all that wait. One at a time, the last of a crowd would wait until all others are served."""
        limits = self._service.limits
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                sock, _address = listener.sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._starve(error, listener)
                return
            if self.connections >= limits.connections + limits.turned_away:
                sock.close()
                continue
            self._welcome(sock, listener)

    def _welcome(self, sock: socket.socket, listener: Listener) -> None:
        sock.setblocking(False)
        is_surplus = self.connections >= self._service.limits.connections
        connection = Connection(self._service, listener, is_surplus=is_surplus)
        self._service.connections.add(connection)
        arrival = self._loop.create_task(self._loop.connect_accepted_socket(lambda: connection, sock))
        self._arrivals.add(arrival)
        arrival.add_done_callback(partial(self._arrived, connection))
        if self._sweeper is None:
            self._sweep()

    def _arrived(self, connection: Connection, arrival: asyncio.Task[object]) -> None:
        self._arrivals.discard(arrival)
        if not arrival.cancelled() and (error := arrival.exception()) is not None:
            self._service.connections.discard(connection)
            self._fails(None, {"exception": error})

    def _starve(self, error: OSError, listener: Listener) -> None:
        """No descriptor is left, most likely. New clients wait with the system; those that are here are served."""
        if (now := monotonic()) >= self._next_complaint:
            self._next_complaint = now + _COMPLAINT_S
            self.failed(OSError(error.errno, f"{error.strerror}: new connections have to wait"))
        self._loop.remove_reader(listener.sock)
        self._loop.call_later(_BREATHER_S, self._breathed, listener)

    def _breathed(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._loop.add_reader(listener.sock, self._accept, listener)

    def _sweep(self) -> None:
        """Look at the deadlines, as long as there are connections."""
        now = monotonic()
        for connection in list(self._service.connections):
            if connection.deadline <= now:
                connection.expire()
        limits = self._service.limits
        pause = min(_SWEEP_S, limits.head_timeout_s / 4, limits.body_timeout_s / 4, limits.keep_alive_s / 4)
        self._sweeper = self._loop.call_later(pause, self._sweep) if self._service.connections else None
