"""Whatever bytes come, the server answers well-formed HTTP or closes in time, and serves the next client as ever.

Good requests are mutated (bytes changed, taken out, repeated; header fields moved; bodies shorter and longer than they
say; chunks of all kinds), strung together and sent in pieces over a raw socket. Half of them go to the emulated API,
which the loop serves, half to the control API, which threads do.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Sandbox, SandboxServer
from sandbox.platform.keys import SigningKey
from sandbox.web.http.limits import Limits
from tests.server.conftest import PATIENCE_S, eventually, open_connections
from tests.slow.fuzz.effort import share

LIMITS = Limits(head_timeout_s=0.5, body_timeout_s=0.5, keep_alive_s=0.5, header_bytes=2_048, target_bytes=512)
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [^\r\n]*\r\n")
TARGETS = ["/v1/acme/anything", "/oauth/token", "/v1/acme/orders?a=b", "/_sandbox/companies", "/_sandbox/verify", "/"]

HEADERS = [
    b"Host: localhost",
    b"Authorization: Bearer x.y.z",
    b"Authorization: Basic eDp5",
    b"Content-Type: application/json",
    b"Content-Type: application/x-www-form-urlencoded",
    b"Content-Type: multipart/form-data; boundary=b",
    b"Content-Encoding: gzip",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Expect: 100-continue",
    b"Accept: text/html",
    b"X-Large: " + b"x" * 1_500,
]
BODIES = [
    b'{"name": "Beta"}',
    b"grant_type=client_credentials&client_id=x&client_secret=y",
    b'--b\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nx\r\n--b--\r\n',
    b"5\r\nhello\r\n0\r\n\r\n",
    b"5;e=1\r\nhello\r\n1\r\nx\r\n0\r\nT: 1\r\n\r\n",
    b"-1\r\n\r\n",
    b"ffffffffffffffff\r\nx",
    b"",
]
GOOD = [
    b"POST /v1/acme/anything HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
    b"GET /_sandbox/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
]

ON_DEMAND = {f"{pool}-{number}" for pool in ("control", "emulated") for number in range(1, 5)}
"""The threads of the server, which start when there is work for them."""


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Return a request that is good or nearly so."""
    method = draw(st.sampled_from([b"POST", b"GET", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS"]))
    body = draw(st.one_of(st.sampled_from(BODIES), st.binary(max_size=100)))
    length = len(body) + draw(st.sampled_from([0, 0, 0, 0, -1, 1, 70_000]))
    framing = draw(
        st.sampled_from([[b"Content-Length: %d" % length]] * 3 + [[b"Transfer-Encoding: chunked"], [], None])
    )
    if framing is None:
        framing = [b"Content-Length: %d" % length, b"Transfer-Encoding: chunked"]
    lines = draw(st.permutations([*draw(st.lists(st.sampled_from(HEADERS), max_size=5)), b"Host: localhost", *framing]))
    target = draw(st.sampled_from(TARGETS)).encode()
    return b"\r\n".join([b"%s %s HTTP/1.1" % (method, target), *lines, b"", body])


@st.composite
def conversations(draw: st.DrawFn) -> list[bytes]:
    """Return what a client sends, in the pieces in which it does."""
    sent = b"".join(draw(st.lists(requests(), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(sent)))
        size = draw(st.integers(1, 12))
        match draw(st.sampled_from(["insert", "delete", "repeat", "cut"])):
            case "insert":
                odd = draw(st.sampled_from([b"\r", b"\n", b"\0", b" ", b":", b"\r\n", b"\r\n ", b"\xff", b"%"]))
                sent = sent[:at] + odd + sent[at:]
            case "delete":
                sent = sent[:at] + sent[at + size :]
            case "repeat":
                sent = sent[: at + size] + sent[at:]
            case _:
                sent = sent[: max(at, 1)]
    splits = sorted(draw(st.lists(st.integers(0, len(sent)), max_size=3)))
    return [sent[start:end] for start, end in zip([0, *splits], [*splits, len(sent)], strict=True)]


def converse(port: int, pieces: list[bytes], *, stays: bool = False) -> bytes:
    """Send the pieces, and the end of the stream unless it ``stays``; return all that is answered.

    Fails unless the server closes in time.
    """
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        answered = b""
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                connection.sendall(piece)
            if not stays:
                connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65_536):
                answered += chunk
        except ConnectionError:  # it was refused before all of it was sent
            pass
        return answered


def statuses(answered: bytes) -> Iterator[int]:
    """Take answers off one by one; fail where what comes is none."""
    while answered:
        line = STATUS_LINE.match(answered)
        assert line, answered[:200]
        status = int(line[1])
        yield status
        head, end, rest = answered.partition(b"\r\n\r\n")
        assert end, answered[:200]
        fields = dict(field.lower().split(b": ", 1) for field in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        assert b"transfer-encoding" not in fields
        # An answer to HEAD tells the length of a body that it does not have.
        answered = rest if STATUS_LINE.match(rest) or status < 200 else rest[length:]


@pytest.fixture(scope="module")
def server(signing_key: SigningKey) -> Iterator[SandboxServer]:
    """A server for all examples: what one of them leaves behind would show in the next."""
    threads = set(threading.enumerate())
    with SandboxServer(Sandbox(signing_key=signing_key), threads=4, limits=LIMITS) as running:
        yield running
    assert set(threading.enumerate()) <= threads


@given(pieces=conversations(), stays=st.sampled_from([False] * 9 + [True]))
@share(6)
def test_whatever_bytes_come_they_are_answered_and_leave_nothing_behind(
    server: SandboxServer, pieces: list[bytes], stays: bool
) -> None:
    threads = set(threading.enumerate())

    answered = list(statuses(converse(server.port, pieces, stays=stays)))

    assert not {status for status in answered if status >= 500} - {501, 505}
    assert not server.errors
    eventually(lambda: open_connections(server) == 0)
    assert {thread.name for thread in set(threading.enumerate()) - threads} <= ON_DEMAND
    assert not [entry for entry in server.sandbox.journal.snapshot() if entry.status == 500]
    server.sandbox.reset()
    assert [list(statuses(converse(server.port, [good]))) for good in GOOD] == [[401], [200]]
