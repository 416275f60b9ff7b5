"""Every failure of the connection as a client on a real socket sees it, and that nobody else does."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests

from sandbox import Sandbox, SandboxServer, faults
from sandbox.faults import Fault
from sandbox.foundation.answer import Answer
from sandbox.web.http.limits import Limits
from tests.journeys.faults.conftest import PATIENCE_S, Served, eventually

DESCRIPTORS = Path("/proc/self/fd")
STORED = b'{"message":"Payload stored successfully."}'

FAILURES: list[tuple[Fault, type[Exception], type[Exception], type[Exception]]] = [
    (
        faults.connection_reset(),
        ConnectionResetError,
        requests.exceptions.ConnectionError,
        httpx.ReadError,
    ),
    (
        faults.empty_response(),
        http.client.RemoteDisconnected,
        requests.exceptions.ConnectionError,
        httpx.RemoteProtocolError,
    ),
    (
        faults.truncated_body(),
        http.client.IncompleteRead,
        requests.exceptions.ChunkedEncodingError,
        httpx.RemoteProtocolError,
    ),
    (
        faults.garbage_response(),
        http.client.BadStatusLine,
        requests.exceptions.ConnectionError,
        httpx.RemoteProtocolError,
    ),
]
_IDS = [fault.kind for fault, *_ in FAILURES]


@pytest.mark.parametrize(("fault", "error"), [(f[0], f[1]) for f in FAILURES], ids=_IDS)
def test_http_client_sees_the_classic_exception(served: Served, fault: Fault, error: type[Exception]) -> None:
    served.faults.add(fault, times=1)

    with pytest.raises(error) as caught:
        served.post()

    assert type(caught.value) is error
    assert served.post() == (200, STORED)


@pytest.mark.parametrize(("fault", "error"), [(f[0], f[2]) for f in FAILURES], ids=_IDS)
def test_requests_sees_a_connection_error(served: Served, fault: Fault, error: type[Exception]) -> None:
    served.faults.add(fault, times=1)

    with requests.Session() as session:
        with pytest.raises(error):
            session.post(served.url, b"payload", headers=served.authorization, timeout=PATIENCE_S)

        assert session.post(served.url, b"p", headers=served.authorization, timeout=PATIENCE_S).status_code == 200


@pytest.mark.parametrize(("fault", "error"), [(f[0], f[3]) for f in FAILURES], ids=_IDS)
def test_httpx_sees_a_transport_error(served: Served, fault: Fault, error: type[Exception]) -> None:
    served.faults.add(fault, times=1)

    with httpx.Client(timeout=PATIENCE_S) as client:
        with pytest.raises(error):
            client.post(served.url, content=b"payload", headers=served.authorization)

        assert client.post(served.url, content=b"p", headers=served.authorization).status_code == 200


def test_reset_is_an_rst(served: Served) -> None:
    served.faults.add(faults.connection_reset())

    with served.send_raw() as sock, pytest.raises(ConnectionResetError):
        sock.recv(1)


def test_empty_response_is_a_fin_without_a_byte(served: Served) -> None:
    served.faults.add(faults.empty_response())

    with served.send_raw() as sock:
        assert sock.recv(1) == b""


def test_garbage_arrives_as_it_is_and_then_a_fin(served: Served) -> None:
    served.faults.add(faults.garbage_response("tea"))

    with served.send_raw() as sock, sock.makefile("rb") as stream:
        assert stream.read() == b"tea"


def test_truncated_body_announces_more_than_it_sends(served: Served) -> None:
    served.faults.add(faults.truncated_body(3))

    with served.send_raw() as sock, sock.makefile("rb") as stream:
        head, _, body = stream.read().partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: 42" in head
    assert body == STORED[:3]


def test_late_answer_is_whole_and_closes_the_connection(served: Served) -> None:
    served.faults.add(faults.latency(0.05))

    began = time.monotonic()
    with served.send_raw() as sock, sock.makefile("rb") as stream:
        head, _, body = stream.read().partition(b"\r\n\r\n")

    assert time.monotonic() - began >= 0.05
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close" in head
    assert body == STORED
    assert (served.last.accepted, served.last.effect) == (True, "latency: answered 200, 0.050 s late")


def test_slow_body_comes_in_pieces_after_its_head(served: Served) -> None:
    served.faults.add(faults.slow_body(0.2, 4))

    with served.send_raw() as sock:
        pieces = list(iter(lambda: sock.recv(4096), b""))

    assert pieces[0].endswith(b"\r\n\r\n")
    assert len(pieces) > 2
    assert b"".join(pieces).partition(b"\r\n\r\n")[2] == STORED


def test_hang_lasts_until_the_client_gives_up(served: Served) -> None:
    served.faults.add(faults.hang())

    with pytest.raises(TimeoutError):
        served.post(timeout=0.05)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(served.url, b"p", headers=served.authorization, timeout=0.05)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(served.url, content=b"p", headers=served.authorization, timeout=0.05)


def test_hang_with_an_end_is_closed_without_a_byte(served: Served) -> None:
    served.faults.add(faults.hang(0.05))

    with pytest.raises(http.client.RemoteDisconnected):
        served.post()


# Each waits far longer than `Outcome.get` does, which fails then.
WAITING = [faults.latency(600), faults.slow_body(600, 3), faults.hang()]


@pytest.mark.parametrize("fault", WAITING, ids=[fault.kind for fault in WAITING])
def test_entry_shows_when_the_client_hung_up(served: Served, fault: Fault) -> None:
    served.faults.add(fault)
    client = served.send_raw()
    eventually(lambda: len(served.sandbox.journal) == 1)
    client.close()

    eventually(lambda: served.last.closed_after_ms)
    assert served.last.answered_ms == served.last.closed_after_ms >= served.last.duration_ms


@pytest.mark.parametrize("how", ["rule removed", "hang over"])
def test_connection_that_the_sandbox_ends_is_no_hang_up(served: Served, how: str) -> None:
    rule = served.faults.add(faults.hang(0.01 if how == "hang over" else 600))
    client = served.in_background(served.post)
    eventually(lambda: len(served.sandbox.journal) == 1)
    if how == "rule removed":
        served.faults.remove(rule)

    assert isinstance(client.get(), http.client.RemoteDisconnected)
    assert served.last.closed_after_ms is None


@pytest.mark.parametrize("fault", WAITING, ids=[fault.kind for fault in WAITING])
@pytest.mark.parametrize("how", ["rule removed", "rules cleared", "sandbox reset", "server stopped"])
def test_waiting_ends_at_once(sandbox: Sandbox, fault: Fault, how: str) -> None:
    with SandboxServer(sandbox, threads=2) as server:
        served = Served(server)
        rule = served.faults.add(fault)
        clients = [served.in_background(served.post) for _ in range(6)]
        eventually(lambda: len(sandbox.journal) == 6)
        endings: dict[str, Callable[[], object]] = {
            "rule removed": lambda: served.faults.remove(rule),
            "rules cleared": served.faults.clear,
            "sandbox reset": sandbox.reset,
            "server stopped": server.stop,
        }

        endings[how]()
        outcomes = [client.get() for client in clients]

        assert {type(outcome) for outcome in outcomes} <= {http.client.RemoteDisconnected, http.client.IncompleteRead}


def test_reset_leaves_nothing_of_the_waiting_in_the_new_journal(served: Served) -> None:
    served.faults.add(faults.latency(600))
    client = served.in_background(served.post)
    eventually(lambda: len(served.sandbox.journal) == 1)

    served.sandbox.reset()

    assert isinstance(client.get(), http.client.RemoteDisconnected)
    assert len(served.sandbox.journal) == 0
    assert not served.sandbox.platform.faults.armed


def test_waiting_answers_occupy_no_worker(served: Served) -> None:
    served.faults.add(faults.hang(), times=40)
    waiting = [served.send_raw() for _ in range(40)]  # ten times as many as there are workers
    eventually(lambda: len(served.sandbox.journal) == 40)

    assert served.post() == (200, STORED)

    for sock in waiting:
        sock.close()


def test_server_that_was_stopped_delays_again_after_a_new_start(sandbox: Sandbox) -> None:
    server = SandboxServer(sandbox)
    for _ in range(2):
        with server:
            served = Served(server)
            served.faults.add(faults.latency(0.01), times=1)

            assert served.post() == (200, STORED)


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="this system does not list a process's descriptors")
@pytest.mark.parametrize(
    "fault",
    [
        faults.connection_reset(),
        faults.empty_response(),
        faults.garbage_response(),
        faults.truncated_body(),
        faults.latency(0),
        faults.slow_body(0),
        faults.hang(0),
        faults.hang(),
    ],
    ids=lambda fault: "hang for ever" if fault == faults.hang() else fault.kind,
)
def test_a_thousand_of_each_leak_no_descriptor_and_no_thread(served: Served, fault: Fault) -> None:
    served.faults.add(faults.latency(0), times=1)
    served.post()
    eventually(lambda: not _close_wait(served))
    threads, descriptors = threading.active_count(), open_descriptors()
    served.faults.add(fault)

    for _ in range(1_000):
        with served.send_raw() as sock:
            if fault != faults.hang():
                _read_to_the_end(sock)

    eventually(lambda: open_descriptors() <= descriptors)
    assert threading.active_count() == threads
    assert len(served.sandbox.journal) == 1_001


def open_descriptors() -> int:
    return len(list(DESCRIPTORS.iterdir()))


def _read_to_the_end(sock: socket.socket) -> None:
    try:
        while sock.recv(65_536):
            pass
    except ConnectionResetError:
        pass


def _close_wait(served: Served) -> list[str]:
    """Connections of the server that the client has closed and the server has not."""
    port = f":{served.server.port:04X}"
    with Path("/proc/net/tcp").open(encoding="ascii") as table:
        return [line for line in table if line.split()[1].endswith(port) and line.split()[3] == "08"]


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="this system does not list a process's descriptors")
def test_client_that_resets_while_it_waits_is_forgotten(served: Served) -> None:
    served.faults.add(faults.hang())
    before = open_descriptors()
    sock = served.send_raw()
    eventually(lambda: len(served.sandbox.journal) == 1)

    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()

    eventually(lambda: open_descriptors() <= before)


@pytest.mark.parametrize("fault", [faults.latency(0.001), faults.slow_body(0.01, 50)], ids=lambda fault: fault.kind)
def test_large_late_answer_reaches_a_client_that_reads_slowly(served: Served, fault: Fault) -> None:
    body = b"x" * 12_000_000  # more than the system takes at once
    served.sandbox.platform.stored = Answer(200, (), body)
    served.faults.add(fault)

    with served.send_raw() as sock, sock.makefile("rb") as stream:
        assert stream.read().partition(b"\r\n\r\n")[2] == body


def test_client_that_does_not_end_its_side_is_let_go(sandbox: Sandbox) -> None:
    with SandboxServer(sandbox, limits=Limits(farewell_s=0.01)) as server:
        served = Served(server)
        served.faults.add(faults.latency(0))
        with served.send_raw() as sock:
            eventually(lambda: server.connections == 1)
            eventually(lambda: server.connections == 0)
            assert sock.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_late_answer_of_which_the_client_takes_nothing_is_given_up(sandbox: Sandbox) -> None:
    sandbox.platform.stored = Answer(200, (), b"x" * 20_000_000)
    with SandboxServer(sandbox, limits=Limits(body_timeout_s=0.05)) as server:
        served = Served(server)
        served.faults.add(faults.latency(0.001))
        with served.send_raw():
            eventually(lambda: len(sandbox.journal) == 1)
            eventually(lambda: server.connections == 0)


def test_what_a_client_says_while_it_waits_is_of_no_interest(served: Served) -> None:
    served.faults.add(faults.latency(0.05))

    with served.send_raw() as sock, sock.makefile("rb") as stream:
        sock.sendall(b"x" * 100_000)
        assert stream.read().endswith(STORED)
    assert len(served.sandbox.journal) == 1


def test_rule_that_goes_while_its_request_is_served_ends_the_waiting(served: Served) -> None:
    """The rule is removed after it was chosen and before the connection is held."""
    rule = served.faults.add(faults.hang())
    close = served.sandbox.journal.close

    def close_and_remove(*arguments: Any, **options: Any) -> Any:
        served.faults.remove(rule)
        return close(*arguments, **options)

    served.sandbox.journal.close = close_and_remove  # type: ignore[method-assign]
    with served.send_raw() as sock:
        assert sock.recv(1) == b""
