"""``clock``: the time of a running sandbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from sandbox.cli.base import performs
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
    """Move the clock by a DURATION.

    24h, 1h30m, 90s and PT24H are durations. -- before a minus moves it back.
    """
    return verbs.advance(duration)


@clock.command("set")
@click.argument("now", metavar="INSTANT")
@performs(_show)
def set_clock(now: str) -> Verb[datetime]:
    """Set the clock to an INSTANT with a zone."""
    return verbs.change_clock(now=now)


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
    """Run at FACTOR sandbox seconds a second.

    3600 is an hour a second.
    """
    return verbs.change_clock(rate=factor)


@clock.command()
@performs(_show)
def reset() -> Verb[datetime]:
    """Return to the machine's time."""
    return verbs.reset_clock()
