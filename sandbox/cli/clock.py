"""``clock``: the time of a running sandbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from sandbox.cli.connection import performs
from sandbox.testing import verbs
from sandbox.testing.backend import Verb


@click.group()
def clock() -> None:
    """Look at the sandbox clock, and move it."""


def _show(state: Any) -> None:
    course = ", frozen" if state["frozen"] else "" if state["rate"] == 1 else f", {state['rate']:g} s a second"
    click.echo(f"{state['now']}{course}")


@clock.command()
@performs(_show)
def show() -> Verb[verbs.ClockState]:
    """Show the sandbox time."""
    return verbs.clock()


@clock.command()
@click.argument("duration")
@performs(_show)
def advance(duration: str) -> Verb[datetime]:
    """Move by a DURATION: 24h, 1h30m, 90s or PT24H; backwards with a minus (after --)."""
    return verbs.advance(duration)


@clock.command("set")
@click.argument("instant")
@performs(_show)
def set_clock(instant: str) -> Verb[datetime]:
    """Travel to an INSTANT such as 2026-11-27T09:00:00Z."""
    return verbs.change_clock(now=instant)


@clock.command()
@performs(_show)
def freeze() -> Verb[datetime]:
    """Stop the clock."""
    return verbs.change_clock(frozen=True)


@clock.command()
@performs(_show)
def unfreeze() -> Verb[datetime]:
    """Let the clock run on."""
    return verbs.change_clock(frozen=False)


@clock.command()
@click.argument("factor", type=float)
@performs(_show)
def rate(factor: float) -> Verb[datetime]:
    """Run at FACTOR sandbox seconds a real second; 3600 is an hour a second."""
    return verbs.change_clock(rate=factor)


@clock.command()
@performs(_show)
def reset() -> Verb[datetime]:
    """Return to the machine's time."""
    return verbs.reset_clock()
