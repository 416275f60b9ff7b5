"""Who waits for news of a journal, and who is called when there is any.

Waiting uses a condition: who waits wakes at once and never polls. An interruption sends away everybody who waits now;
after a retirement nobody waits again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sandbox.foundation.errors import WaitInterruptedError
from sandbox.foundation.real_time import monotonic

Listener = Callable[[], None]
"""Is called after every piece of news and every interruption, in the thread that made it: it must not block."""


class Waiting:
    """Wakes who waits, and calls who listens. ``lock`` guards it together with what the news are about."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._changed = threading.Condition(lock)
        self._count = 0
        self._interrupted_by = ""
        self._retired = False
        self._listeners: tuple[Listener, ...] = ()
        self.interruptions = 0
        """How often those who waited were sent away: who is about to wait notes it first."""

    def wake(self) -> tuple[Listener, ...]:
        """Wake who waits, with the lock held; return the listeners, to be called without it."""
        if self._count:
            self._changed.notify_all()
        return self._listeners

    def wait(self, is_there: Callable[[], bool], interruptions: int, deadline: float) -> bool:
        """Wait until something is there, as ``is_there`` tells with the lock held; return False when the time is up.

        Raise ``WaitInterruptedError`` when there was an interruption since there were so many.
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
            if self._retired or self.interruptions != interruptions:
                raise WaitInterruptedError(self._interrupted_by)
        return True

    def interrupt(self, why: str) -> None:
        """Send away those who wait now; ``why`` is what they are told."""
        with self._lock:
            self.interruptions += 1
            self._interrupted_by = why
            listeners = self.wake()
        for listener in listeners:
            listener()

    def retire(self, why: str) -> None:
        """Send away those who wait now or ever."""
        self._retired = True
        self.interrupt(why)

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` from now on."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def unlisten(self, listener: Listener) -> None:
        """Call a listener no more."""
        with self._lock:
            self._listeners = tuple(known for known in self._listeners if known != listener)
