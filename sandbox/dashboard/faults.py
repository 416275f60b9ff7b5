"""Failure on demand: presets to switch on, and the rules in force with their counts."""

from __future__ import annotations

from flask import render_template

from sandbox.control.base import current_sandbox
from sandbox.dashboard.blueprint import PAGES, pages
from sandbox.errors import InputError
from sandbox.faults.presets import Preset, load_presets


@pages.get(f"{PAGES}/faults")
def faults() -> str:
    """Show the presets and the rules."""
    sandbox = current_sandbox()
    presets, problem = _presets(sandbox.settings.presets_dir)
    return render_template(
        "faults.html",
        rules=sandbox.platform.faults.rules(),
        presets=presets,
        problem=problem,
        services=sandbox.store.services(),
    )


def _presets(folder: str | None) -> tuple[list[Preset], str | None]:
    """Return the presets, or what is wrong with a user's folder: a file in it may be half written."""
    try:
        return list(load_presets(folder).values()), None
    except InputError as error:
        return list(load_presets().values()), str(error)
