"""An answer that waits for news: a view hands it to the server, which holds the connection, and no thread with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

Answer: TypeAlias = Callable[..., Iterable[bytes]]
"""A whole answer, as a WSGI application."""


class News(Protocol):
    """A stream of pieces that a client waits for. One ``next`` is under way at a time; ``close`` may come meanwhile."""

    def listen(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` from now on when there may be news, in any thread."""

    def next(self, *, timed_out: bool) -> bytes | Answer:
        """Return the bytes that the client is to get now, which may be none, or the answer that ends the wait.

        It is called when there may be news, and with ``timed_out`` when ``seconds_left`` are over. It may take long.
        """

    def seconds_left(self) -> float:
        """Return after how many seconds without news ``next`` is to be called."""

    def close(self) -> None:
        """Listen no more: the client has gone, or the wait is over."""


class Holding:
    """The connection that a server offers under ``CONNECTION``."""

    def __init__(self) -> None:
        self.news: News | None = None

    def wait_for(self, news: News) -> None:
        """Answer when there is news; what the view returns is not sent."""
        self.news = news
