"""Programs in other languages that tests run, where a machine has them; CI has those it is asked for."""

from __future__ import annotations

import os
import shutil

import pytest


def program(name: str, *, in_ci: bool) -> str:
    """Return the path of a program; skip the test where it is missing, and fail it in CI if it must be there."""
    found = shutil.which(name)
    if found is None and in_ci and os.environ.get("CI"):
        pytest.fail(f"{name} is missing; CI must run its example")
    if found is None:
        pytest.skip(f"this machine has no {name}")
    return found
