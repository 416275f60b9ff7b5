"""Where connections wait that a worker must not wait for: late answers, slow bodies, silence.

One thread, started when first needed, holds the sockets with what is to be sent and when. It goes by the machine's own
clock, so time that a test freezes does not hold it up, and it is woken at once when a fault rule is removed, the
sandbox is reset or the server stops: then the connection is closed, whatever was still to be sent.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import selectors
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from sandbox.faults.cancellation import Cancellation
from sandbox.foundation.real_time import monotonic

LINGER_S: Final = 2.0
"""How long the client may take to end its side of the connection after ours has ended."""

_NOTHING_NOW: Final = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


@dataclass(slots=True, eq=False)
class _Parked:
    """A connection that waits. Once it has arrived, all but ``aborted`` belongs to the parking thread."""

    sock: socket.socket
    steps: deque[tuple[float, bytes]]
    end: float | None
    unsent: bytes = b""
    leaving: bool = False
    aborted: bool = False
    stop_listening: Callable[[], None] = field(default=lambda: None)


class Parking:
    """The connections of one server that wait. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._arrivals: deque[_Parked] = deque()
        self._aborted: deque[_Parked] = deque()
        self._thread: threading.Thread | None = None
        self._waker: socket.socket | None = None
        self._closed = False

    def open(self) -> None:
        """Take connections again, after ``close``."""
        with self._lock:
            self._closed = False

    def close(self) -> None:
        """Close every connection that waits, end the thread, and take no more."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
            self._wake()
        if thread is not None:
            thread.join()

    def park(
        self,
        sock: socket.socket,
        steps: Iterable[tuple[float, bytes]],
        hold_s: float | None,
        cancellation: Cancellation,
    ) -> None:
        """Take a socket over: send each step's bytes when its seconds from now have passed, then end the connection.

        Where there is nothing to send it is held for ``hold_s`` seconds, or without end for ``None``; in any case until
        the client gives up. Raise ``OSError``, and close it, where the thread is needed and cannot be started.
        """
        now = monotonic()
        scheduled = deque((now + delay, data) for delay, data in steps)
        end = None if scheduled or hold_s is None else now + hold_s
        parked = _Parked(sock, scheduled, end)
        parked.stop_listening = cancellation.listen(lambda: self._abort(parked))
        with contextlib.ExitStack() as refusal:
            refusal.callback(sock.close)
            refusal.callback(parked.stop_listening)
            with self._lock:
                if self._closed:
                    return
                if self._thread is None:
                    self._start()  # first: it fails where no descriptor is left, and nobody would come for the socket
                self._arrivals.append(parked)
                self._wake()
            refusal.pop_all()

    def _abort(self, parked: _Parked) -> None:
        with self._lock:
            parked.aborted = True  # it may not have arrived yet
            self._aborted.append(parked)
            self._wake()

    def _start(self) -> None:
        with contextlib.ExitStack() as undone:
            reader, waker = (undone.enter_context(end) for end in socket.socketpair())
            reader.setblocking(False)
            waker.setblocking(False)
            thread = threading.Thread(target=_Loop(self, reader, waker).run, name="parking", daemon=True)
            thread.start()
            undone.pop_all()
        self._waker, self._thread = waker, thread

    def _wake(self) -> None:
        if self._waker is not None:
            with contextlib.suppress(OSError):  # full: it is awake already
                self._waker.send(b"\0")

    def take(self) -> tuple[list[_Parked], list[_Parked], bool]:
        """Return who came, whose waiting is over, and whether all is: for the loop."""
        with self._lock:
            arrivals, aborted = list(self._arrivals), list(self._aborted)
            self._arrivals.clear()
            self._aborted.clear()
            if self._closed:
                self._waker = None
            return arrivals, aborted, self._closed


class _Loop:
    """What the parking thread does."""

    def __init__(self, parking: Parking, reader: socket.socket, waker: socket.socket) -> None:
        self._parking = parking
        self._reader = reader
        self._waker = waker
        self._selector = selectors.DefaultSelector()
        self._selector.register(reader, _READ)
        self._parked: set[_Parked] = set()
        self._agenda: list[tuple[float, int, _Parked]] = []
        self._numbers = itertools.count()

    def run(self) -> None:
        """Go on until the parking is closed."""
        closed = False
        while not closed:
            for key, events in self._selector.select(self._patience()):
                if key.data is None:
                    with contextlib.suppress(OSError):
                        self._reader.recv(4096)
                elif key.data in self._parked:
                    self._attend(key.data, events)
            arrivals, aborted, closed = self._parking.take()
            for parked in arrivals:
                self._admit(parked)
            for parked in aborted:
                self._drop(parked)
            self._do_what_is_due()
        for parked in list(self._parked):
            self._drop(parked)
        self._selector.close()
        self._reader.close()
        self._waker.close()

    def _patience(self) -> float | None:
        return max(0.0, self._agenda[0][0] - monotonic()) if self._agenda else None

    def _admit(self, parked: _Parked) -> None:
        try:
            parked.sock.setblocking(False)
            self._selector.register(parked.sock, _READ, parked)
        except (OSError, ValueError):
            parked.aborted = True
        if parked.aborted:
            self._parked.add(parked)
            self._drop(parked)
            return
        self._parked.add(parked)
        self._schedule(parked, parked.steps[0][0] if parked.steps else parked.end)

    def _schedule(self, parked: _Parked, due: float | None) -> None:
        """Put it on the agenda, where it stands only once."""
        if due is not None:
            heapq.heappush(self._agenda, (due, next(self._numbers), parked))

    def _do_what_is_due(self) -> None:
        now = monotonic()
        while self._agenda and self._agenda[0][0] <= now:
            _, _, parked = heapq.heappop(self._agenda)
            if parked in self._parked:
                self._advance(parked, now)

    def _advance(self, parked: _Parked, now: float) -> None:
        if parked.leaving:
            self._drop(parked)
            return
        while parked.steps and parked.steps[0][0] <= now:
            parked.unsent += parked.steps.popleft()[1]
        if parked.steps:
            self._schedule(parked, parked.steps[0][0])
        self._flush(parked)

    def _attend(self, parked: _Parked, events: int) -> None:
        if events & _READ:
            try:
                if not parked.sock.recv(65_536):
                    self._drop(parked)  # the client has given up, or has its answer
                    return
            except _NOTHING_NOW:
                pass
            except OSError:
                self._drop(parked)
                return
        if events & _WRITE:
            self._flush(parked)

    def _flush(self, parked: _Parked) -> None:
        try:
            while parked.unsent:
                parked.unsent = parked.unsent[parked.sock.send(parked.unsent) :]
        except _NOTHING_NOW:
            pass
        except OSError:
            self._drop(parked)
            return
        self._selector.modify(parked.sock, _READ | _WRITE if parked.unsent else _READ, parked)
        if not parked.unsent and not parked.steps and not parked.leaving:
            self._leave(parked)

    def _leave(self, parked: _Parked) -> None:
        """End our side; the client's is awaited, since closing on unread bytes would be a reset."""
        parked.leaving = True
        with contextlib.suppress(OSError):
            parked.sock.shutdown(socket.SHUT_WR)
        self._schedule(parked, monotonic() + LINGER_S)

    def _drop(self, parked: _Parked) -> None:
        if parked in self._parked:
            self._parked.discard(parked)
            parked.stop_listening()
            with contextlib.suppress(OSError, ValueError, KeyError):
                self._selector.unregister(parked.sock)
            with contextlib.suppress(OSError):
                parked.sock.close()
