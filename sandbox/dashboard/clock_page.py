"""The clock, and the tokens that live by it."""

from __future__ import annotations

from flask import render_template

from sandbox.control.base import current_sandbox
from sandbox.dashboard.blueprint import PAGES, pages
from sandbox.dashboard.token_life import newest_tokens


@pages.get(f"{PAGES}/clock")
def clock_page() -> str:
    """Show the sandbox time, the ways to move it, and what is left of each token."""
    tokens, total = newest_tokens(current_sandbox().platform)
    return render_template("clock.html", tokens=tokens, total=total)
