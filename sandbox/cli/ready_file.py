"""The ready file: how a program that started the sandbox learns where it is. It holds secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.cli import private_file


def discard(path: Path) -> None:
    """Remove the file of an earlier run, so that nobody takes it for this one's; raise ``OSError``."""
    path.unlink(missing_ok=True)


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Write the file whole or not at all, readable by its owner only; raise ``OSError``."""
    private_file.write(path, [f"{json.dumps(document)}\n".encode()])
