"""The rate limit: a fixed window for each key that starts with its first request (WIRE D).

Requests up to the limit pass; those beyond are refused and neither count nor extend the window. Times are Unix
seconds on the sandbox clock, so moving the clock opens the window again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sandbox.foundation.bounds import Count, Seconds


@dataclass(frozen=True, slots=True)
class WindowSnapshot:
    """A window of the rate limit."""

    key: str
    start: Seconds
    hits: Count


MAX_WINDOWS: Final = 10_000
"""Windows kept before those that are over are swept."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the throttle says of one request."""

    allowed: bool
    limit: int
    remaining: int
    retry_after_s: int
    reset_at: int


@dataclass(slots=True)
class _Window:
    start: float
    hits: int


class Throttle:
    """The windows of one emulated platform; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}

    def hit(self, key: str, limit: int, length_s: int, now: float) -> Verdict:
        """Count a request of ``key`` and say whether it passes."""
        with self._lock:
            window = self._windows.get(key)
            if window is None or not window.start <= now < window.start + length_s:
                self._sweep(now, length_s)
                window = self._windows[key] = _Window(now, 0)
            if allowed := window.hits < limit:
                window.hits += 1
            end = window.start + length_s
            return Verdict(allowed, limit, max(limit - window.hits, 0), math.ceil(end - now), math.ceil(end))

    def snapshot(self) -> tuple[WindowSnapshot, ...]:
        """Return the windows, over or not."""
        with self._lock:
            return tuple(WindowSnapshot(key, window.start, window.hits) for key, window in self._windows.items())

    def restore(self, snapshot: Iterable[WindowSnapshot]) -> None:
        """Take the place of the throttle that had these windows."""
        with self._lock:
            self._windows = {window.key: _Window(window.start, window.hits) for window in snapshot}

    def _sweep(self, now: float, length_s: int) -> None:
        if len(self._windows) >= MAX_WINDOWS:
            self._windows = {
                key: window for key, window in self._windows.items() if window.start <= now < window.start + length_s
            }
