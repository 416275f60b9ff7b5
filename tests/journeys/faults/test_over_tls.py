"""The same failures over TLS: they act on the connection underneath it, or inside it, as real ones would."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator

import pytest

from sandbox import Sandbox, SandboxServer, faults
from sandbox.faults import Fault
from tests.journeys.faults.conftest import PATIENCE_S, Served, eventually

STORED = b'{"message":"Payload stored successfully."}'


class ServedByTls(Served):
    """A served sandbox, and a client that speaks TLS."""

    def __init__(self, server: SandboxServer) -> None:
        super().__init__(server)
        assert server.ca_pem is not None
        assert server.tls_base_url is not None
        self.context = ssl.create_default_context(cadata=server.ca_pem.decode("ascii"))
        self.tls_port = int(server.tls_base_url.rpartition(":")[2])

    def post(self, timeout: float = PATIENCE_S) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection("127.0.0.1", self.tls_port, timeout=timeout, context=self.context)
        with contextlib.closing(connection):
            connection.request("POST", "/v1/acme/anything", b'{"order": "1001"}', self.authorization)
            response = connection.getresponse()
            return response.status, response.read()

    def send_raw(self) -> ssl.SSLSocket:
        sock = socket.create_connection(("127.0.0.1", self.tls_port), PATIENCE_S)
        tls = self.context.wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False)
        head = f"POST /v1/acme/anything HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {self.token}\r\n"
        tls.sendall(f"{head}Content-Length: 17\r\n\r\n".encode() + b'{"order": "1001"}')
        return tls


@pytest.fixture
def served(make_sandbox: Callable[..., Sandbox]) -> Iterator[ServedByTls]:
    with SandboxServer(make_sandbox(tls=True), threads=4) as server:
        yield ServedByTls(server)
    assert not server.errors


def read_all(sock: ssl.SSLSocket) -> tuple[bytes, str]:
    """Return what came, and how it ended: with TLS's own farewell, without it, or by a reset."""
    received = b""
    try:
        while data := sock.recv(65_536):
            received += data
    except ssl.SSLEOFError:
        return received, "end without farewell"
    except ConnectionResetError:
        return received, "reset"
    return received, "farewell"


def test_reset_is_an_rst(served: ServedByTls) -> None:
    served.faults.add(faults.connection_reset())

    with served.send_raw() as sock, pytest.raises(ConnectionResetError):
        list(iter(lambda: socket.socket.recv(sock, 4096), b""))  # underneath TLS, whose libraries tell it variously


@pytest.mark.parametrize(
    ("fault", "expected", "end"),
    [
        (faults.empty_response(), b"", "end without farewell"),
        (faults.garbage_response("tea"), b"tea", "end without farewell"),
        (faults.hang(0.02), b"", "end without farewell"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_stream_breaks_off_without_an_answer(served: ServedByTls, fault: Fault, expected: bytes, end: str) -> None:
    served.faults.add(fault)

    with served.send_raw() as sock:
        assert read_all(sock) == (expected, end)


def test_truncated_body_announces_more_than_it_sends(served: ServedByTls) -> None:
    served.faults.add(faults.truncated_body(3))

    with served.send_raw() as sock:
        received, end = read_all(sock)

    head, _, body = received.partition(b"\r\n\r\n")
    assert b"Content-Length: 42" in head
    assert (body, end) == (STORED[:3], "end without farewell")


@pytest.mark.parametrize("fault", [faults.latency(0.05), faults.slow_body(0.05, 4)], ids=lambda fault: fault.kind)
def test_late_answer_is_whole(served: ServedByTls, fault: Fault) -> None:
    served.faults.add(fault)

    began = time.monotonic()
    assert served.post() == (200, STORED)
    assert time.monotonic() - began >= 0.05


def test_slow_body_comes_in_pieces(served: ServedByTls) -> None:
    served.faults.add(faults.slow_body(0.2, 4))

    with served.send_raw() as sock:
        pieces = [sock.recv(4096) for _ in range(3)]

    assert pieces[0].endswith(b"\r\n\r\n")
    assert STORED.startswith(b"".join(pieces[1:]))


def test_hang_lasts_until_the_client_gives_up(served: ServedByTls) -> None:
    served.faults.add(faults.hang())

    with pytest.raises(TimeoutError):
        served.post(timeout=0.2)


@pytest.mark.parametrize("fault", [faults.latency(600), faults.slow_body(600, 3), faults.hang()], ids=lambda f: f.kind)
def test_waiting_ends_with_the_rule(served: ServedByTls, fault: Fault) -> None:
    served.faults.add(fault)
    client = served.in_background(served.post)
    eventually(lambda: len(served.sandbox.journal) == 1)

    served.faults.clear()

    assert isinstance(client.get(), (http.client.HTTPException, OSError))


@pytest.mark.parametrize(
    "fault",
    [faults.connection_reset(), faults.empty_response(), faults.truncated_body(), faults.garbage_response()],
    ids=lambda fault: fault.kind,
)
def test_client_sees_a_failure_and_the_next_call_works(served: ServedByTls, fault: Fault) -> None:
    served.faults.add(fault, times=1)

    with pytest.raises((http.client.HTTPException, OSError)):
        served.post()

    assert served.post() == (200, STORED)


@pytest.mark.parametrize("fault", [faults.status(503), faults.malformed_json()], ids=lambda fault: fault.kind)
def test_answer_that_is_wrong_arrives_by_tls_too(served: ServedByTls, fault: Fault) -> None:
    served.faults.add(fault, times=1)

    assert served.post() != (200, STORED)
    assert served.post() == (200, STORED)
