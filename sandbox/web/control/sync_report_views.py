"""The sync report over HTTP with its resync (FACTS P6 to P8), and the runs of services with their logs (P3 to P5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from flask import Response
from marshmallow import fields, validate

from sandbox.foundation.errors import InvalidValueError
from sandbox.platform.processing import sync_report as report
from sandbox.platform.processing.processing import Processing
from sandbox.platform.processing.values import STATUSES, Run
from sandbox.web.control.base import Blueprint, current_sandbox
from sandbox.web.control.request_views import query_flag, read_instant
from sandbox.web.control.schemas import (
    DROPPED,
    INSTANT,
    MAX_LIMIT,
    AnswerSchema,
    Instant,
    PageQuerySchema,
    StrictSchema,
    WholeNumber,
    answer_of,
    between,
    one_of,
    page,
    page_of,
    says,
    showing,
)

blueprint = Blueprint("sync-report", __name__, description="The items of accepted payloads, and resync")
runs = Blueprint("runs", __name__, description="Runs of services, and their logs")

NOT_NOW: Final = "The service is not active, or settings do not allow it."

_ROW: Final[dict[str, Any]] = {
    "sync_id": "Id of the run that made the newest attempt.",
    "reference": "By which people know the item.",
    "systems": fields.String(**says("Source > destination.", example="Acme web shop > NetSuite")),
    "attempts": "How many attempts there were.",
    "entry": "Id of the journal entry of its payload.",
}
SyncReportRowSchema = showing(report.Row, "SyncReportRow", **_ROW, history=None)
SyncReportRowHistorySchema = showing(
    report.Row,
    "SyncReportRowHistory",
    **_ROW,
    history=fields.List(fields.Nested(showing(report.RowAttempt, "Attempt"))),
)


class SyncReportSchema(AnswerSchema):
    items = fields.List(fields.Nested(SyncReportRowSchema))
    next_after = fields.Integer(allow_none=True, **says("Cursor for the next page; null on the last."))
    dropped = fields.Integer(metadata=DROPPED)
    waiting = fields.Integer(**says("Items of the same services that no run has pulled yet; they are in no report."))


class ReportFilterSchema(StrictSchema):
    """Conditions on rows; each given one must hold."""

    company = fields.String()
    vanity_url = fields.String()
    entity = fields.String()
    status = fields.String(
        validate=one_of(*STATUSES, *map(str.lower, STATUSES)),
        # Generators of clients make the same name of both spellings.
        metadata={"enum": list(STATUSES), "description": "In capitals or not."},
    )
    system = fields.String(**says("Text in the names of source or destination."))
    reference = fields.String(**says("The whole reference."))
    entry = fields.String(**says("Id of the journal entry of the payload."))
    search = fields.String(**says("Text in systems, sync id or reference."))
    days = fields.Integer(
        validate=between(1, report.MAX_WINDOW_DAYS),
        **says("Days of the sandbox clock that it goes back.", default=report.WINDOW_DAYS),
    )
    since = fields.String(metadata={**INSTANT, "description": "Updated at or after this instant, in place of days."})
    until = fields.String(metadata={**INSTANT, "description": "Updated at or before it."})


class SortedReportSchema(ReportFilterSchema):
    sort = fields.String(load_default="id", validate=one_of(*report.SORTS))
    descending = query_flag("The greatest first.", load_default=False)


class ReportQuerySchema(SortedReportSchema):
    after = fields.Integer(load_default=0, validate=between(0, 10**18), **says("The id of the last row already seen."))
    limit = fields.Integer(load_default=100, validate=between(1, MAX_LIMIT))


class ResyncSchema(StrictSchema):
    """The rows to resync: those with these ids, or every failed one that meets the conditions."""

    keywords: ClassVar = {"not": {"required": ["ids"], "minProperties": 2}}
    ids = fields.List(
        WholeNumber(),
        validate=validate.Length(max=MAX_LIMIT, error="use at most {max} ids; conditions have no such limit"),
    )
    company = fields.String()
    vanity_url = fields.String()
    reference = fields.String()


def current_processing() -> Processing:
    """Return the processing of the sandbox that answers."""
    return current_sandbox().platform.processing


def _report_filter(query: dict[str, Any]) -> report.ReportFilter:
    """Return the filter of query parameters; the window is of ``days`` unless it is given by instants."""
    days = query.pop("days", None)
    for name in ("since", "until"):
        if name in query:
            if days is not None:
                raise InvalidValueError("days", days, f"either this or {name}, not both")
            query[name] = read_instant(name, query[name])
    if "since" not in query:
        query["since"] = current_sandbox().clock.timestamp() - (days or report.WINDOW_DAYS) * report.DAY_S
    return report.ReportFilter(**query)


@blueprint.get("/sync-report", query=ReportQuerySchema, answer=SyncReportSchema)
def show_report(query: dict[str, Any]) -> dict[str, Any]:
    """List the sync report, a page at a time: a row for each item that a run has pulled."""
    order = {name: query.pop(name) for name in ("sort", "descending", "after", "limit")}
    wanted = _report_filter(query)
    items = current_processing().items()
    rows, next_after = report.page(items, wanted, **order)
    return {
        "items": rows,
        "next_after": next_after,
        "dropped": current_processing().dropped,
        "waiting": report.waiting_in(items, wanted),
    }


@blueprint.get("/sync-report.csv", query=SortedReportSchema)
@blueprint.response(200, {}, content_type="text/csv", description="All rows that match.")
def download_report(query: dict[str, Any]) -> Response:
    """Download the sync report as CSV: everything that the filters match, in the vendor's columns."""
    sort, descending = query.pop("sort"), query.pop("descending")
    rows = report.sorted_rows(current_processing().items(), _report_filter(query), sort=sort, descending=descending)
    names = {company.slug: company.name for company in current_sandbox().store.companies()}
    headers = {"Content-Disposition": f'attachment; filename="{report.CSV_NAME}"'}
    return Response(report.as_csv(rows, names), content_type="text/csv; charset=utf-8", headers=headers)


