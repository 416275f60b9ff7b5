"""Files that are written whole or not at all: as a draft beside their place, which then takes it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def drafted(path: Path, pieces: Iterable[bytes]) -> Iterator[Path]:
    """Write a draft of a file, readable by its owner only; one that is still there in the end is removed.

    Raise ``OSError``, and whatever the pieces raise.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    except OSError as error:
        error.filename = str(path)  # nobody has heard of the draft
        raise
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write the pieces; whatever goes wrong on the way leaves the file as it was. Raise ``OSError``."""
    with drafted(path, pieces) as draft:
        draft.replace(path)
