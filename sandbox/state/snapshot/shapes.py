"""What the parts of a sandbox hand over: frozen values that JSON can hold, one class for each part.

Times are instants in UTC, or Unix seconds on the sandbox clock where the part itself counts in them.

Whoever makes one imports it when a state is saved, and not before: these and msgspec would be a tenth of a start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from sandbox.foundation.clock import ClockSnapshot
from sandbox.platform.platform import PlatformSnapshot

VERSION: Final = 1
"""Of the format. A document of another one is refused."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything a sandbox holds. ``signing_key`` is PEM; null in a document without secrets."""

    patchworks_sandbox_state: Literal[1]
    secrets: bool
    clock: ClockSnapshot
    signing_key: str | None = field(repr=False)
    platform: PlatformSnapshot
