"""The rate limit: a fixed window for each key that starts with its first request (WIRE D).

Requests up to the limit pass; those beyond are refused and neither count nor extend the window. Times are Unix
seconds on the sandbox clock, so moving the clock opens the window again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from sandbox.foundation.bounds import Count, Seconds

MAX_WINDOWS: Final = 10_000
"""Windows that are kept before those that are over are dropped."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on one request."""

    allowed: bool
    limit: int
    remaining: int
    retry_after_s: int
    reset_at: int


@dataclass(slots=True)
class Window:
    """A window of the rate limit."""

    key: str
    start: Seconds
    hits: Count


class Throttle:
    """The windows of one emulated platform; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[str, Window] = {}

    def hit(self, key: str, limit: int, length_s: int, now: float) -> Verdict:
        """Count a request of ``key``; return whether it passes, and the values of the headers."""
        with self._lock:
            window = self._windows.get(key)
            if window is None or not window.start <= now < window.start + length_s:
                if len(self._windows) >= MAX_WINDOWS:
                    over = [key for key, old in self._windows.items() if not old.start <= now < old.start + length_s]
                    for each in over:
                        del self._windows[each]
                window = self._windows[key] = Window(key, now, 0)
            if allowed := window.hits < limit:
                window.hits += 1
            end = window.start + length_s
            return Verdict(allowed, limit, max(limit - window.hits, 0), math.ceil(end - now), math.ceil(end))

    def snapshot(self) -> tuple[Window, ...]:
        """Return copies of the windows, over or not."""
        with self._lock:
            return tuple(map(replace, self._windows.values()))

    def restore(self, windows: Iterable[Window]) -> None:
        """Take the place of the throttle that had these windows."""
        with self._lock:
            self._windows = {window.key: replace(window) for window in windows}
