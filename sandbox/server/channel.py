"""The way to one client: bytes over TCP, or over TLS, and each of the ways in which it can end.

It lives in the loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import ssl
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, cast

from sandbox.foundation.real_time import monotonic
from sandbox.foundation.tls.layer import TlsLayer

if TYPE_CHECKING:
    from sandbox.server.engine import Engine

_RESET_ON_CLOSE: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


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


class Channel(asyncio.BufferedProtocol):
    """A way to a client. ``deadline`` is when the client's patience, or the server's, is over."""

    def __init__(self, engine: Engine, listener: Listener) -> None:
        self.listener = listener
        self.peer = ("", 0)
        self.deadline = math.inf
        self.loop = engine.loop
        """The loop whose thread it lives in."""
        self.call = engine.call
        self.is_making = False
        """Whether a piece of what it is held for is being made."""
        self._engine = engine
        self._tls = None if listener.tls is None else TlsLayer(listener.tls)
        self._transport = cast(asyncio.Transport, None)
        self._state = State.IDLE
        self._has_ended = False
        """Whether the client has ended its side."""
        self._is_uploading = False
        """Whether a body is still to come that is larger than the application takes."""
        self._takes_nothing = False
        self._on_gone: Callable[[], object] | None = None
        self._on_writable: Callable[[], None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether an answer is being made or written."""
        match self._state:
            case State.ANSWERING:
                return True
            case State.HELD:
                return self.is_making
            case State.LEAVING:
                return self._transport.get_write_buffer_size() > 0
            case _:
                return False

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._state >= State.LEAVING

    @property
    def may_persist(self) -> bool:
        """Whether the server has another answer for this connection."""
        return not self._engine.is_stopping

    def _enter(self, state: State) -> None:
        self._state = state
        if not self._takes_nothing:
            self.deadline = monotonic() + self._engine.patience_s[state]

    def pause_writing(self) -> None:
        """The client does not take what is written."""
        self._takes_nothing = True
        self.deadline = monotonic() + self._engine.limits.body_timeout_s

    def resume_writing(self) -> None:
        """The client has taken it."""
        self._takes_nothing = False
        self._enter(self._state)
        self._writable()
        self._transport.resume_reading()

    def _writable(self) -> None:
        writable, self._on_writable = self._on_writable, None
        if writable is not None:
            writable()

    def when_writable(self, function: Callable[[], None]) -> None:
        """Call a function once the client takes what is written, or is gone."""
        if self._takes_nothing and self._state is not State.CLOSED:
            self._on_writable = function
        else:
            function()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the place for the bytes that have come."""
        return self._engine.received

    def _decrypt(self, data: bytes, tls: TlsLayer) -> bytes:
        was_established = tls.is_established
        plain = tls.decrypt(data)
        if pending := tls.pending():
            self._transport.write(pending)
        if tls.is_established and not was_established:
            self._enter(State.IDLE)
        return plain

    def write(self, data: bytes) -> None:
        """Write a part of the answer."""
        if self._state < State.LEAVING:
            self._transport.write(data if self._tls is None else self._tls.encrypt(data))

    def _leave(self) -> None:
        """End our side; wait for the client's end, since closing on unread bytes would be a reset."""
        if self._tls is not None:
            self._transport.write(self._tls.farewell())
        self.hang_up()

    def hang_up(self) -> None:
        """End our side with FIN, without a word of TLS."""
        if self._state is State.CLOSED:
            return
        self._on_gone = None
        self._enter(State.LEAVING)
        if self._is_uploading:
            self.deadline = monotonic() + self._engine.limits.body_timeout_s
        if self._has_ended:
            self._transport.close()
        else:
            self._transport.resume_reading()
            try:
                self._transport.write_eof()
            except OSError:  # the client is gone already
                self.abort()

    def reset(self) -> None:
        """End with RST: what is under way is lost, in both directions."""
        sock = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # the client is gone already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.abort()

    def abort(self) -> None:
        """Close the connection now, also in the middle of a message."""
        if self._state is not State.BODY:
            self._state = State.CLOSED
        if self._transport is not None:
            self._transport.abort()

    def cut(self) -> None:
        """End the holding by closing the connection: the client is not gone by itself."""
        self._on_gone = None
        self.abort()

    def hold(self, on_gone: Callable[[], object]) -> None:
        """Hold the connection until ``finish``, ``hang_up`` or ``abort``; call ``on_gone`` if the client leaves."""
        if self._state is State.CLOSED:
            on_gone()
            return
        self._on_gone = on_gone
        self.is_making = False
        self._enter(State.HELD)
        if self._has_ended:
            self._transport.close()

    def release(self) -> None:
        """End the holding: an answer follows."""
        if self._state is State.HELD:
            self._on_gone = None
            self._enter(State.ANSWERING)
