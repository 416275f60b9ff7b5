"""The paths of the control API; all other paths are those of the emulated API."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "/_sandbox"


def is_control_path(path: str) -> bool:
    """Return whether a path, percent-decoded, belongs to the control API."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")
