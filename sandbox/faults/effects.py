"""The effect of a request on its client, as a value: an answer, a late or damaged one, or none at all.

A closed union. ``Fault.effect`` returns one; the server performs it. A ``Cancellation`` ends one that takes time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeAlias

from typing_extensions import assert_never

from sandbox.foundation.answer import Answer

NO_STATUS: Final = 0
"""The status in the journal of a request that got no answer."""


@dataclass(frozen=True, slots=True)
class Delayed:
    """A whole answer after so many seconds."""

    answer: Answer
    seconds: float


@dataclass(frozen=True, slots=True)
class Slow:
    """The head of an answer at once, its body in ``pieces`` over so many seconds."""

    answer: Answer
    seconds: float
    pieces: int


@dataclass(frozen=True, slots=True)
class Relayed:
    """An answer whose body goes over the wire as ``sent``, compressed or not, in chunks or with its length.

    ``answer`` is as the client reads it, with the headers but those of the framing.
    """

    answer: Answer
    sent: bytes
    chunked: bool


@dataclass(frozen=True, slots=True)
class Truncated:
    """The head of an answer and the first ``kept`` bytes of its body, then the end of the connection."""

    answer: Answer
    kept: int


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes that are not HTTP, then the end of the connection."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Empty:
    """The end of the connection (FIN) without a byte before it."""


@dataclass(frozen=True, slots=True)
class Reset:
    """A TCP reset (RST)."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing for so many seconds, or until the client leaves or the rule is removed."""

    seconds: float | None


Effect: TypeAlias = Answer | Delayed | Slow | Relayed | Truncated | Garbage | Empty | Reset | Silence


def received(effect: Effect) -> Answer:
    """Return the answer as far as the client receives it, which the journal keeps."""
    match effect:
        case Answer():
            return effect
        case Delayed(answer) | Slow(answer) | Relayed(answer):
            return answer
        case Truncated(answer, kept):
            return Answer(answer.status, answer.headers, answer.body[:kept])
        case Garbage(data):
            return Answer(NO_STATUS, (), data)
        case Empty() | Reset() | Silence():
            return Answer(NO_STATUS, (), b"")
        case _:
            assert_never(effect)


def delay_s(effect: Effect) -> float:
    """Return the seconds that an effect adds until the client has the whole answer; 0 where no answer comes."""
    return effect.seconds if isinstance(effect, (Delayed, Slow)) else 0.0


def outcome(effect: Effect) -> str:
    """Return in words what the client receives, for the journal."""
    match effect:
        case Answer(status):
            return f"answered {status}"
        case Delayed(answer, seconds):
            return f"answered {answer.status}, {seconds:.3f} s late"
        case Slow(answer, seconds, pieces):
            return f"answered {answer.status}, the body in {pieces} pieces over {seconds:.3f} s"
        case Relayed(answer, _, chunked):
            return f"answered {answer.status}{', in chunks' if chunked else ''}"
        case Truncated(answer, kept):
            return f"answered {answer.status}, the connection ended after {kept} of {len(answer.body)} bytes"
        case Garbage(data):
            return f"no answer: {len(data)} bytes that are not HTTP, then the end of the connection"
        case Empty():
            return "no answer: the connection was closed"
        case Reset():
            return "no answer: the connection was reset"
        case Silence(None):
            return "no answer: the connection was left open"
        case Silence(seconds):
            return f"no answer: the connection was left open for up to {seconds:.3f} s"
        case _:
            assert_never(effect)


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
