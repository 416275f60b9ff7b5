"""Keeping Python's cycle collector out of the way of who serves.

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
def rare_collections() -> Iterator[None]:
    """Collect rarely while the context lasts, and never look again at what exists at its beginning."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
