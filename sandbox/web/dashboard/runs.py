"""The fate of accepted payloads: the sync report, the runs of services with their logs, and a service by itself."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final, get_args

from flask import render_template, request

from sandbox.foundation.errors import InvalidValueError, NotFoundError, any_of
from sandbox.journal.endpoint_kind import INBOUND
from sandbox.journal.filter import EntryFilter
from sandbox.platform.model import Service
from sandbox.platform.processing.mapping import preview
from sandbox.platform.processing.schedule import PRESETS, in_words
from sandbox.platform.processing.sync_report import (
    DAY_S,
    MAX_WINDOW_DAYS,
    WINDOW_DAYS,
    ReportFilter,
    log_of,
    row_of,
    waiting_in,
)
from sandbox.platform.processing.values import STATUSES, Status
from sandbox.web.control.base import current_sandbox
from sandbox.web.dashboard.blueprint import PAGES, pages

_DAYS: Final = (1, WINDOW_DAYS, 10, MAX_WINDOW_DAYS)
_SHOWN: Final = 200
"""Rows or runs of a page, the newest ones."""

_RESYNCED: Final = 1_000
"""Failed rows that one button resyncs, the newest ones."""


@pages.get(f"{PAGES}/sync-report")
def sync_report() -> str:
    """Show the sync report: filters, search, a window of days, and a row for each item."""
    sandbox = current_sandbox()
    given = {name: request.args.get(name, "").strip() for name in ("status", "service", "search", "entry")}
    days = _chosen_days(request.args.get("days", ""))
    company, _, vanity_url = given["service"].partition("/")
    wanted = ReportFilter(
        status=_chosen_status(given["status"]),
        company=company or None,
        vanity_url=vanity_url or None,
        search=given["search"] or None,
        entry=given["entry"] or None,
        since=sandbox.clock.timestamp() - days * DAY_S,
    )
    processing = sandbox.platform.processing
    items = processing.items()
    found = [item for item in reversed(items) if wanted.matches(item)]
    return render_template(
        "sync_report.html",
        rows=[row_of(item, whole=True) for item in found[:_SHOWN]],
        total=len(found),
        failed=[item.id for item in found if item.status == "Failed"][:_RESYNCED],
        waiting=waiting_in(items, wanted),
        dropped=processing.dropped,
        given=given,
        chosen_days=days,
        days=_DAYS,
        statuses=STATUSES,
        services=sandbox.store.services(),
        settings=sandbox.settings,
    )


def _chosen_days(text: str) -> int:
    if not text:
        return WINDOW_DAYS
    if not text.isdecimal() or len(text) > 2 or not 1 <= int(text) <= MAX_WINDOW_DAYS:
        raise InvalidValueError("days", text, f"1 to {MAX_WINDOW_DAYS}")
    return int(text)


def _chosen_status(text: str) -> Status | None:
    found = next((status for status in get_args(Status) if status.lower() == text.lower()), None)
    if text and found is None:
        raise InvalidValueError("status", text, any_of(STATUSES))
    return found


@pages.get(f"{PAGES}/runs")
def runs() -> str:
    """List the newest runs of services."""
    found = current_sandbox().platform.processing.runs()
    return render_template("runs.html", runs=list(islice(reversed(found), _SHOWN)), total=len(found))


@pages.get(f"{PAGES}/runs/<run_id>")
def run_log(run_id: str) -> str:
    """Show a run with its log, line by line."""
    processing = current_sandbox().platform.processing
    run = processing.find_run(run_id)
    return render_template("run.html", run=run, lines=log_of(run, processing.items()))


@pages.get(f"{PAGES}/services/<int:service_id>")
def service(service_id: int) -> str:
    """Show a service: its schedule with the next run, its options, and the mapping preview."""
    sandbox = current_sandbox()
    found = sandbox.store.service(service_id)
    payload, origin = _previewed(found, request.args.get("entry", "").strip())
    options = found.options
    next_run = None
    if sandbox.settings.processing == "scheduled":
        next_run = sandbox.platform.processing.next_run(found)
    return render_template(
        "service.html",
        service=found,
        connector=sandbox.store.connector(found.connector_id),
        options=options,
        schedule=None if options.schedule is None else in_words(options.schedule),
        next_run=next_run,
        mode=sandbox.settings.processing,
        mapping=preview(options.mappings, payload),
        origin=origin,
        presets=PRESETS,
    )


def _previewed(found: Service, entry_id: str) -> tuple[Any, str]:
    """Return the payload of the mapping preview and its origin: an entry, else the newest payload, else the sample."""
    sandbox = current_sandbox()
    here = EntryFilter(kind=INBOUND.name, company=found.company, vanity_url=found.vanity_url, accepted=True)
    if entry_id:
        entry = sandbox.journal.get(entry_id)
        if not here.matches(entry):
            raise NotFoundError("accepted payload of this service", entry_id)
    else:
        newest = next(sandbox.journal.newest_first(here), None)
        if newest is None:
            entity = sandbox.store.entity_of(found)
            return (None, "") if entity is None else (entity.sample, "the sample of the entity")
        entry = newest
    return entry.json, f"the payload of request {entry.seq}"
