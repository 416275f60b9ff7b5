"""Clients that send nonsense, too much, or only half: each gets a clear answer, and what was a request is kept."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from tests.journeys.conftest import PATIENCE_S, Served

MIB = 1024 * 1024


@pytest.fixture
def connect(served: Served) -> Iterator[Callable[[], socket.socket]]:
    """Open raw connections; afterwards the sandbox serves as before."""
    opened: list[socket.socket] = []

    def open_one() -> socket.socket:
        opened.append(socket.create_connection(("127.0.0.1", served.port), PATIENCE_S))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()
    assert served.post(served.token()).status_code == 200


def head(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: sandbox", *fields, "", ""]).encode("latin-1")


def answer(connection: socket.socket) -> bytes:
    """Return all that is answered until the server closes, or nothing more comes after a whole answer."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def test_body_that_stops_halfway_is_kept_as_far_as_it_came(
    served: Served, connect: Callable[[], socket.socket]
) -> None:
    token = served.token()
    connection = connect()
    connection.sendall(
        head("/v1/acme/anything", f"Authorization: Bearer {token}", "Content-Length: 100") + b"only this"
    )
    connection.shutdown(socket.SHUT_WR)

    answered = answer(connection)

    assert answered.startswith(b"HTTP/1.1 400 ")
    entry = served.entry(kind="inbound")
    assert (entry.status, entry.outcome, entry.body) == (400, "rejected", b"only this")
    assert entry.reason == "incomplete_body: The client went away after 9 of 100 bytes of the request body."


def test_client_that_disconnects_within_the_body_is_in_the_journal(
    served: Served, connect: Callable[[], socket.socket]
) -> None:
    connection = connect()
    connection.sendall(head("/v1/acme/anything", "Content-Length: 100") + b"only this")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # a reset, not a goodbye
    connection.close()

    entry = served.entry(kind="inbound")
    assert (entry.status, entry.outcome) == (400, "rejected")
    assert (entry.reason or "").startswith("incomplete_body: ")


def test_connection_that_ends_within_the_head_was_no_request(
    served: Served, connect: Callable[[], socket.socket]
) -> None:
    connection = connect()
    connection.sendall(b"POST /v1/acme/anything HTTP/1.1\r\nHost: sand")
    connection.shutdown(socket.SHUT_WR)

    answered = answer(connection)

    assert answered == b"" or answered.startswith(b"HTTP/1.1 400 ")
    assert not served.entries(outcome="accepted")


def test_body_of_nine_mebibytes_is_refused_and_noted(served: Served) -> None:
    token = served.token()

    response = served.post(token, b"x" * (9 * MIB))

    assert response.status_code == 413
    assert response.json() == {"message": "The POST data is too large."}
    entry = served.entry(kind="inbound")
    assert (entry.status, entry.body_size, entry.body) == (413, 9 * MIB, b"")
    assert entry.reason == f"payload_too_large: {9 * MIB} bytes, the limit is {8 * MIB}"


def test_body_of_just_eight_mebibytes_is_accepted_byte_for_byte(served: Served) -> None:
    body = bytes(range(256)) * (8 * MIB // 256)

    assert served.post(served.token(), body).status_code == 200
    assert served.http.get(f"{served.endpoints.control_url}/requests/2/body").content == body


def test_chunked_body_beyond_the_limit_is_refused_and_noted(served: Served) -> None:
    token = served.token()

    response = served.http.post(
        served.inbound_url,
        content=(b"x" * MIB for _ in range(9)),
        headers={"Authorization": f"Bearer {token}"},
    )

    assert response.status_code == 413
    assert served.entry(kind="inbound").status == 413


def test_header_of_a_megabyte_is_refused_and_noted(served: Served, connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    try:
        connection.sendall(head("/v1/acme/orders", "X-Large: " + "x" * 1_000_000))
        answered = answer(connection)
    except ConnectionError:  # it was refused before all of it was sent
        answered = b"HTTP/1.1 431 "

    assert answered.startswith(b"HTTP/1.1 431 ")
    entry = served.entry(status=431)
    assert (entry.kind, entry.path, entry.outcome) == ("inbound", "/v1/acme/orders", "rejected")
    assert (entry.reason or "").startswith("refused_by_server: ")


def test_control_request_that_the_server_refuses_is_not_in_the_journal(
    served: Served, connect: Callable[[], socket.socket]
) -> None:
    connection = connect()
    try:
        connection.sendall(head("/_sandbox/reset", "X-Large: " + "x" * 1_000_000))
        answer(connection)
    except ConnectionError:
        pass

    assert list(served.sandbox.journal.snapshot()) == []


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 50 + b"\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n", b"hello\r\n\r\n",
     b"GET / HTTP/9.9\r\n\r\n", b"POST /oauth/token HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
     b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnothex\r\n",
     b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"],
    ids=["TLS", "zeros", "words", "HTTP/9.9", "negative length", "bad chunk", "two lengths"],
)  # fmt: skip
def test_garbage_is_refused_and_the_next_client_is_served(
    served: Served, connect: Callable[[], socket.socket], sent: bytes
) -> None:
    connection = connect()
    connection.sendall(sent)
    connection.shutdown(socket.SHUT_WR)

    assert answer(connection)[:10] in (b"HTTP/1.1 4", b"HTTP/1.1 5")
    entry = next(iter(served.sandbox.journal.snapshot()))
    assert 400 <= entry.status < 600
    assert (entry.status, entry.outcome) != (500, "accepted")


def test_chunked_body_reaches_the_control_api_too(served: Served) -> None:
    url = f"{served.endpoints.control_url}/companies"

    created = served.http.post(
        url, content=iter([b'{"name":', b' "Beta"}']), headers={"Content-Type": "application/json"}
    )
    refused = served.http.post(url, content=iter([b"name=Beta"]))
    nothing_taken = served.http.post(f"{served.endpoints.control_url}/reset", content=iter([b'{"a": 1}']))

    assert (created.status_code, created.json()["slug"]) == (201, "beta")
    assert refused.status_code == 415
    assert nothing_taken.status_code == 422
    assert len(served.control("GET", "/companies")) == 2
