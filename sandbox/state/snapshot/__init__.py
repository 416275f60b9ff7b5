"""A sandbox as one value, and how that is written as JSON and read back.

Each part (clock, store, token book …) returns a frozen value from ``snapshot()`` and takes one in ``restore()``. A
stored value is saved as it is; its bounds are declared with its fields. ``codec`` turns the whole into JSON and back.
``schema`` checks a document before anything is made of it. Times are instants in UTC, or Unix seconds on the sandbox
clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from sandbox.foundation.clock import ClockSnapshot
from sandbox.platform.snapshot import PlatformSnapshot

VERSION: Final = 1
"""Version of the format. A document of another version is refused."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything a sandbox holds. ``signing_key`` is PEM; null in a document without secrets."""

    patchworks_sandbox_state: Literal[1]
    secrets: bool
    clock: ClockSnapshot
    signing_key: str | None = field(repr=False)
    platform: PlatformSnapshot
