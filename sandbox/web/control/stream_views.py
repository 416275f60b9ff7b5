"""New entries of the journal as server-sent events (WHATWG HTML standard, §9.2), which cost no thread.

A stream holds only the piece that it is sending. Entries that a slow client has not read yet stay in the journal; when
the journal drops them first, the client gets an event about it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, cast

from flask import Response, request
from marshmallow import fields

from sandbox.foundation.errors import WaitInterruptedError
from sandbox.foundation.strict_json import write_json
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event, interleaved, shown_event
from sandbox.journal.filter import CURSOR, EVERY_ENTRY, EntryFilter, parse_cursor
from sandbox.journal.journal import Journal
from sandbox.state.sandbox import Sandbox
from sandbox.web.control.base import Blueprint, current_sandbox
from sandbox.web.control.problems import problem
from sandbox.web.control.request_views import RequestFilterSchema, listed, read_filter
from sandbox.web.control.tracing import request_id
from sandbox.web.environ import CONNECTION, STREAMS
from sandbox.web.paths import REQUEST_ID

blueprint = Blueprint("stream", __name__, description="Requests as they come")

PIECE: Final = 20
"""Entries in one piece; each is at most a few times the size of a body that a listing carries."""

HEARTBEAT: Final = b": still here\n\n"
BEGINNING: Final = b"retry: 1000\n\n"


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
        self._noted = sandbox.journal.events_since(0)[1]

    def next(self) -> bytes:
        """Return the next piece; empty when there are no new entries.

        A reset since the last piece gets an event of its own, and so do entries that were dropped or cleared before
        they could be sent.
        """
        journal = self._sandbox.journal
        parts: list[bytes] = []
        if journal.id != self._journal_id:
            self._after, self._journal_id, self._noted = 0, journal.id, 0
            parts.append(_event("reset", {"journal": journal.id}))
        if (missed := journal.first_seq - 1 - self._after) > 0:
            self._after += missed
            parts.append(_event("dropped", {"missed": missed, "dropped": journal.dropped}))
        last = journal.last_seq
        entries = list(islice(journal.entries(self._filter, self._after), PIECE))
        self._after = entries[-1].seq if len(entries) == PIECE else max(last, entries[-1].seq if entries else 0)
        events, self._noted = journal.events_since(self._noted)
        parts += map(_part, interleaved(entries, [event for event in events if event.kind != "reset"]))
        return b"".join(parts)


def _part(row: Entry | Event) -> bytes:
    if isinstance(row, Event):
        return _event("event", shown_event(row))
    return _event("request", listed(row), row.id)


def _event(name: str, data: Any, id: str = "") -> bytes:
    lines = [f"id: {id}"] if id else []
    return "\n".join([*lines, f"event: {name}", f"data: {write_json(data)}", "", ""]).encode()


MAX_STREAMS: Final = 100
HEARTBEAT_S: Final = 15.0


class Streams:
    """Bounds the streams of one server. Safe to use from several threads."""

    def __init__(self, max_streams: int = MAX_STREAMS, heartbeat_s: float = HEARTBEAT_S) -> None:
        self.max_streams = max_streams
        self.heartbeat_s = heartbeat_s
        self._lock = threading.Lock()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def reserve(self) -> bool:
        """Reserve a place for a ``Stream``; return ``False`` when there is none until another stream ends."""
        with self._lock:
            has_place = self._count < self.max_streams
            self._count += has_place
            return has_place

    def release(self) -> None:
        """Release a place."""
        with self._lock:
            self._count -= 1


class Stream:
    """An open stream on a reserved place; the server that holds the connection fetches its pieces."""

    def __init__(self, sandbox: Sandbox, head: bytes, feed: Feed, streams: Streams) -> None:
        self._sandbox = sandbox
        self._feed = feed
        self._streams = streams
        self._first = head + BEGINNING
        self._lock = threading.Lock()
        self._wake: Callable[[], None] = lambda: None
        self._journal: Journal | None = None
        self._is_closed = False

    def listen(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` after every entry, and after a reset."""
        self._wake = wake
        self._follow()

    def _follow(self) -> None:
        """Listen to the present journal; a reset wakes the server and replaces the journal."""
        with self._lock:
            journal = None if self._is_closed else self._sandbox.journal
            if journal is not self._journal:
                if self._journal is not None:
                    self._journal.waiting.unlisten(self._wake)
                if journal is not None:
                    journal.waiting.listen(self._wake)
                self._journal = journal

    def next(self, *, timed_out: bool) -> bytes:
        """Return the next piece, or a sign of life when ``seconds_left`` are over."""
        first, self._first = self._first, b""
        self._follow()
        return first or self._feed.next() or (HEARTBEAT if timed_out else b"")

    def seconds_left(self) -> float:
        """Return after how many seconds of silence a sign of life is due."""
        return self._streams.heartbeat_s

    def close(self) -> None:
        """Stop listening and release the place."""
        self._is_closed = True
        self._follow()
        self._streams.release()


