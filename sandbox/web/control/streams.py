"""The open event streams of a server: one thread writes them all, so that a stream occupies no worker.

A stream holds only the piece that it is sending. Entries that a slow client has not read yet stay in the journal; when
the journal drops them first, the client gets an event about it. The thread starts with the first stream. It wakes when
the journal grows, when a client reads again or leaves, and when a heartbeat is due.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from sandbox.foundation.real_time import monotonic
from sandbox.foundation.strict_json import write_json
from sandbox.journal.filter import EntryFilter
from sandbox.journal.journal import Journal
from sandbox.state.sandbox import Sandbox
from sandbox.web.control.requests import EntrySchema, presented

PIECE: Final = 20
"""Entries in one piece; each is at most a few times the size of a body that a listing carries."""

HEARTBEAT: Final = b": still here\n\n"
BEGINNING: Final = b"retry: 1000\n\n"
_SCHEMA: Final = EntrySchema()


class Feed:
    """The entries that match a filter, from a cursor on and across resets.

    Belongs to one thread. ``journal_id`` is the id of the cursor's journal; if a reset has replaced that journal, all
    entries of the new one follow.
    """

    def __init__(self, sandbox: Sandbox, entry_filter: EntryFilter, after: int, journal_id: str) -> None:
        self._sandbox = sandbox
        self._filter = entry_filter
        self._after = after
        self._journal_id = journal_id

    def next(self) -> bytes:
        """Return the next piece; empty when there are no new entries.

        A reset since the last piece gets an event of its own, and so do entries that were dropped or cleared before
        they could be sent.
        """
        journal = self._sandbox.journal
        parts: list[bytes] = []
        if journal.id != self._journal_id:
            self._after, self._journal_id = 0, journal.id
            parts.append(_event("reset", {"journal": journal.id}))
        if (missed := journal.first_seq - 1 - self._after) > 0:
            self._after += missed
            parts.append(_event("dropped", {"missed": missed, "dropped": journal.dropped}))
        last = journal.last_seq
        entries = list(islice(journal.entries(self._filter, self._after), PIECE))
        self._after = entries[-1].seq if len(entries) == PIECE else max(last, entries[-1].seq if entries else 0)
        parts += [_event("request", _SCHEMA.dump(presented(entry, listed=True)), entry.id) for entry in entries]
        return b"".join(parts)


def _event(name: str, data: Any, id: str = "") -> bytes:
    lines = [f"id: {id}"] if id else []
    return "\n".join([*lines, f"event: {name}", f"data: {write_json(data)}", "", ""]).encode()


MAX_STREAMS: Final = 100
HEARTBEAT_S: Final = 15.0
PATIENCE_S: Final = 60.0
"""How long a client may read nothing of a piece."""

_NOTHING_NOW: Final = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class TooManyStreamsError(Exception):
    """No stream can be opened until another ends."""


@dataclass(slots=True, eq=False)
class _Stream:
    sock: socket.socket
    feed: Feed
    unsent: bytes
    moved_at: float
    """When the last byte went out."""


class Streams:
    """The streams of one server. Safe to use from several threads."""

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        max_streams: int = MAX_STREAMS,
        heartbeat_s: float = HEARTBEAT_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._sandbox = sandbox
        self._max_streams = max_streams
        self.heartbeat_s = heartbeat_s
        self.patience_s = patience_s
        self._lock = threading.Lock()
        self._count = 0
        self._arrivals: deque[_Stream] = deque()
        self._thread: threading.Thread | None = None
        self._waker: socket.socket | None = None
        self._closing = False

    def __len__(self) -> int:
        return self._count

    def reserve(self) -> None:
        """Reserve a place for ``add``; raise ``TooManyStreamsError`` when there is none."""
        with self._lock:
            if self._count >= self._max_streams:
                raise TooManyStreamsError
            self._count += 1

    def add(self, sock: socket.socket, head: bytes, feed: Feed) -> None:
        """Take over a socket on a reserved place: send the head, then the pieces of the feed.

        Raise ``OSError``, close the socket and release the place if the thread cannot be started.
        """
        with contextlib.ExitStack() as refusal:
            refusal.callback(sock.close)
            refusal.callback(self.release)
            with self._lock:
                if self._thread is None:
                    self._start()  # before the append: it fails where no descriptor is left
                self._arrivals.append(_Stream(sock, feed, head + BEGINNING, monotonic()))
            refusal.pop_all()
        self.wake()

    def _start(self) -> None:
        with contextlib.ExitStack() as undone:
            reader, waker = (undone.enter_context(end) for end in socket.socketpair())
            reader.setblocking(False)
            waker.setblocking(False)
            thread = threading.Thread(target=_Loop(self, self._sandbox, reader).run, name="streams", daemon=True)
            self._closing = False
            thread.start()
            undone.pop_all()
        self._waker, self._thread = waker, thread

    def close(self) -> None:
        """End all streams and the thread. A later stream starts another thread."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._closing = True
        if thread is not None:
            self.wake()
            thread.join()
            assert self._waker is not None
            self._waker.close()
            self._waker = None

    def wake(self) -> None:
        """Wake the thread. Any thread may call this."""
        waker = self._waker
        if waker is not None:
            with contextlib.suppress(OSError):  # the buffer is full: the thread wakes anyway
                waker.send(b"\0")

    def arrivals(self) -> tuple[list[_Stream], bool]:
        """Return the new streams, and whether all streams must end; ``_Loop`` calls this."""
        with self._lock:
            arrived = list(self._arrivals)
            self._arrivals.clear()
            return arrived, self._closing

    def release(self) -> None:
        """Release a place."""
        with self._lock:
            self._count -= 1


