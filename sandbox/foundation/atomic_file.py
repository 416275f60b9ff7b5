"""Files that are written whole or not at all: first beside their place, then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged(path: Path, pieces: Iterable[bytes]) -> Iterator[Path]:
    """Write a file beside its place, readable by its owner only, and yield its path; remove it if it is still there.

    Raise ``OSError``, and the errors of the pieces.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    except OSError as error:
        error.filename = str(path)  # the name that the caller knows
        raise
    staged_path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
        yield staged_path
    finally:
        staged_path.unlink(missing_ok=True)


def write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write the pieces to a file; an error leaves the file as it was. Raise ``OSError``."""
    with staged(path, pieces) as complete:
        complete.replace(path)
