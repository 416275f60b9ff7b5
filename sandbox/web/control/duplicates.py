"""Duplicate payloads over HTTP."""

from __future__ import annotations

from typing import Any, Final, get_args

from marshmallow import fields

from sandbox.journal.duplicates import Likeness, find_duplicates
from sandbox.journal.endpoint import INBOUND
from sandbox.journal.filter import EntryFilter
from sandbox.web.control.base import AnswerSchema, Blueprint, StrictSchema, current_sandbox, one_of
from sandbox.web.control.requests import EntrySchema, dropped_field, presented, query_flag

blueprint = Blueprint("duplicates", __name__, description="Payloads that were accepted twice")

_LIKENESSES: Final = get_args(Likeness)


class DuplicatesQuerySchema(StrictSchema):
    """How payloads must be alike, and the payloads to compare."""

    by = fields.String(
        validate=one_of(*_LIKENESSES),
        metadata={"description": "The same bytes, the same JSON (when left out) or the same selection by a JSONPath."},
    )
    json_path = fields.String(metadata={"description": "An RFC 9535 query, such as $.order for an order number."})
    company = fields.String()
    vanity_url = fields.String()
    client_id = fields.String()
    entries = query_flag("Show the entries beside their ids.", load_default=False)


class DuplicateSchema(AnswerSchema):
    """A payload that was accepted more than once."""

    alike = fields.String(
        validate=one_of(*_LIKENESSES), metadata={"description": "The strongest way in which all of them are alike."}
    )
    key = fields.Raw(allow_none=True, metadata={"description": "What the JSONPath selects in them; null without one."})
    company = fields.String()
    vanity_url = fields.String()
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
    """List payloads that the same service accepted more than once, as after a retry."""
    by, json_path = query.pop("by", None), query.pop("json_path", None)
    with_entries = query.pop("entries")
    entry_filter = EntryFilter(kind=INBOUND.name, **query)
    journal = current_sandbox().journal
    return {
        "duplicates": [
            {
                "alike": found.alike,
                "key": found.key,
                "company": found.entries[0].company,
                "vanity_url": found.entries[0].vanity_url,
                "count": len(found.entries),
                "requests": [entry.id for entry in found.entries],
                **({"entries": [presented(entry, listed=False) for entry in found.entries]} if with_entries else {}),
            }
            for found in find_duplicates(journal.entries(entry_filter), by, json_path)
        ],
        "dropped": journal.dropped,
    }