class _Loop:
    """The work of the thread."""

    def __init__(self, streams: Streams, sandbox: Sandbox, reader: socket.socket) -> None:
        self._streams = streams
        self._sandbox = sandbox
        self._reader = reader
        self._selector = selectors.DefaultSelector()
        self._open: set[_Stream] = set()
        self._journal: Journal | None = None

    def run(self) -> None:
        """Write to the streams until they are closed."""
        self._selector.register(self._reader, _READ)
        closing = False
        while not closing:
            self._follow(self._sandbox.journal)
            arrived, closing = self._streams.arrivals()
            for stream in arrived:
                self._admit(stream)
            for stream in list(self._open):
                self._write(stream)
            if not closing:
                self._sleep()
        for stream in list(self._open):
            self._end(stream)
        self._follow(None)
        self._selector.close()
        self._reader.close()

    def _follow(self, journal: Journal | None) -> None:
        """Listen to the present journal; a reset wakes the thread and replaces the journal."""
        if journal is not self._journal:
            if self._journal is not None:
                self._journal.unlisten(self._streams.wake)
            if journal is not None:
                journal.listen(self._streams.wake)
            self._journal = journal

    def _admit(self, stream: _Stream) -> None:
        self._open.add(stream)
        try:
            stream.sock.setblocking(False)
            self._selector.register(stream.sock, _READ, stream)
        except (OSError, ValueError):
            self._end(stream)

    def _sleep(self) -> None:
        moved = min((stream.moved_at for stream in self._open), default=None)
        timeout = None if moved is None else max(0.0, moved + self._streams.heartbeat_s - monotonic())
        for key, events in self._selector.select(timeout):
            if key.data is None:
                with contextlib.suppress(OSError):
                    self._reader.recv(65_536)
            elif events & _READ:
                self._listen(key.data)

    def _listen(self, stream: _Stream) -> None:
        """End the stream of a client that left; ignore bytes that a client sends."""
        try:
            if stream.sock.recv(65_536):
                return
        except _NOTHING_NOW:
            return
        except OSError:
            pass
        self._end(stream)

    def _write(self, stream: _Stream) -> None:
        now = monotonic()
        try:
            while stream.unsent or self._refill(stream, now):
                sent = stream.sock.send(stream.unsent)
                stream.unsent, stream.moved_at = stream.unsent[sent:], now
        except _NOTHING_NOW:
            if now - stream.moved_at > self._streams.patience_s:
                self._end(stream)
                return
        except OSError:
            self._end(stream)
            return
        self._selector.modify(stream.sock, _READ | _WRITE if stream.unsent else _READ, stream)

    def _refill(self, stream: _Stream, now: float) -> bool:
        stream.unsent = stream.feed.next()
        if not stream.unsent and now - stream.moved_at >= self._streams.heartbeat_s:
            stream.unsent = HEARTBEAT
        return bool(stream.unsent)

    def _end(self, stream: _Stream) -> None:
        if stream in self._open:
            self._open.discard(stream)
            self._streams.release()
            with contextlib.suppress(OSError, ValueError, KeyError):
                self._selector.unregister(stream.sock)
            with contextlib.suppress(OSError):
                stream.sock.shutdown(socket.SHUT_WR)
            stream.sock.close()
