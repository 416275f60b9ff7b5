"""The bytes of answers: the head of one is that of the answer before only where all that it shows is equal."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.foundation.answer import Answer
from sandbox.platform.serve import Served
from sandbox.server.transport import Transport
from sandbox.web.http.body import Message
from sandbox.web.http.limits import Limits
from sandbox.web.http.request_head import parse_head

HEADERS = (("Content-Type", "text/plain"),)
FIRST = Answer(200, HEADERS, b"first")


class Wire:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.may_persist = True
        self.written: list[bytes] = []

    def finish_with(self, data: bytes, persists: bool) -> None:
        self.written.append(data)


def sent(
    transport: Transport, answer: Answer, *, at: float = 0.0, request: bytes = b"POST / HTTP/1.1\r\nHost: a"
) -> bytes:
    wire: Any = Wire()
    transport.perform(Served(answer, at, None, None), Message(parse_head(request, Limits()), b"", 0, None), wire)
    return b"".join(wire.written)


@pytest.mark.parametrize(
    ("then", "how"),
    [
        (FIRST, {}),
        (Answer(201, HEADERS, b"first"), {}),
        (Answer(200, HEADERS, b"first", "Fine"), {}),
        (Answer(200, HEADERS, b"other"), {}),
        (Answer(200, HEADERS, b"longer than the first"), {}),
        (Answer(200, (*HEADERS, ("A", "b")), b"first"), {}),
        (FIRST, {"at": 1.0}),
        (FIRST, {"request": b"POST / HTTP/1.0\r\nConnection: keep-alive"}),
        (FIRST, {"request": b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close"}),
    ],
)
def test_answer_has_the_bytes_that_it_has_alone(then: Answer, how: dict[str, Any]) -> None:
    transport = Transport()
    sent(transport, FIRST)

    assert sent(transport, then, **how) == sent(Transport(), then, **how)
