"""The paths of the control API; all other paths are those of the emulated API."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "/_sandbox"
HEALTH: Final = f"{PREFIX}/health"
READINESS: Final = f"{PREFIX}/health/ready"
REQUEST_ID: Final = "X-Request-Id"
"""The header with the id of a request to the control API."""
MAX_CONTROL_BODY: Final = 16 * 1024 * 1024
"""Bytes of a body that the control API takes."""


def is_control_path(path: str) -> bool:
    """Return whether a path, percent-decoded, belongs to the control API."""
    return path.startswith(PREFIX) and path[len(PREFIX) : len(PREFIX) + 1] in ("", "/")
