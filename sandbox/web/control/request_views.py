"""The journal over HTTP: each request with its answer and the reason for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice, takewhile
from typing import Any, Final, get_args

from flask import Response, jsonify
from marshmallow import fields

from sandbox.foundation.instants import parse_instant
from sandbox.foundation.value_types import JSON_PATH
from sandbox.journal.endpoint_kind import KINDS
from sandbox.journal.entry import OUTCOMES, Entry
from sandbox.journal.event import EventKind, interleaved, shown_event
from sandbox.journal.export.curl import as_curl
from sandbox.journal.export.har import as_har
from sandbox.journal.filter import CURSOR, EntryFilter, parse_cursor
from sandbox.journal.form import SHOWN, as_line, as_lines, shown
from sandbox.journal.journal import Journal
from sandbox.web.control.base import Blueprint, base_url, current_sandbox
from sandbox.web.control.schemas import (
    INSTANT,
    MAX_LIMIT,
    AnswerSchema,
    Component,
    StrictSchema,
    answer_of,
    between,
    one_of,
    says,
    taking,
)

blueprint = Blueprint("requests", __name__, description="The journal of every request received")
export = Blueprint("export", __name__, description="The journal as a file")

LISTED_BODY_LIMIT: Final = 64 * 1024
"""Bytes of the largest body that a listing holds; of a larger one it holds only the size."""


def dropped_field() -> fields.Integer:
    """Return the field of every answer about the journal that says how much of it is missing."""
    return fields.Integer(**says("Entries dropped because the journal was full."))


def query_flag(description: str, **options: Any) -> fields.Boolean:
    """Return a field that is ``true`` or ``false`` in a query."""
    metadata = {"description": description}
    return fields.Boolean(truthy={"true", True}, falsy={"false", False}, metadata=metadata, **options)


def after_field() -> fields.String:
    """Return the field for the cursor of a client that has read the journal up to an entry."""
    metadata = {"pattern": f"^{CURSOR}$", "description": "The seq or id of the last entry already seen."}
    return fields.String(load_default="0", metadata=metadata)


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schemas of an entry and of its headers by their names."""
    header = {"name": {"type": "string"}, "value": {"type": "string"}}
    return {"HeaderField": _object(header), "Entry": _object(SHOWN)}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    required = sorted(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def entries_field(**options: Any) -> fields.Field[Any]:
    """Return the field of an answer that shows entries."""
    return fields.List(Component("Entry"), **options)


class JournalPageSchema(AnswerSchema):
    next_after = fields.Integer(allow_none=True, **says("Cursor for the next page; null on the last."))
    dropped = dropped_field()


class RequestPageSchema(JournalPageSchema):
    entries = entries_field()


class RequestFilterSchema(StrictSchema):
    """Conditions on entries; each given one must hold."""

    kind = fields.String(validate=one_of(*KINDS))
    company = fields.String()
    vanity_url = fields.String()
    flow = fields.String(**says("Name of a process flow."))
    hook = fields.String(**says("Id of a webhook or callback."))
    client_id = fields.String()
    outcome = fields.String(validate=one_of(*OUTCOMES))
    status = fields.Integer(validate=between(100, 599))
    accepted = query_flag("Whether the request was carried out, even if a fault hid that from the client.")
    reason = fields.String(**says("Code of the reason, such as `token_expired`."))
    fault = fields.String(**says("Name of the fault rule that acted; its id if it has no name."))
    since = fields.String(
        metadata={**INSTANT, "description": "Received at or after this instant of the sandbox clock."}
    )
    until = fields.String(metadata={**INSTANT, "description": "Received at or before it."})
    json_path = fields.String(
        metadata={**JSON_PATH, "description": "An RFC 9535 query that must select something in a JSON body."}
    )


class PageQuerySchema(RequestFilterSchema):
    after = after_field()
    limit = fields.Integer(load_default=100, validate=between(1, MAX_LIMIT))


class ListQuerySchema(PageQuerySchema):
    newest = query_flag("The newest in place of a page: the last `limit` that match.", load_default=False)


def read_filter(query: dict[str, Any]) -> EntryFilter:
    """Return the filter of query parameters."""
    instants: dict[str, float] = {name: read_instant(name, query[name]) for name in ("since", "until") if name in query}
    return EntryFilter(**{**query, **instants})


def read_cursor(after: str, journal: Journal) -> int:
    """Return the sequence number of a cursor; 0 for an id from before the last reset, so that all entries follow."""
    seq, journal_id = parse_cursor(after), after.rpartition("-")[0]
    return seq if journal_id in ("", journal.id) else 0


def read_instant(name: str, value: str) -> float:
    """Return an instant of a query in Unix seconds; raise ``InvalidValueError``."""
    # The '+' of a zone that was not percent-encoded arrives as a space.
    return parse_instant(_SPACE_BEFORE_ZONE.sub("+", value), name).timestamp()


_SPACE_BEFORE_ZONE: Final = re.compile(r" (?=\d\d:?\d\d$)")


def listed(entry: Entry) -> dict[str, Any]:
    """Return an entry as a listing shows it, without a large body."""
    return shown(entry, LISTED_BODY_LIMIT)


@blueprint.get("/requests", query=ListQuerySchema, answer=RequestPageSchema)
def list_requests(query: dict[str, Any]) -> dict[str, Any]:
    """List the requests received, newest last, a page at a time."""
    journal = current_sandbox().journal
    after, limit, newest = read_cursor(query.pop("after", "0"), journal), query.pop("limit"), query.pop("newest")
    page = journal.page(read_filter(query), after, limit, newest=newest)
    return {
        "entries": list(map(listed, page.entries)),
        "next_after": page.next_after,
        "dropped": page.dropped,
    }


class JournalEventSchema(AnswerSchema):
    event = fields.String(validate=one_of(*get_args(EventKind)))
    after = fields.Integer(**says("`seq` of the entry before it; 0 before the first."))
    text = fields.String()
    at = fields.String(metadata={"format": "date-time", "description": "On the sandbox clock."})
    wall_time = fields.String(metadata={"format": "date-time", "description": "On the machine's clock."})
    company = fields.String(allow_none=True, **says("The only company that it concerns, if any."))
    client_id = fields.String(allow_none=True, **says("The only client that it concerns, if any."))


@blueprint.get(
    "/events",
    query=taking("EventsQuery", after=after_field()),
    answer=answer_of("JournalEvents", events=fields.List(fields.Nested(JournalEventSchema))),
)
def list_events(query: dict[str, Any]) -> dict[str, Any]:
    """List what was done to the sandbox between the requests: the newest 1,000 events, oldest first.

    Moves of the clock, fault rules, revoked tokens, changed settings and the reset that the journal begins with.
    """
    journal = current_sandbox().journal
    return {"events": [shown_event(event) for event in journal.events(read_cursor(query["after"], journal))]}


@blueprint.delete("/requests", answer=answer_of("JournalCleared", deleted=fields.Integer()))
def clear_requests() -> dict[str, int]:
    """Empty the journal."""
    current_sandbox().platform.settle_processing()
    return {"deleted": current_sandbox().journal.clear()}


@blueprint.get("/requests/<entry_id>", answer="Entry")
def get_request(entry_id: str) -> Response:
    """Show one request with its whole body, by its id or its sequence number."""
    return jsonify(shown(current_sandbox().journal.get(entry_id)))


@blueprint.get("/requests/<entry_id>/body")
@blueprint.response(200, {}, content_type="application/octet-stream", description="The body, byte for byte.")
def get_request_body(entry_id: str) -> Response:
    """Return the body of a request, byte for byte; secrets in bodies of the token endpoint are redacted."""
    body = current_sandbox().journal.get(entry_id).body
    headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": f'attachment; filename="{entry_id}"'}
    return Response(body, content_type="application/octet-stream", headers=headers)


# --- the journal as a file, for other programs, the network panel of a browser, or a shell --------------------------

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


@export.get("/requests/export", query=ExportQuerySchema)
@export.doc(
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
