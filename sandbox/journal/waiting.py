"""Waiting for new entries of a journal, and listening to them.

A waiting thread sleeps on a condition until there is a new entry. ``interrupt`` ends the waits that have begun;
``retire`` ends later ones too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sandbox.foundation.errors import WaitInterruptedError
from sandbox.foundation.real_time import monotonic

Listener = Callable[[], None]
"""Is called after each entry and each interruption, in the thread that causes it. It must not block."""


class Waiting:
    """The threads that wait for entries and the listeners. ``lock`` is the lock of the journal."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._changed = threading.Condition(lock)
        self._count = 0
        self._interrupted_by = ""
        self._retired = False
        self._listeners: tuple[Listener, ...] = ()
        self.interruptions = 0
        """The number of interruptions so far; a thread reads it before it looks for entries and waits."""

    @property
    def followers(self) -> int:
        """How many wait, or listen."""
        return self._count + len(self._listeners)

    def wake(self) -> tuple[Listener, ...]:
        """Wake the waiting threads. Call this with the lock; call the listeners that it returns without it."""
        if self._count:
            self._changed.notify_all()
        return self._listeners

    def wait(self, is_there: Callable[[], bool], interruptions: int, deadline: float) -> bool:
        """Wait until ``is_there``, which is called with the lock, returns true; return False after ``deadline``.

        Raise ``WaitInterruptedError`` when there have been more than ``interruptions``.
        """
        with self._lock:
            self._count += 1
            try:
                while not is_there() and not self._retired and self.interruptions == interruptions:
                    left = deadline - monotonic()
                    if left <= 0:
                        return False
                    self._changed.wait(min(left, threading.TIMEOUT_MAX))
            finally:
                self._count -= 1
            self.check(interruptions)
        return True

    def check(self, interruptions: int) -> None:
        """Raise ``WaitInterruptedError`` when there have been more than ``interruptions``."""
        if self._retired or self.interruptions != interruptions:
            raise WaitInterruptedError(self._interrupted_by)

    def interrupt(self, why: str) -> None:
        """End the waits that have begun with ``WaitInterruptedError(why)``."""
        with self._lock:
            self.interruptions += 1
            self._interrupted_by = why
            listeners = self.wake()
        for listener in listeners:
            listener()

    def retire(self, why: str) -> None:
        """End these waits and every later one."""
        self._retired = True
        self.interrupt(why)

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` from now on."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def unlisten(self, listener: Listener) -> None:
        """Call a listener no longer."""
        with self._lock:
            self._listeners = tuple(known for known in self._listeners if known != listener)
