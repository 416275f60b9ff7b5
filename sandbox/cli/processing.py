"""``report``, ``resync``, ``runs`` and ``run-service``: what became of accepted payloads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.base import answers, connected, performs
from sandbox.cli.output import JSON_OPTION, print_json, printable, table
from sandbox.cli.requests import limited
from sandbox.foundation.errors import InvalidValueError
from sandbox.platform.processing.values import STATUSES
from sandbox.testing import verbs

if TYPE_CHECKING:
    from sandbox.platform.processing.sync_report import Resynced
    from sandbox.testing.backend import Verb
    from sandbox.testing.remote.control_api import ControlApi

_COMPANY = click.option("--company", help="Only of this company.")
_SERVICE = click.option("--service", "vanity_url", help="Only of this vanity URL.")


def _show_rows(rows: Sequence[Any]) -> None:
    names = ("id", "reference", "status", "attempts", "sync_id", "updated_at")
    cells = [[*(row[name] for name in names), _of(row), row["message"] or ""] for row in rows]
    titles = ["ID", "REFERENCE", "STATUS", "ATTEMPTS", "SYNC ID", "UPDATED", "SERVICE", "MESSAGE"]
    click.echo(table(titles, cells) if cells else "no rows")


def _show_resynced(answer: Any) -> None:
    _show_rows(answer["items"])
    if more := answer["total"] - len(answer["items"]):
        click.echo(f"and {more} more; report shows their status")


def _of(thing: Any) -> str:
    return f"{thing['company']}/{thing['vanity_url']}"


@click.command()
@click.option("--reference", help="Show only items with this reference.")
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Show only rows with this status.")
@click.option("--search", help="Show only rows with this text in systems, sync id or reference.")
@_COMPANY
@_SERVICE
@limited(1, 1_000, "Show the N newest rows.")
@click.option("--csv", "as_csv", is_flag=True, help="Print every row that matches as CSV, in the vendor's columns.")
@JSON_OPTION
@connected
def report(api: ControlApi, as_json: bool, as_csv: bool, limit: int, **conditions: str | None) -> None:
    """Show the sync report: the fate of accepted payloads."""
    query = {"since": "1970-01-02T00:00:00Z", **conditions}
    if as_csv:
        for line in api.lines("/sync-report.csv", query):
            click.echo(printable(line))
        return
    answer = api.get("/sync-report", sort="id", descending=True, limit=limit, **query)
    answer["items"].reverse()
    if as_json:
        print_json(answer)
        return
    _show_rows(answer["items"])
    if answer["waiting"]:
        click.echo(f"{answer['waiting']} waiting for a run")
    if answer["next_after"] is not None:
        click.echo("there are older ones; --limit shows up to 1000, --csv all of them")


@click.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@_COMPANY
@_SERVICE
@click.option("--reference", help="Sync only items with this reference.")
@performs(_show_resynced)
def resync(ids: Sequence[int], **conditions: str | None) -> Verb[Resynced]:
    """Sync failed items again: those rows, or every failed one."""
    if ids and any(conditions.values()):
        raise click.UsageError("Give either IDs of rows or conditions.")
    return verbs.resync(ids, **conditions)


def _show_log(answer: Any) -> None:
    rows = [[line["date_time"], line["level_name"], line["message"]] for line in answer["lines"]]
    click.echo(table(["AT", "LEVEL", "MESSAGE"], rows))


def _show_runs(found: Sequence[Any]) -> None:
    names = ("id", "requested_by", "due_at", "status", "pulled", "pushed", "pending", "failed")
    rows = [[run["id"], _of(run), *(run[name] for name in names[1:])] for run in found]
    titles = ["ID", "SERVICE", "REQUESTED BY", "AT", "STATUS", "PULLED", "PUSHED", "PENDING", "FAILED"]
    click.echo(table(titles, rows) if rows else "no runs")


@click.command()
@click.argument("run_id", required=False, metavar="[ID]")
@_COMPANY
@_SERVICE
@answers(lambda answer: _show_log(answer) if "lines" in answer else _show_runs(answer))
def runs(api: ControlApi, run_id: str | None, **conditions: str | None) -> Any:
    """List the runs of services; with an ID show its log."""
    if run_id is not None:
        return api.ask(verbs.run_log(run_id))
    given = {name: value for name, value in conditions.items() if value is not None}
    return [run for page in api.ask(verbs.runs(**given)) for run in page["runs"]]


@click.command("run-service")
@click.argument("service")
@click.option("--company", help="Its company, if several have such a vanity URL.")
@answers(lambda run: _show_runs([run]))
def run_service(api: ControlApi, service: str, company: str | None) -> Any:
    """Run a service now.

    SERVICE is a vanity URL, COMPANY/VANITY_URL, or an id.
    """
    known = [each for each in api.ask(verbs.services()) if company in (None, each["company"])]
    found = [each["id"] for each in known if service.lower() in (each["vanity_url"], _of(each), str(each["id"]))]
    if len(found) != 1:
        allowed = f"one of the services {', '.join(map(_of, known))}" if not found else "its id, or --company with it"
        raise InvalidValueError("service", service, allowed)
    return api.ask(verbs.run_service(found[0]))
