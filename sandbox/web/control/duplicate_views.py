"""Payloads that came more than once, over HTTP: duplicates, and the attempts of a client."""

from __future__ import annotations

from typing import Any, Final, get_args

from marshmallow import fields

from sandbox.foundation.value_types import JSON_PATH
from sandbox.journal.attempts import Attempts, Likeness, find_attempts, find_duplicates
from sandbox.journal.filter import EntryFilter
from sandbox.journal.form import shown
from sandbox.web.control.base import Blueprint, current_sandbox
from sandbox.web.control.request_views import dropped_field, entries_field, query_flag
from sandbox.web.control.schemas import AnswerSchema, StrictSchema, answer_of, between, one_of, says

blueprint = Blueprint("duplicates", __name__, description="Payloads that were accepted twice")

_LIKENESSES: Final = get_args(Likeness)


class AlikeQuerySchema(StrictSchema):
    by = fields.String(
        validate=one_of(*_LIKENESSES),
        **says("The same bytes, the same JSON (when left out) or the same selection by a JSONPath."),
    )
    json_path = fields.String(
        metadata={**JSON_PATH, "description": "An RFC 9535 query, such as $.order for an order number."}
    )
    company = fields.String()
    vanity_url = fields.String()
    flow = fields.String()
    client_id = fields.String()


class DuplicatesQuerySchema(AlikeQuerySchema):
    entries = query_flag("Show the entries beside their ids.", load_default=False)


class AlikeSchema(AnswerSchema):
    """Requests that carry the same payload to the same service or flow."""

    key = fields.Raw(allow_none=True, **says("What the JSONPath selects in them; null without one."))
    company = fields.String()
    vanity_url = fields.String(allow_none=True, **says("Null of a payload for a process flow."))
    flow = fields.String(allow_none=True, **says("Name of the process flow."))
    requests = fields.List(fields.String(), **says("Ids of the entries, oldest first."))


class DuplicateSchema(AlikeSchema):
    alike = fields.String(validate=one_of(*_LIKENESSES), **says("The strongest way in which all of them are alike."))
    count = fields.Integer()
    entries = entries_field(**says("The entries, if asked for."))

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Require each field but the entries."""
        super().on_bind_field(field_name, field_obj)
        field_obj.required = field_name != "entries"


def _group(found: Attempts) -> dict[str, Any]:
    first = found.entries[0]
    target = {"company": first.company, "vanity_url": first.vanity_url, "flow": first.flow}
    return {**target, "key": found.key, "requests": [entry.id for entry in found.entries]}


@blueprint.get(
    "/requests/duplicates",
    query=DuplicatesQuerySchema,
    answer=answer_of("Duplicates", duplicates=fields.List(fields.Nested(DuplicateSchema)), dropped=dropped_field()),
)
def list_duplicates(query: dict[str, Any]) -> dict[str, Any]:
    """List payloads that the same service or flow accepted more than once, as after a retry."""
    by, json_path = query.pop("by", None), query.pop("json_path", None)
    with_entries = query.pop("entries")
    entry_filter = EntryFilter(**query)
    journal = current_sandbox().journal
    return {
        "duplicates": [
            {
                **_group(found),
                "alike": found.alike,
                "count": len(found.entries),
                **({"entries": list(map(shown, found.entries))} if with_entries else {}),
            }
            for found in find_duplicates(journal.entries(entry_filter), by, json_path)
        ],
        "dropped": journal.dropped,
    }


class AttemptsQuerySchema(AlikeQuerySchema):
    at_least = fields.Integer(load_default=2, validate=between(1, 10**6))


class AttemptsSchema(AlikeSchema):
    line = fields.String(**says("All of them.", example="503 ·1.0 s· 503 ·2.0 s· 200 stored"))
    gaps_s = fields.List(fields.Float(), **says("Seconds from the end of each to the next, on the machine's clock."))
    stored = fields.Integer(**says("How many of them were accepted."))


@blueprint.get(
    "/requests/attempts",
    query=AttemptsQuerySchema,
    answer=answer_of("AttemptsList", attempts=fields.List(fields.Nested(AttemptsSchema)), dropped=dropped_field()),
)
def list_attempts(query: dict[str, Any]) -> dict[str, Any]:
    """List the payloads that were sent more than once, with the time that the client waited between the attempts."""
    by, json_path, at_least = query.pop("by", None), query.pop("json_path", None), query.pop("at_least")
    journal = current_sandbox().journal
    entries = journal.entries(EntryFilter(**query))
    return {
        "attempts": [
            {**_group(found), "line": found.line, "gaps_s": found.gaps_s, "stored": found.stored}
            for found in find_attempts(entries, by, json_path, at_least=at_least)
        ],
        "dropped": journal.dropped,
    }
