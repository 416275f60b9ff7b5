"""The event loop of a server: one thread that accepts connections and serves them, until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import math
import os
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sandbox.foundation.real_time import monotonic
from sandbox.server.channel import Listener
from sandbox.server.connection import Connection
from sandbox.web.http.body import Message
from sandbox.web.http.limits import Limits, Refused
from sandbox.web.http.request_head import Head

_BACKLOG: Final = 1_024
"""A burst of clients must not meet a full queue: the first retry of a dropped SYN is a second away."""

_SWEEP_S: Final = 0.25
"""How late a deadline may be noticed."""

_BREATHER_S: Final = 0.05
"""How long accepting rests when the system gives no descriptor."""

_COMPLAINT_S: Final = 60.0
"""How often the server says at most that the system gives it no descriptor."""


class RealTimeLoop(asyncio.SelectorEventLoop):
    """The standard loop by the machine's clock, which freezegun cannot stop.

    On Windows too: the other loop there shuts a connection down before it closes it, which turns a reset into an end.
    """

    def time(self) -> float:
        """Return the seconds that timers go by."""
        return monotonic()


def new_loop() -> asyncio.AbstractEventLoop:
    """Return the loop of uvloop, on Windows winloop, where the extra ``[fast]`` is installed; or the standard loop."""
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
    sock = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
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
        where = repr(host)
        if sock is not None:
            sock.close()
            where = f"{host}:{port}"
        in_use = error.errno == errno.EADDRINUSE
        why = "the port is in use; choose another, or 0 for a free one" if in_use else error.strerror
        raise OSError(error.errno, f"Cannot listen on {where}: {why}") from error
    return Listener(sock, host, sock.getsockname()[1], tls)


@dataclass(slots=True, eq=False, kw_only=True)
class Engine:
    """Serves listeners, from ``start`` to ``stop``.

    The loop's thread calls its functions, which never wait.
    """

    limits: Limits
    body_limit: Callable[[Head], int]
    """Returns how many bytes the body of a request may have."""
    serve: Callable[[Message, Connection], None]
    """Answers a request on its connection, now or later."""
    refused: Callable[[Refused, Callable[[], None]], None]
    """Notes that a request is refused, then calls the other function, in any thread, to send the refusal."""
    failed: Callable[[BaseException], None]
    """Is given each exception that nothing else deals with."""
    end_waits: Callable[[], None]
    """Is called when ``stop`` cuts the connections of requests that are being answered, to end what they wait for."""
    loop: asyncio.AbstractEventLoop = field(default_factory=new_loop)
    connections: set[Connection] = field(default_factory=set)
    """Every connection that is open."""
    received: memoryview = field(default_factory=lambda: memoryview(bytearray(65_536)))
    """Where the loop puts the bytes that one connection has received, until that has taken them."""
    is_stopping: bool = False
    patience_s: list[float] = field(init=False)
    """How long a client is waited for, by state."""
    _listeners: set[Listener] = field(default_factory=set)
    _is_stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _next_complaint: float = 0.0
    _thread: threading.Thread = field(default_factory=threading.current_thread)

    def __post_init__(self) -> None:
        limits = self.limits
        receiving = limits.keep_alive_s, limits.head_timeout_s, limits.body_timeout_s
        self.patience_s = [*receiving, math.inf, math.inf, limits.farewell_s, math.inf]

    @property
    def is_own_thread(self) -> bool:
        """Whether the caller is in the loop's thread."""
        return threading.current_thread() is self._thread

    def start(self, listeners: Sequence[Listener]) -> None:
        """Accept connections: those that come before the thread runs wait with the system."""
        self._thread = threading.Thread(target=self._run, args=(listeners,), name="http-loop", daemon=True)
        self._thread.start()

    def open(self, listener: Listener) -> None:
        """Accept connections of a further listener, while it runs."""
        self._listeners.add(listener)
        self.call(self._open, listener)

    def close(self, listener: Listener) -> None:
        """Accept no more connections of a listener; those that are open stay."""
        self.call(self._close, listener)

    def stop(self) -> None:
        """Stop accepting, give the requests that are being answered a moment to end, close all connections."""
        self.call(self._is_stopped.set)
        if not self.is_own_thread:
            self._thread.join()

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function in the loop's thread, from any thread; do nothing once the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(function, *arguments)

    # --- in the loop's thread ---------------------------------------------------------------------------------------

    def _run(self, listeners: Sequence[Listener]) -> None:
        self.loop.set_exception_handler(self._fails)
        try:
            self.loop.run_until_complete(self._serve(listeners))
        finally:
            self.loop.close()

    async def _serve(self, listeners: Sequence[Listener]) -> None:
        self._listeners.update(listeners)
        for listener in listeners:
            self._open(listener)
        await self._is_stopped.wait()
        self.is_stopping = True
        for listener in list(self._listeners):
            self._close(listener)
        end = monotonic() + self.limits.grace_s
        while any(connection.is_busy for connection in self.connections) and monotonic() < end:
            self._abort(busy=False)
            await asyncio.sleep(0.001)
        if any(connection.is_busy for connection in self.connections):
            self.end_waits()
        while self.connections or len(asyncio.all_tasks()) > 1:  # tasks that accept a connection, or hold one
            self._abort(busy=True)
            await asyncio.sleep(0)

    def _abort(self, *, busy: bool) -> None:
        for connection in list(self.connections):
            if busy or not connection.is_busy:
                connection.abort()

    def _open(self, listener: Listener) -> None:
        if listener in self._listeners:
            self.loop.add_reader(listener.sock, self._accept, listener)

    def _close(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._listeners.discard(listener)
            self.loop.remove_reader(listener.sock)
            listener.sock.close()

    def _accept(self, listener: Listener) -> None:
        """Accept all that wait. One at a time, the last of a crowd would wait until all others are served.

        ``loop.create_server`` would do, but some Pythons lose a connection that comes while they close the server.
        """
        for _ in range(_BACKLOG):
            try:
                sock, _address = listener.sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:  # no descriptor is left, most likely: new clients wait with the system
                self.loop.remove_reader(listener.sock)
                self.loop.call_later(_BREATHER_S, self._open, listener)
                if (now := monotonic()) >= self._next_complaint:
                    self._next_complaint = now + _COMPLAINT_S
                    self.failed(OSError(error.errno, f"{error.strerror}: new connections have to wait"))
                return
            self.loop.create_task(self.loop.connect_accepted_socket(lambda: Connection(self, listener), sock))

    def _fails(self, _: object, context: dict[str, object]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError):  # a client that goes away while it is written to is no error
            self.failed(error if isinstance(error, BaseException) else RuntimeError(str(context.get("message"))))

    def add(self, connection: Connection) -> None:
        """Look at the deadline of a connection from now on."""
        self.connections.add(connection)
        if len(self.connections) == 1:
            self._sweep()

    def _sweep(self) -> None:
        now = monotonic()
        for connection in [each for each in self.connections if each.deadline <= now]:
            connection.expire()
        if self.connections and not self.is_stopping:
            limits = self.limits
            shortest = min(limits.head_timeout_s, limits.body_timeout_s, limits.keep_alive_s)
            self.loop.call_later(min(_SWEEP_S, shortest / 4), self._sweep)
