"""New entries of the journal as server-sent events (WHATWG HTML standard, §9.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from flask import Response, request
from marshmallow import fields

from sandbox.foundation.errors import WaitInterruptedError
from sandbox.journal.filter import EVERY_ENTRY, parse_cursor
from sandbox.journal.journal import Journal
from sandbox.state.sandbox import Sandbox
from sandbox.web.control.base import Blueprint, current_sandbox
from sandbox.web.control.problems import problem
from sandbox.web.control.requests import CURSOR, RequestFilterSchema, read_filter
from sandbox.web.control.streams import (
    BEGINNING,
    HEARTBEAT,
    HEARTBEAT_S,
    MAX_STREAMS,
    Feed,
    Stream,
    Streams,
    TooManyStreamsError,
)
from sandbox.web.control.tracing import HEADER as REQUEST_ID
from sandbox.web.control.tracing import request_id
from sandbox.web.environ import CONNECTION, STREAMS

blueprint = Blueprint("stream", __name__, description="Requests as they come")

_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "Connection": "close",
}


class StreamQuerySchema(RequestFilterSchema):
    """Conditions on requests, and the cursor to begin at."""

    after = fields.String(
        metadata={
            "pattern": f"^{CURSOR}$",
            "description": "The seq or id of the last entry already seen; 0 for all entries. Without it, and without "
            "`Last-Event-ID`, only entries from now on.",
        }
    )


@blueprint.get("/requests/stream")
@blueprint.arguments(StreamQuerySchema, location="query")
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
    streams = cast(Streams, request.environ[STREAMS])
    try:
        streams.reserve()
    except TooManyStreamsError:
        detail = f"{len(streams)} streams are open, as many as there may be; close one, or poll /requests?after="
        return problem(503, detail, headers={"Retry-After": "5"})
    connection = request.environ.get(CONNECTION)
    if connection is None:  # another server, or a test: it reads the answer in a thread of its own
        response = Response(_pieces(sandbox, feed, streams), headers=_HEADERS)
        response.call_on_close(streams.release)
        return response
    headers = {**_HEADERS, REQUEST_ID: request_id()}  # Flask adds nothing to this answer
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    connection.wait_for(Stream(sandbox, f"HTTP/1.1 200 OK\r\n{head}\r\n".encode("ascii"), feed, streams))
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
