"""Which paths belong to the control API; everything else stands for Patchworks."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "/_sandbox"


def is_control_path(path: str) -> bool:
    """Return whether a path, percent-decoded, belongs to the control API."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")
