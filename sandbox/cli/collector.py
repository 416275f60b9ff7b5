"""Keeping Python's cycle collector out of the way of who starts, and of who serves.

What is imported and set up at the start stays for as long as the process, so that to look at it again and again while
it grows finds next to nothing, and takes a tenth of the time until the first answer.

A request leaves no cycles behind (a test holds that), but a journal is many objects that live long: each full
collection looks at all of them, and that is what the slowest requests waited for (`inbound` in benchmarks). Fewer
collections find the same cycles a little later.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

RARELY: Final = (20_000, 20, 100)
"""Objects made before the youngest are looked at, and how often they are before the older ones are in turn."""


@contextmanager
def no_collections() -> Iterator[None]:
    """Do not collect while the context lasts."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect rarely while the context lasts, and never look at what exists at its beginning."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
