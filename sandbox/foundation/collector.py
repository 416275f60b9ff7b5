"""Fewer runs of Python's cycle collector, at the start and while serving.

The objects made at the start live as long as the process. Collections during the start find next to nothing, and take a
tenth of the time until the first answer.

A request leaves no cycles behind (a test holds that), but a journal has many objects that live long. Each full
collection walks all of them, and the slowest requests waited for that (`inbound` in benchmarks). Fewer collections find
the same cycles a little later.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

RARELY: Final = (20_000, 20, 100)
"""Thresholds of the three generations: see ``gc.set_threshold``."""


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
    """Collect rarely while the context lasts, and skip the objects that exist at its beginning."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