@blueprint.get("/sync-report/<int:item_id>", answer=SyncReportRowHistorySchema)
def show_row(item_id: int) -> dict[str, Any]:
    """Show a row with its attempts, the newest 50 of many."""
    item = current_processing().item(item_id)
    if item.status is None:
        raise InvalidValueError("id", item_id, "the id of a row; no run has pulled this item yet")
    return report.row_of(item, whole=True)._asdict()


@blueprint.post("/sync-report/<int:item_id>/resync", answer=SyncReportRowSchema)
@blueprint.problem(409, f"It is not failed. {NOT_NOW}")
def resync_row(item_id: int) -> dict[str, Any]:
    """Sync a failed item again, now."""
    return report.row_of(current_processing().resync([item_id])[0])._asdict()


@blueprint.post(
    "/sync-report/resync",
    body=ResyncSchema,
    answer=answer_of(
        "Resynced",
        items=fields.List(fields.Nested(SyncReportRowSchema), **says(f"The first {report.MAX_RESYNCED:,}.")),
        total=fields.Integer(**says("How many were synced again.")),
    ),
)
@blueprint.problem(404, "There is no such row, or it was dropped or belongs to a time before the last reset.")
@blueprint.problem(409, f"One of them is not failed; none is resynced. {NOT_NOW}")
def resync_rows(body: dict[str, Any]) -> dict[str, Any]:
    """Sync failed items again, now: all that are given, or none."""
    ids: Sequence[int] | None = body.pop("ids", None)
    if ids is not None and body:
        raise InvalidValueError(
            "ids", "a list", f"either ids or conditions ({report.shown_filter(report.ReportFilter(**body))})"
        )
    if ids is None:
        wanted = report.ReportFilter(status="Failed", **body)
        ids = [item.id for item in current_processing().items() if wanted.matches(item)]
    rows = report.resynced(current_processing().resync(ids))
    return {"items": rows, "total": rows.total}


# --- runs -------------------------------------------------------------------------------------------------------------


ServiceRunSchema = showing(
    Run,
    "ServiceRun",
    number=None,
    pulled="Items taken from the source.",
    pushed="Items synced to the destination.",
    id=fields.String(),
    status=fields.String(validate=one_of("complete", "failed")),
    started_at=Instant(attribute="due_at"),
    finished_at=Instant(attribute="due_at"),
    total_pages=fields.Integer(attribute="pages"),
)


class RunsQuerySchema(PageQuerySchema):
    company = fields.String()
    vanity_url = fields.String()


LogLineSchema = showing(report.LogLine, date_time=fields.String(metadata=INSTANT))


@runs.get("/runs", query=RunsQuerySchema, answer=page_of("ServiceRuns", ServiceRunSchema))
def list_runs(query: dict[str, Any]) -> dict[str, Any]:
    """List the runs of services, newest last, a page at a time."""
    after, limit = query.pop("after"), query.pop("limit")
    runs = current_processing().runs()
    found = [run for run in runs if all(getattr(run, name) == value for name, value in query.items())]
    return page(found, after, limit, current_processing().dropped_runs)


@runs.get("/runs/<run_id>", answer=ServiceRunSchema)
def get_run(run_id: str) -> Run:
    """Show a run."""
    return current_processing().find_run(run_id)


@runs.get("/runs/<run_id>/log", answer=answer_of("RunLog", lines=fields.List(fields.Nested(LogLineSchema))))
def get_run_log(run_id: str) -> dict[str, Any]:
    """Show the log of a run, line by line."""
    run = current_processing().find_run(run_id)
    return {"lines": report.log_of(run, current_processing().items())}


@runs.post("/services/<int:service_id>/run", answer=ServiceRunSchema, status=201)
@runs.problem(409, NOT_NOW)
def run_service(service_id: int) -> Run:
    """Run a service now: it pulls every item that waits."""
    return current_processing().run(service_id)
