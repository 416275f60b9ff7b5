"""Contract violations over HTTP: received requests that do not conform to the published contract."""

from __future__ import annotations

from itertools import islice
from typing import Any, get_args

from marshmallow import fields, validate

from sandbox.journal.contract_rules import Code
from sandbox.platform.endpoints import violations_of
from sandbox.web.control.base import Blueprint, current_sandbox
from sandbox.web.control.request_views import JournalPageSchema, PageQuerySchema, read_cursor, read_filter
from sandbox.web.control.schemas import AnswerSchema, Instant, says

blueprint = Blueprint("contract", __name__, description="Requests that do not conform to the published contract")


class ContractViolationSchema(AnswerSchema):
    code = fields.String(validate=validate.OneOf(get_args(Code)))
    message = fields.String(**says("What was found."))
    remedy = fields.String(**says("What to do."))


class NonconformingRequestSchema(AnswerSchema):
    """A request that does not conform, with its violations. It was answered like any other."""

    request = fields.String(attribute="entry.id", **says("Id of its journal entry."))
    seq = fields.Integer(attribute="entry.seq")
    received_at = Instant(attribute="entry.received_at", **says("On the sandbox clock."))
    method = fields.String(attribute="entry.method")
    path = fields.String(attribute="entry.path")
    status = fields.Integer(attribute="entry.status", **says("Of the answer."))
    violations = fields.List(fields.Nested(ContractViolationSchema), validate=validate.Length(min=1))


class NonconformingPageSchema(JournalPageSchema):
    requests = fields.List(fields.Nested(NonconformingRequestSchema), required=True)
    received = fields.Integer(**says("Requests that were held against the contract, of this page and of later ones."))
    lost = fields.Integer(**says("Of the dropped requests those, at most, that the filters would have taken."))


@blueprint.get("/contract-violations", query=PageQuerySchema, answer=NonconformingPageSchema)
def list_contract_violations(query: dict[str, Any]) -> dict[str, Any]:
    """List the requests that do not conform to the published contract, with the reasons, newest last.

    Such requests are reported, never refused. The filters are those of the journal. An empty list is a pass only if
    `received` is more than 0 and `lost` is 0.
    """
    journal = current_sandbox().journal
    after, limit = read_cursor(query.pop("after", "0"), journal), query.pop("limit")
    meant = read_filter(query)
    reports = (
        {"entry": entry, "violations": violations}
        for entry in journal.entries(meant, after)
        if (violations := violations_of(entry))
    )
    page = list(islice(reports, limit + 1))
    return {
        "requests": page[:limit],
        "received": sum(1 for _ in journal.entries(meant, after)),
        "lost": journal.dropped_at_most(meant, after),
        "next_after": page[limit - 1]["entry"].seq if len(page) > limit else None,
        "dropped": journal.dropped,
    }
