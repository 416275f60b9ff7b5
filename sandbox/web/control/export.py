"""The journal as a file: for other programs, the network panel of a browser, or a shell."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, takewhile
from typing import Any, Final

from flask import Response
from marshmallow import fields

from sandbox.journal.event import interleaved
from sandbox.journal.export.curl import as_curl
from sandbox.journal.export.har import as_har
from sandbox.journal.form import as_line, as_lines
from sandbox.web.control.base import Blueprint, base_url, current_sandbox
from sandbox.web.control.requests import RequestFilterSchema, after_field, query_flag, read_cursor, read_filter
from sandbox.web.control.schemas import between, one_of, says

blueprint = Blueprint("export", __name__, description="The journal as a file")

DROPPED: Final = "Patchworks-Sandbox-Dropped"
"""Header with the number of entries that were dropped because the journal was full."""

_MEDIA_TYPES: Final = {
    "ndjson": ("application/x-ndjson", "requests.ndjson"),
    "har": ("application/json", "requests.har"),
    "curl": ("text/x-shellscript; charset=utf-8", "requests.sh"),
}


class ExportQuerySchema(RequestFilterSchema):
    format = fields.String(load_default="ndjson", validate=one_of(*_MEDIA_TYPES))
    after = after_field()
    newest = query_flag("Begin with the newest, in place of the oldest.", load_default=False)
    events = query_flag(
        "Also the events between them, such as moves of the clock; true where the whole journal is exported."
    )
    skip = fields.Integer(load_default=0, validate=between(0, 10**9), **says("How many of them to leave out."))
    limit = fields.Integer(validate=between(1, 10**9), **says("How many to export; all if left out."))


@blueprint.get("/requests/export", query=ExportQuerySchema)
@blueprint.doc(
    responses={
        "200": {
            "description": "`ndjson`: a journal entry a line, or an event, which has a key `event`. `har`: HAR 1.2, "
            "for a browser's network panel. `curl`: a shell script that sends the requests again to `$BASE_URL`, with "
            "variables in place of secrets.",
            "headers": {
                DROPPED: {
                    "description": "Entries dropped because the journal was full.",
                    "schema": {"type": "integer"},
                }
            },
            "content": {
                "application/x-ndjson": {},
                "application/json": {"schema": {"type": "object"}},
                "text/x-shellscript": {},
            },
        }
    }
)
def export_requests(query: dict[str, Any]) -> Response:
    """Export the requests that match, oldest first. The answer is streamed, so that it may be of any size."""
    journal = current_sandbox().journal
    name, after = query.pop("format"), read_cursor(query.pop("after"), journal)
    newest, skip, limit = query.pop("newest"), query.pop("skip"), query.pop("limit", None)
    is_whole = not (newest or skip or limit or query.keys() - {"events"})
    with_events = query.pop("events", is_whole)
    meant, dropped = read_filter(query), journal.dropped
    events = journal.events(after) if with_events and not newest else []
    entries = journal.entries(meant, after)
    if newest:
        entries = takewhile(lambda entry: entry.seq > after, journal.newest_first(meant))
    entries = islice(entries, skip, None if limit is None else skip + limit)
    lines: Iterable[str]
    match name:
        case "har":
            lines = as_har(entries, base_url(), dropped, events)
        case "curl":
            lines = as_curl(entries, dropped)
        case _:
            lines = map(as_line, entries) if newest else as_lines(interleaved(entries, events))
    media_type, file_name = _MEDIA_TYPES[name]
    headers = {DROPPED: str(dropped), "Content-Disposition": f'attachment; filename="{file_name}"'}
    return Response((line.encode("utf-8") for line in lines), content_type=media_type, headers=headers)
