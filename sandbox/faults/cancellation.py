"""The end of waiting for a rule: what waits on behalf of a rule stops when the rule is removed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress


class Cancellation:
    """An event that is set once, when a rule is removed or the sandbox reset. Safe to use from several threads."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        """Whether waiting is over."""
        return self._event.is_set()

    def set(self) -> None:
        """End the waiting: ``wait`` returns, and every listener is called."""
        with self._lock:
            self._event.set()
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()

    def wait(self, seconds: float) -> bool:
        """Wait for up to so many real seconds; return whether waiting is over."""
        return self._event.wait(seconds)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` when waiting is over, or now if it is; return a function that withdraws the listener."""
        with self._lock:
            if not self._event.is_set():
                self._listeners.append(listener)
                return lambda: self._forget(listener)
        listener()
        return lambda: None

    def _forget(self, listener: Callable[[], None]) -> None:
        with self._lock, suppress(ValueError):
            self._listeners.remove(listener)
