"""Files that may hold secrets: written whole or not at all, and readable by their owner only."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sandbox.drafts import drafted


def write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write the pieces; whatever goes wrong on the way leaves the file as it was. Raise ``OSError``."""
    with drafted(path, pieces) as draft:
        draft.replace(path)
