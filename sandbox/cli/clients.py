"""``clients``: OAuth clients of a running sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.connection import connected
from sandbox.cli.output import JSON_OPTION, print_json, printable, table
from sandbox.testing import verbs

if TYPE_CHECKING:
    from sandbox.testing.remote.control_api import ControlApi


@click.group()
def clients() -> None:
    """Create and list OAuth clients.

    Integrations use a client's id and secret to get tokens.
    """


@clients.command()
@click.argument("name")
@click.option("--connector", type=int, help="Id of its connector. [default: the only one, or the first]")
@JSON_OPTION
@connected
def create(api: ControlApi, name: str, connector: int | None, as_json: bool) -> None:
    """Create a client called NAME.

    The sandbox shows its secret this once.
    """
    if connector is None:
        known = api.ask(verbs.connectors())
        if not known:
            raise click.UsageError("The sandbox has no connector to create a client for.")
        connector = known[0]["id"]
    new = api.ask(verbs.add_client(connector, name))
    if as_json:
        print_json(new)
        return
    for field in ("client_id", "client_secret", "token_endpoint"):
        click.echo(f"{field.replace('_', ' '):15} {printable(new[field])}")


@clients.command("list")
@JSON_OPTION
@connected
def list_clients(api: ControlApi, as_json: bool) -> None:
    """List the clients of every connector.

    Of each secret it prints the last four characters.
    """
    found: list[dict[str, Any]] = [
        client for connector in api.ask(verbs.connectors()) for client in api.ask(verbs.clients(connector["id"]))
    ]
    if as_json:
        print_json(found)
    else:
        rows = [[c["client_id"], c["name"], c["connector_id"], f"…{c['secret_last_four']}"] for c in found]
        click.echo(table(["CLIENT ID", "NAME", "CONNECTOR", "SECRET"], rows))
