"""``state``: everything a running sandbox holds, saved to a file and loaded from one."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sandbox.cli.base import connected, performs
from sandbox.cli.output import printable, table
from sandbox.foundation import atomic_file
from sandbox.testing import verbs
from sandbox.testing.backend import Verb

if TYPE_CHECKING:
    from sandbox.state.restore import LoadedClient
    from sandbox.testing.remote.control_api import ControlApi

_FILE: Final = click.Path(dir_okay=False)
_SECRETS: Final = {"saved": "as saved", "kept": "the one it had here before"}


@click.group()
def state() -> None:
    """Save everything to a file, and load it.

    A state holds companies, tokens, journal, faults, clock and settings.
    """


@state.command()
@click.argument("file", type=_FILE)
@click.option("--with-secrets", is_flag=True, help="Save the signing key and hashes of the clients' secrets too.")
@connected
def save(api: ControlApi, file: str, with_secrets: bool) -> None:
    """Save the state of a running sandbox to FILE.

    Only you can read the file. Without secrets its tokens are good only where the same key signs. `load` then gives
    each client the secret that it has there, or a new one.
    """
    try:
        atomic_file.write(Path(file), api.pieces("/state", {"secrets": with_secrets}))
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from None
    click.echo(f"saved to {printable(file)}{', with secrets' if with_secrets else ''}")


def _show_loaded(loaded: Any) -> None:
    click.echo(f"loaded; it is {loaded['now']}")
    if loaded["clients"]:
        rows = [
            [client["client_id"], client["name"], _SECRETS.get(client["secret"], f"new: {client['client_secret']}")]
            for client in loaded["clients"]
        ]
        click.echo(table(["CLIENT ID", "NAME", "SECRET"], rows))


@state.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@performs(_show_loaded)
def load(file: str) -> Verb[list[LoadedClient]]:
    """Load FILE into a running sandbox.

    If FILE is invalid, nothing changes. A reset returns to the seed. - reads standard input.
    """
    try:
        with click.open_file(file, "rb") as saved:
            return verbs.load_state(json.loads(saved.read()))
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{file} is not JSON ({error}); give one that 'state save' wrote") from None


@click.command()
@performs(lambda answer: click.echo(f"reset; it is {answer['now']}"), json=False)
def reset() -> Verb[datetime]:
    """Return to the seed.

    A reset empties the journal, removes tokens and rules, and restores real time and the settings of the start.
    """
    return verbs.reset()
