"""An answer as a server in front of the platform sends it on: in chunks, compressed, with its headers."""

from __future__ import annotations

import gzip

import pytest

from sandbox.faults import Act, relayed
from sandbox.faults.effects import Cancellation, Relayed, received
from sandbox.foundation.answer import Answer

ANSWER = Answer(200, (("Content-Type", "application/json"),), b'{"message":"stored"}')


def sent(accept_encoding: str | None, answer: Answer = ANSWER) -> Relayed:
    fault = relayed(gzip=True, headers={"Server": "Caddy"})
    return fault.effect(Act("r", fault, False, 0.0, None, Cancellation(), accept_encoding), answer)


@pytest.mark.parametrize(
    "accept_encoding",
    ["gzip", "GZIP", "br, gzip", "gzip;q=0.5", "gzip; q = 0.001", "x-gzip", "*", "deflate, *;q=0.1", "*;q=0, gzip"],
)
def test_answer_is_compressed_for_a_client_that_accepts_gzip(accept_encoding: str) -> None:
    effect = sent(accept_encoding)

    assert gzip.decompress(effect.sent) == ANSWER.body
    assert ("Content-Encoding", "gzip") in effect.answer.headers


@pytest.mark.parametrize(
    "accept_encoding", [None, "", "br", "identity", "gzip;q=0", "gzip;q=0.000", "zgzip", ";", "*, gzip;q=0"]
)
def test_answer_is_plain_for_any_other_client(accept_encoding: str | None) -> None:
    effect = sent(accept_encoding)

    assert effect.sent == ANSWER.body
    assert dict(effect.answer.headers) == {
        "Server": "Caddy",
        "Content-Type": "application/json",
        "Vary": "Accept-Encoding",
    }


def test_journal_gets_the_answer_as_the_client_reads_it() -> None:
    assert received(sent("gzip")).body == ANSWER.body


def test_nothing_is_not_compressed() -> None:
    effect = sent("gzip", Answer(204, (), b""))

    assert (effect.sent, effect.answer.headers) == (b"", (("Server", "Caddy"),))
