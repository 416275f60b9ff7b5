"""The runs of services with their logs, over HTTP (FACTS P3 to P5)."""

from __future__ import annotations

from typing import Any, Final, get_args

from marshmallow import fields

from sandbox.platform.processing.report import log_of
from sandbox.platform.processing.values import RequestedBy, Run
from sandbox.web.control.base import INSTANT, AnswerSchema, Blueprint, Instant, StrictSchema, between, one_of
from sandbox.web.control.requests import MAX_LIMIT
from sandbox.web.control.sync_report import DROPPED, NOT_NOW, current_processing

blueprint = Blueprint("runs", __name__, description="Runs of services, and their logs")


class ServiceRunSchema(AnswerSchema):
    """A run of a service."""

    id = fields.String()
    service_id = fields.Integer()
    company = fields.String()
    vanity_url = fields.String()
    requested_by = fields.String(validate=one_of(*get_args(RequestedBy)))
    status = fields.String(validate=one_of("complete", "failed"))
    due_at = Instant()
    started_at = Instant()
    finished_at = Instant()
    pulled = fields.Integer(metadata={"description": "Items taken from the source."})
    pushed = fields.Integer(metadata={"description": "Items synced to the destination."})
    pending = fields.Integer()
    failed = fields.Integer()
    page_size = fields.Integer()
    total_pages = fields.Integer()


class ServiceRunsSchema(AnswerSchema):
    """A page of runs, newest last."""

    runs = fields.List(fields.Nested(ServiceRunSchema))
    next_after = fields.Integer(
        allow_none=True, metadata={"description": "Cursor for the next page; null on the last."}
    )
    dropped = fields.Integer(metadata=DROPPED)


class RunsQuerySchema(StrictSchema):
    """Conditions on runs, a cursor and the size of the page."""

    company = fields.String()
    vanity_url = fields.String()
    after = fields.Integer(
        load_default=0, validate=between(0, 10**18), metadata={"description": "The number of the last run seen."}
    )
    limit = fields.Integer(load_default=100, validate=between(1, MAX_LIMIT))


class LogLineSchema(AnswerSchema):
    """A line of the log of a run."""

    level_name = fields.String(validate=one_of("info", "warning", "error"))
    date_time = fields.String(metadata=INSTANT)
    message = fields.String()


class RunLogSchema(AnswerSchema):
    """The log of a run."""

    lines = fields.List(fields.Nested(LogLineSchema))


def _presented_run(run: Run) -> dict[str, Any]:
    names = ("id", "service_id", "company", "vanity_url", "requested_by", "status", "due_at")
    counts = ("pulled", "pushed", "pending", "failed", "page_size")
    times = {"started_at": run.due_at, "finished_at": run.due_at, "total_pages": run.pages}
    return {**{name: getattr(run, name) for name in (*names, *counts)}, **times}


@blueprint.get("/runs")
@blueprint.arguments(RunsQuerySchema, location="query")
@blueprint.response(200, ServiceRunsSchema)
def list_runs(query: dict[str, Any]) -> dict[str, Any]:
    """List the runs of services, newest last, a page at a time."""
    after, limit = query.pop("after"), query.pop("limit")
    runs = [
        run
        for run in current_processing().runs()
        if run.number > after and all(getattr(run, name) == value for name, value in query.items())
    ]
    return {
        "runs": list(map(_presented_run, runs[:limit])),
        "next_after": runs[limit - 1].number if len(runs) > limit else None,
        "dropped": current_processing().dropped_runs,
    }


@blueprint.get("/runs/<run_id>")
@blueprint.response(200, ServiceRunSchema)
def get_run(run_id: str) -> dict[str, Any]:
    """Show a run."""
    return _presented_run(current_processing().find_run(run_id))


@blueprint.get("/runs/<run_id>/log")
@blueprint.response(200, RunLogSchema)
def get_run_log(run_id: str) -> dict[str, Any]:
    """Show the log of a run, line by line."""
    run = current_processing().find_run(run_id)
    return {"lines": [line._asdict() for line in log_of(run, current_processing().items())]}


@blueprint.post("/services/<int:service_id>/run")
@blueprint.response(201, ServiceRunSchema)
@blueprint.problem(409, NOT_NOW)
def run_service(service_id: int) -> dict[str, Any]:
    """Run a service now: it pulls every item that waits."""
    return _presented_run(current_processing().run(service_id))
