"""Payloads that came more than once, over HTTP: duplicates, and the attempts of a client."""

from __future__ import annotations

from typing import Any, Final, get_args

from marshmallow import fields

from sandbox.foundation.json_types import JSON_PATH
from sandbox.journal.attempts import Likeness, find_attempts, find_duplicates
from sandbox.journal.filter import EntryFilter
from sandbox.web.control.base import AnswerSchema, Blueprint, StrictSchema, between, current_sandbox, one_of
from sandbox.web.control.requests import EntrySchema, dropped_field, presented, query_flag

blueprint = Blueprint("duplicates", __name__, description="Payloads that were accepted twice")

_LIKENESSES: Final = get_args(Likeness)


class AlikeQuerySchema(StrictSchema):
    """How payloads must be alike, and the payloads to compare."""

    by = fields.String(
        validate=one_of(*_LIKENESSES),
        metadata={"description": "The same bytes, the same JSON (when left out) or the same selection by a JSONPath."},
    )
    json_path = fields.String(
        metadata={**JSON_PATH, "description": "An RFC 9535 query, such as $.order for an order number."}
    )
    company = fields.String()
    vanity_url = fields.String()
    flow = fields.String()
    client_id = fields.String()


class DuplicatesQuerySchema(AlikeQuerySchema):
    """The payloads to compare, and whether to show them."""

    entries = query_flag("Show the entries beside their ids.", load_default=False)


class DuplicateSchema(AnswerSchema):
    """A payload that was accepted more than once."""

    alike = fields.String(
        validate=one_of(*_LIKENESSES), metadata={"description": "The strongest way in which all of them are alike."}
    )
    key = fields.Raw(allow_none=True, metadata={"description": "What the JSONPath selects in them; null without one."})
    company = fields.String()
    vanity_url = fields.String(allow_none=True, metadata={"description": "Null of a payload for a process flow."})
    flow = fields.String(allow_none=True, metadata={"description": "Name of the process flow."})
    count = fields.Integer()
    requests = fields.List(fields.String(), metadata={"description": "Ids of the entries, oldest first."})
    entries = fields.List(fields.Nested(EntrySchema), metadata={"description": "The entries, if asked for."})

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Require each field but the entries."""
        super().on_bind_field(field_name, field_obj)
        field_obj.required = field_name != "entries"


class DuplicatesSchema(AnswerSchema):
    """The payloads that were accepted more than once."""

    duplicates = fields.List(fields.Nested(DuplicateSchema))
    dropped = dropped_field()


@blueprint.get("/requests/duplicates")
@blueprint.arguments(DuplicatesQuerySchema, location="query")
@blueprint.response(200, DuplicatesSchema)
def list_duplicates(query: dict[str, Any]) -> dict[str, Any]:
    """List payloads that the same service or flow accepted more than once, as after a retry."""
    by, json_path = query.pop("by", None), query.pop("json_path", None)
    with_entries = query.pop("entries")
    entry_filter = EntryFilter(**query)
    journal = current_sandbox().journal
    return {
        "duplicates": [
            {
                "alike": found.alike,
                "key": found.key,
                "company": found.entries[0].company,
                "vanity_url": found.entries[0].vanity_url,
                "flow": found.entries[0].flow,
                "count": len(found.entries),
                "requests": [entry.id for entry in found.entries],
                **({"entries": [presented(entry, listed=False) for entry in found.entries]} if with_entries else {}),
            }
            for found in find_duplicates(journal.entries(entry_filter), by, json_path)
        ],
        "dropped": journal.dropped,
    }


class AttemptsQuerySchema(AlikeQuerySchema):
    """The payloads to compare, and how often one must have come."""

    at_least = fields.Integer(load_default=2, validate=between(1, 10**6))


class AttemptsSchema(AnswerSchema):
    """The requests that carry one payload to one service."""

    line = fields.String(metadata={"description": "All of them.", "example": "503 ·1.0 s· 503 ·2.0 s· 200 stored"})
    key = fields.Raw(allow_none=True, metadata={"description": "What the JSONPath selects in them; null without one."})
    company = fields.String()
    vanity_url = fields.String(allow_none=True, metadata={"description": "Null of a payload for a process flow."})
    flow = fields.String(allow_none=True, metadata={"description": "Name of the process flow."})
    requests = fields.List(fields.String(), metadata={"description": "Ids of the entries, oldest first."})
    gaps_s = fields.List(
        fields.Float(), metadata={"description": "Seconds from the end of each to the next, on the machine's clock."}
    )
    stored = fields.Integer(metadata={"description": "How many of them were accepted."})


class AttemptsListSchema(AnswerSchema):
    """The payloads that came more than once, accepted or not."""

    attempts = fields.List(fields.Nested(AttemptsSchema))
    dropped = dropped_field()


@blueprint.get("/requests/attempts")
@blueprint.arguments(AttemptsQuerySchema, location="query")
@blueprint.response(200, AttemptsListSchema)
def list_attempts(query: dict[str, Any]) -> dict[str, Any]:
    """List the payloads that were sent more than once, with the time that the client waited between the attempts."""
    by, json_path, at_least = query.pop("by", None), query.pop("json_path", None), query.pop("at_least")
    journal = current_sandbox().journal
    entries = journal.entries(EntryFilter(**query))
    return {
        "attempts": [
            {
                "line": found.line,
                "key": found.key,
                "company": found.entries[0].company,
                "vanity_url": found.entries[0].vanity_url,
                "flow": found.entries[0].flow,
                "requests": [entry.id for entry in found.entries],
                "gaps_s": found.gaps_s,
                "stored": found.stored,
            }
            for found in find_attempts(entries, by, json_path, at_least=at_least)
        ],
        "dropped": journal.dropped,
    }
