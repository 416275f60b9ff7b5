"""``clock``: the time of a running sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.connection import as_json_option, connected, print_json

if TYPE_CHECKING:
    from sandbox.testing.remote.control_api import ControlApi


@click.group()
def clock() -> None:
    """Look at the sandbox clock, and move it."""


@clock.command()
@as_json_option
@connected
def show(api: ControlApi, as_json: bool) -> None:
    """Show the sandbox time."""
    _tell(api.get("/clock"), as_json=as_json)


@clock.command()
@click.argument("duration")
@as_json_option
@connected
def advance(api: ControlApi, duration: str, as_json: bool) -> None:
    """Move by a DURATION: 24h, 1h30m, 90s or PT24H; backwards with a minus (after --)."""
    _tell(api.call("POST", "/clock/advance", {"duration": duration}), as_json=as_json)


@clock.command("set")
@click.argument("instant")
@as_json_option
@connected
def set_clock(api: ControlApi, instant: str, as_json: bool) -> None:
    """Travel to an INSTANT such as 2026-11-27T09:00:00Z."""
    _tell(api.call("PUT", "/clock", {"now": instant}), as_json=as_json)


@clock.command()
@as_json_option
@connected
def freeze(api: ControlApi, as_json: bool) -> None:
    """Stop the clock."""
    _tell(api.call("PUT", "/clock", {"frozen": True}), as_json=as_json)


@clock.command()
@as_json_option
@connected
def unfreeze(api: ControlApi, as_json: bool) -> None:
    """Let the clock run on."""
    _tell(api.call("PUT", "/clock", {"frozen": False}), as_json=as_json)


@clock.command()
@click.argument("factor", type=float)
@as_json_option
@connected
def rate(api: ControlApi, factor: float, as_json: bool) -> None:
    """Run at FACTOR sandbox seconds a real second; 3600 is an hour a second."""
    _tell(api.call("PUT", "/clock", {"rate": factor}), as_json=as_json)


@clock.command()
@as_json_option
@connected
def reset(api: ControlApi, as_json: bool) -> None:
    """Return to the machine's time."""
    _tell(api.call("DELETE", "/clock"), as_json=as_json)


def _tell(state: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(state)
        return
    course = ", frozen" if state["frozen"] else "" if state["rate"] == 1 else f", {state['rate']:g} s a second"
    click.echo(f"{state['now']}{course}")
