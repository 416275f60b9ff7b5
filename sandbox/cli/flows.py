"""``flows`` and ``keys``: the process flows of a running sandbox, and the API keys for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.base import answers, performs
from sandbox.cli.output import printable, table
from sandbox.platform.flows.model import STATUSES
from sandbox.testing import verbs
from sandbox.testing.backend import Verb

if TYPE_CHECKING:
    from sandbox.platform.flows.model import ApiKey, Flow
    from sandbox.testing.remote.control_api import ControlApi


@click.group()
def flows() -> None:
    """List and change process flows."""


def _show_flows(found: Any) -> None:
    rows = [
        [each["id"], each["company"], each["name"], _state(each), kind, url]
        for each in found
        for kind, url in (
            ("start", each["start_url"]),
            *(("webhook", hook["url"]) for hook in each["webhooks"]),
            *(("callback", hook["url"]) for hook in each["callbacks"]),
        )
    ]
    click.echo(table(["ID", "COMPANY", "NAME", "STATE", "KIND", "URL"], rows) if rows else "no flows")


def _state(flow: Any) -> str:
    deployed = "not deployed" if flow["deployed"] is None else f"version {flow['deployed']}"
    return deployed if flow["enabled"] else f"{deployed}, disabled"


@flows.command("list")
@performs(_show_flows)
def list_flows() -> Verb[list[Flow]]:
    """List the flows with their URLs."""
    return verbs.flows()


@flows.command("set")
@click.argument("flow_id", type=int, metavar="ID")
@click.option("--enabled/--disabled", default=None, help="Whether its webhooks and callbacks start it.")
@click.option("--deploy", "version", type=int, metavar="VERSION", help="Deploy the version with this id.")
@click.option("--undeploy", is_flag=True, help="Leave no version deployed.")
@performs(lambda answer: _show_flows([answer]))
def change_flow(flow_id: int, enabled: bool | None, version: int | None, undeploy: bool) -> Verb[Flow]:
    """Enable or disable the flow with this id, and deploy a version."""
    if undeploy and version is not None:
        raise click.UsageError("Give --deploy or --undeploy, not both.")
    changes: dict[str, Any] = {} if enabled is None else {"enabled": enabled}
    if undeploy or version is not None:
        changes["deployed"] = version
    if not changes:
        raise click.UsageError("Nothing to change; give --enabled, --disabled, --deploy or --undeploy.")
    return verbs.change_flow(flow_id, changes)


def _show_runs(found: Any) -> None:
    rows = [
        [run["id"], run["trigger"], run["version"], run["started_at"], STATUSES[run["status"]], run["message"] or ""]
        for run in found
    ]
    click.echo(table(["ID", "TRIGGER", "VERSION", "STARTED", "STATUS", "MESSAGE"], rows) if rows else "no runs")


@flows.command("runs")
@click.argument("flow_id", type=int, metavar="ID")
@answers(_show_runs)
def list_runs(api: ControlApi, flow_id: int) -> Any:
    """List the runs of the flow with this id."""
    return [run for page in api.ask(verbs.flow_runs(flow_id)) for run in page["runs"]]


@click.group()
def keys() -> None:
    """Create, list and revoke API keys for process flows."""


@keys.command()
@click.argument("name")
@click.option("--company", help="Slug of its company. [default: the first]")
@answers(lambda new: click.echo(printable(new["key"])))
def create(api: ControlApi, name: str, company: str | None) -> Any:
    """Create an API key called NAME.

    The sandbox shows its text this once.
    """
    if company is None:
        known = api.ask(verbs.companies())
        if not known:
            raise click.UsageError("The sandbox has no company to create a key for.")
        company = known[0]["slug"]
    return api.ask(verbs.add_api_key(company, name))


def _show_keys(found: Any) -> None:
    rows = [
        [key["id"], key["company"], key["name"], f"…{key['last_four']}", "revoked" if key["revoked"] else "good"]
        for key in found
    ]
    click.echo(table(["ID", "COMPANY", "NAME", "KEY", "STATE"], rows) if rows else "no keys")


@keys.command("list")
@performs(_show_keys)
def list_keys() -> Verb[list[ApiKey]]:
    """List the API keys.

    Of each it prints the last four characters.
    """
    return verbs.api_keys()


@keys.command()
@click.argument("key_id", type=int, metavar="ID")
@performs(lambda answer: _show_keys([answer]))
def revoke(key_id: int) -> Verb[ApiKey]:
    """Revoke the API key with this id; it stays in the list."""
    return verbs.revoke_api_key(key_id)
