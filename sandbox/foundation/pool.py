"""Threads for what must not keep the loop waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

from sandbox.foundation.real_time import monotonic

T = TypeVar("T")


class Pool:
    """Up to ``size`` threads, which start when there is work and end with ``close``.

    They are daemons: a server that is not stopped does not keep the process from ending, as those of
    ``concurrent.futures`` would.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._unfinished = 0
        """Jobs that wait or are being done."""
        self._is_closed = False

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Let a thread do a job; raise ``RuntimeError`` where the system gives no thread.

        Jobs that come after ``close`` are dropped.
        """
        done: Future[T] = Future()

        def work() -> None:
            if done.set_running_or_notify_cancel():
                try:
                    done.set_result(job())
                except BaseException as error:  # noqa: BLE001 - handed to the caller
                    done.set_exception(error)

        with self._lock:
            if self._unfinished >= len(self._threads) < self._size and not self._is_closed:
                thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads) + 1}", daemon=True)
                try:
                    thread.start()
                    self._threads.append(thread)
                except RuntimeError:
                    if not self._threads:
                        raise
            self._unfinished += 1
            self._jobs.put(work)
        return done

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not self._is_closed:
                job()
            del job
            with self._lock:
                self._unfinished -= 1

    def close(self) -> None:
        """Let each thread end after its job; drop the jobs that wait."""
        with self._lock:
            self._is_closed = True
            for _ in self._threads:
                self._jobs.put(None)

    def join(self, seconds: float) -> int:
        """Wait for the threads to end; return how many have not."""
        deadline = monotonic() + seconds
        others = [thread for thread in self._threads if thread is not threading.current_thread()]
        for thread in others:
            thread.join(max(0.0, deadline - monotonic()))
        return sum(thread.is_alive() for thread in others)
