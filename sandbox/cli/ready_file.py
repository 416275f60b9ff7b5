"""The ready file: how a program that started the sandbox learns where it is. It holds secrets."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def discard(path: Path) -> None:
    """Remove the file of an earlier run, so that nobody takes it for this one's; raise ``OSError``."""
    path.unlink(missing_ok=True)


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Write the file whole or not at all, readable by its owner only; raise ``OSError``."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file)
            file.write("\n")
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
