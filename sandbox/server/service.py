"""The parts that all connections of a server share."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from sandbox.foundation.real_time import monotonic
from sandbox.web.http.body import Message
from sandbox.web.http.limits import Limits, Refused
from sandbox.web.http.request_head import Head

if TYPE_CHECKING:
    from sandbox.server.connection import Connection

_SWEEP_S: Final = 0.25
"""How late a deadline may be noticed."""


class State(IntEnum):
    """The work of a connection, or the event that it waits for."""

    IDLE = 0  # for the first byte of a request, or for a TLS handshake
    HEAD = 1  # for the rest of a head
    BODY = 2  # for the rest of a body
    ANSWERING = 3  # for the application
    HELD = 4  # for a fault, or for news
    LEAVING = 5  # for the client's end of the connection, after ours
    CLOSED = 6


# Names that are found at once. RECEIVING is the last state in which a connection waits for bytes of a request.
IDLE, RECEIVING, ANSWERING = State.IDLE, State.BODY, State.ANSWERING


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


@dataclass(slots=True, eq=False, kw_only=True)
class Service:
    """The server of some connections, as they see it. Its functions are called in the loop's thread, and never wait."""

    loop: asyncio.AbstractEventLoop
    limits: Limits
    body_limit: Callable[[Head], int]
    """Returns how many bytes the body of a request may have."""
    serve: Callable[[Message, Connection], None]
    """Answers a request on its connection, now or later."""
    refused: Callable[[Refused, Callable[[], None]], None]
    """Notes that a request is refused, then calls the other function, in any thread, to send the refusal."""
    failed: Callable[[BaseException], None]
    """Is given each exception that nothing else deals with."""
    connections: set[Connection] = field(default_factory=set)
    """Every connection that is open."""
    received: memoryview = field(default_factory=lambda: memoryview(bytearray(65_536)))
    """Where the loop puts the bytes that one connection has received, until that has taken them."""
    is_stopping: bool = False
    patience_s: list[float] = field(init=False)
    """How long a client is waited for, by state."""

    def __post_init__(self) -> None:
        limits = self.limits
        receiving = limits.keep_alive_s, limits.head_timeout_s, limits.body_timeout_s
        self.patience_s = [*receiving, math.inf, math.inf, limits.farewell_s, math.inf]

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function in the loop's thread, from any thread; do nothing once the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(function, *arguments)

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
