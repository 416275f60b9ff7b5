"""Faults that leave no whole answer: silence, the end of the connection, or broken bytes."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.faults.effects import Empty, Garbage, Reset, Silence, Truncated
from sandbox.faults.fault import Act, Fault
from sandbox.foundation import value_types as types
from sandbox.foundation.answer import Answer
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class Hang(Fault):
    """No answer, and the connection stays open: until the client gives up, the rule goes or the sandbox stops.

    Occupies no worker.
    """

    kind = "hang"

    seconds: float | None = field(
        types.seconds(), "Close the connection, without an answer, after so long at the latest.", None
    )

    def effect(self, act: Act, answer: Answer) -> Silence:
        return Silence(self.seconds)


@dataclass(frozen=True, slots=True)
class ConnectionReset(Fault):
    """The connection is torn down: a TCP reset (RST) in place of an answer."""

    kind = "connection_reset"

    def effect(self, act: Act, answer: Answer) -> Reset:
        return Reset()


@dataclass(frozen=True, slots=True)
class EmptyResponse(Fault):
    """The connection is closed properly (FIN) without a single byte of an answer."""

    kind = "empty_response"

    def effect(self, act: Act, answer: Answer) -> Empty:
        return Empty()


@dataclass(frozen=True, slots=True)
class GarbageResponse(Fault):
    """Bytes that are not HTTP in place of an answer, and the end of the connection."""

    kind = "garbage_response"

    text: str = field(types.text(low=1), "What is sent, as UTF-8.", "lorem ipsum dolor sit amet\r\n\r\n")

    def effect(self, act: Act, answer: Answer) -> Garbage:
        return Garbage(self.text.encode())


def garbage_response(text: str | None = None) -> GarbageResponse:
    """Send something that is not HTTP."""
    return GarbageResponse() if text is None else GarbageResponse(text)


@dataclass(frozen=True, slots=True)
class TruncatedBody(Fault):
    """The platform's answer, but the connection ends within its body: fewer bytes than `Content-Length` says."""

    kind = "truncated_body"
    handling = "rehearsed"

    bytes: int | None = field(
        types.integer(0, 1_000_000),
        "How many bytes of the body are sent, all but one at most. Default: half of them.",
        None,
    )

    def effect(self, act: Act, answer: Answer) -> Truncated:
        size = len(answer.body)
        return Truncated(answer, size // 2 if self.bytes is None else max(0, min(self.bytes, size - 1)))


@dataclass(frozen=True, slots=True)
class MalformedJson(Fault):
    """The platform's answer, complete as HTTP, but its JSON is broken: the last character is missing."""

    kind = "malformed_json"
    handling = "rehearsed"

    body: str | None = field(types.text(), "What to send as the body instead.", None)

    def effect(self, act: Act, answer: Answer) -> Answer:
        return Answer(answer.status, answer.headers, answer.body[:-1] if self.body is None else self.body.encode())
