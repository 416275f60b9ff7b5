"""``reset``: a running sandbox begins anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sandbox.cli.connection import connected

if TYPE_CHECKING:
    from sandbox.remote.control_api import ControlApi


@click.command()
@connected
def reset(api: ControlApi) -> None:
    """Return to the seed.

    A new journal, no faults, no tokens, real time, and the settings of the start.
    """
    now = api.call("POST", "/reset")["now"]
    click.echo(f"reset; it is {now}")