_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "Connection": "close",
}


class StreamQuerySchema(RequestFilterSchema):
    after = fields.String(
        metadata={
            "pattern": f"^{CURSOR}$",
            "description": "The seq or id of the last entry already seen; 0 for all entries. Without it, and without "
            "`Last-Event-ID`, only entries from now on.",
        }
    )


@blueprint.get("/requests/stream", query=StreamQuerySchema)
@blueprint.doc(
    parameters=[
        {
            "name": "Last-Event-ID",
            "in": "header",
            "description": "Id of the last event that was read; wins over `after`. Browsers send it by themselves.",
            "schema": {"type": "string", "pattern": f"^({CURSOR})?$"},
        }
    ],
    responses={
        "200": {
            "description": "Events until the client leaves: `request` with an entry as data and its id as id, `reset` "
            "when the sandbox was reset and numbers begin again, `event` with an act upon the sandbox as in "
            "`GET /_sandbox/events`, `dropped` with how many entries were `missed` "
            f"because the journal was full or cleared. A comment every {HEARTBEAT_S:g} seconds is a sign of life.",
            "content": {"text/event-stream": {}},
        }
    },
)
@blueprint.problem(503, f"{MAX_STREAMS} streams are open, as many as there may be.")
def stream_requests(query: dict[str, Any]) -> Response:
    """Follow the journal: each request that matches, as soon as it is recorded."""
    sandbox = current_sandbox()
    after, journal_id = _cursor(query.pop("after", None), sandbox.journal)
    feed = Feed(sandbox, read_filter(query), after, journal_id)
    if request.method == "HEAD":
        return Response(headers=_HEADERS)
    streams = cast(Streams, request.environ[STREAMS]())
    if not streams.reserve():
        detail = f"{len(streams)} streams are open, as many as there may be; close one, or poll /requests?after="
        return problem(503, detail, headers={"Retry-After": "5"})
    hold = request.environ.get(CONNECTION)
    if hold is None:  # another server, or a test: it reads the answer in a thread of its own
        response = Response(_pieces(sandbox, feed, streams), headers=_HEADERS)
        response.call_on_close(streams.release)
        return response
    headers = {**_HEADERS, REQUEST_ID: request_id()}  # Flask adds nothing to this answer
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    hold(Stream(sandbox, f"HTTP/1.1 200 OK\r\n{head}\r\n".encode("ascii"), feed, streams))
    return Response()


def _cursor(after: str | None, journal: Journal) -> tuple[int, str]:
    """Return the sequence number to begin after, and the id of its journal."""
    cursor = request.headers.get("Last-Event-ID") or after
    if cursor is None:
        return journal.last_seq, journal.id
    return parse_cursor(cursor), cursor.rpartition("-")[0] or journal.id


def _pieces(sandbox: Sandbox, feed: Feed, streams: Streams) -> Iterator[bytes]:
    yield BEGINNING
    while True:
        journal = sandbox.journal
        seen = journal.last_seq
        piece = feed.next()
        if piece:
            yield piece
            continue
        try:
            if not journal.wait(EVERY_ENTRY, 1, streams.heartbeat_s, after=seen):
                yield HEARTBEAT
        except WaitInterruptedError:
            if journal is sandbox.journal:
                return  # not a reset: the server is stopping
