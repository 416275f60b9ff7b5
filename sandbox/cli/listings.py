"""``clients``, ``tokens``, ``services``, ``entities`` and ``settings`` of a running sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.base import answers, performs
from sandbox.cli.faults import read_option
from sandbox.cli.output import printable, table
from sandbox.cli.requests import limited
from sandbox.testing import verbs
from sandbox.testing.backend import Verb

if TYPE_CHECKING:
    from sandbox.platform.model import Service
    from sandbox.testing.remote.control_api import ControlApi


@click.group()
def clients() -> None:
    """Create and list OAuth clients.

    Integrations use a client's id and secret to get tokens.
    """


def _show_new(client: Any) -> None:
    for field in ("client_id", "client_secret", "token_endpoint"):
        click.echo(f"{field.replace('_', ' '):15} {printable(client[field])}")


@clients.command()
@click.argument("name")
@click.option("--connector", type=int, help="Id of its connector. [default: the only one, or the first]")
@answers(_show_new)
def create(api: ControlApi, name: str, connector: int | None) -> Any:
    """Create a client called NAME.

    The sandbox shows its secret this once.
    """
    if connector is None:
        known = api.ask(verbs.connectors())
        if not known:
            raise click.UsageError("The sandbox has no connector to create a client for.")
        connector = known[0]["id"]
    return api.ask(verbs.add_client(connector, name))


def _show_clients(found: Any) -> None:
    rows = [[c["client_id"], c["name"], c["connector_id"], f"…{c['secret_last_four']}"] for c in found]
    click.echo(table(["CLIENT ID", "NAME", "CONNECTOR", "SECRET"], rows))


@clients.command("list")
@answers(_show_clients)
def list_clients(api: ControlApi) -> Any:
    """List the clients of every connector.

    Of each secret it prints the last four characters.
    """
    return [client for known in api.ask(verbs.connectors()) for client in api.ask(verbs.clients(known["id"]))]


@click.group()
def tokens() -> None:
    """List and revoke access tokens."""


def _show_tokens(answer: Any) -> None:
    rows = [
        [each["request"], each["client_id"], each["issued_at"], each["expires_at"], each["uses"], _state(each)]
        for each in answer["tokens"]
    ]
    click.echo(table(["REQUEST", "CLIENT ID", "ISSUED", "EXPIRES", "USES", "STATE"], rows) if rows else "no tokens")


def _state(token: dict[str, Any]) -> str:
    return "revoked" if token["revoked"] else "expired" if token["expired"] else "good"


@tokens.command("list")
@click.option("--client-id", help="Only of this OAuth client.")
@limited(1, 1_000, "Show the N newest tokens.")
@answers(_show_tokens)
def list_tokens(api: ControlApi, **query: object) -> Any:
    """List the tokens since the last reset, newest last."""
    return api.get("/tokens", **query)


@tokens.command()
@click.option("--client-id", help="Only of this OAuth client.")
@performs(lambda answer: click.echo(f"{answer['revoked']} token{'' if answer['revoked'] == 1 else 's'} revoked"))
def revoke(client_id: str | None) -> Verb[int]:
    """Revoke the tokens, as if the platform had done so."""
    return verbs.revoke_tokens(client_id)


@click.group()
def services() -> None:
    """List the services."""


def _show_services(found: Any) -> None:
    rows = [
        [
            each["id"],
            f"/v1/{each['company']}/{each['vanity_url']}",
            each["connector_id"],
            each["entity"],
            "active" if each["active"] else "inactive",
        ]
        for each in found
    ]
    click.echo(table(["ID", "URL", "CONNECTOR", "ENTITY", "STATE"], rows) if rows else "no services")


@services.command("list")
@performs(_show_services)
def list_services() -> Verb[list[Service]]:
    """List the services with their inbound URLs."""
    return verbs.services()


@click.group()
def entities() -> None:
    """List the entities."""


def _show_entities(found: Any) -> None:
    rows = [[each["id"], each["name"], each["type"], each["connector_id"], _structure(each)] for each in found]
    click.echo(table(["ID", "NAME", "TYPE", "CONNECTOR", "STRUCTURE"], rows) if rows else "no entities")


def _structure(entity: dict[str, Any]) -> str:
    if entity["json_schema"] is None:
        return "free-form"
    return "of its sample" if entity["inferred"] else "of a JSON Schema"


@entities.command("list")
@click.option("--connector", type=int, help="Id of a connector. [default: every one]")
@answers(_show_entities)
def list_entities(api: ControlApi, connector: int | None) -> Any:
    """List the entities with the origin of their structures."""
    connectors = [connector] if connector is not None else [each["id"] for each in api.ask(verbs.connectors())]
    return [entity for known in connectors for entity in api.ask(verbs.entities(known))]


@click.group()
def settings() -> None:
    """Show and change the settings of a running sandbox.

    'config show' shows those of a start.
    """


def _show_settings(found: Any) -> None:
    click.echo(table(["SETTING", "VALUE"], [[name, found[name]] for name in sorted(found)]))


@settings.command("show")
@performs(_show_settings)
def show_settings() -> Verb[dict[str, Any]]:
    """Show the settings that may change at run time."""
    return verbs.settings()


@settings.command("set")
@click.argument("changes", nargs=-1, required=True, metavar="NAME=VALUE...")
@performs(_show_settings)
def change_settings(changes: Sequence[str]) -> Verb[object]:
    """Change settings until the next reset.

    If one is refused, none changes.
    """
    return verbs.configure(dict(map(read_option, changes)))
