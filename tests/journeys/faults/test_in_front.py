"""The layers in front of the platform on a real connection: framing, status lines, and bodies beyond the limit."""

from __future__ import annotations

import gzip
import socket

import pytest
import requests

from sandbox import faults
from tests.journeys.faults.conftest import PATIENCE_S, Served

STORED = b'{"message":"Payload stored successfully."}'
TOO_LARGE = b'{\n    "message": "The POST data is too large."\n}'


def exchange(served: Served, line: str, *fields: str, body: bytes = b"payload", more: bytes = b"") -> bytes:
    """Send a request as it is; return all that comes until the server ends, or answers ``more`` and ends."""
    head = "\r\n".join([line, "Host: test", f"Authorization: Bearer {served.token}", *fields, "", ""])
    with socket.create_connection(("127.0.0.1", served.server.port), PATIENCE_S) as sock:
        sock.sendall(head.encode() + body + more)
        sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sock.recv(65536), b""))


def test_answer_in_chunks_has_no_length_and_the_connection_lives_on(served: Served) -> None:
    served.faults.add(faults.relayed())
    second = b"POST /v1/acme/anything HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n"

    came = exchange(served, "POST /v1/acme/anything HTTP/1.1", "Content-Length: 7", more=second)

    head, _, rest = came.partition(b"\r\n\r\n")
    assert b"\r\nTransfer-Encoding: chunked" in head
    assert b"\r\nConnection: keep-alive" in head
    assert b"Content-Length" not in head
    assert rest.startswith(b"2a\r\n" + STORED + b"\r\n0\r\n\r\nHTTP/1.1 401 ")


@pytest.mark.parametrize("chunked", [True, False])
def test_answer_to_http_1_0_has_no_chunks(served: Served, chunked: bool) -> None:
    served.faults.add(faults.relayed(chunked=chunked))

    head, _, rest = exchange(served, "POST /v1/acme/anything HTTP/1.0", "Content-Length: 7").partition(b"\r\n\r\n")

    assert b"Transfer-Encoding" not in head
    assert (b"Content-Length" in head) is not chunked
    assert rest == STORED


def test_answer_to_head_is_neither_in_chunks_nor_has_a_body(served: Served) -> None:
    served.faults.add(faults.relayed(gzip=True))

    head, _, rest = exchange(
        served, "HEAD /nope HTTP/1.1", "Accept-Encoding: gzip", "Connection: close", body=b""
    ).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 404 ")
    assert b"Transfer-Encoding" not in head
    assert rest == b""


def test_compressed_answer_is_read_by_a_client_and_kept_plain(served: Served) -> None:
    served.faults.add(faults.relayed(chunked=False, gzip=True))

    raw = exchange(
        served, "POST /v1/acme/anything HTTP/1.1", "Accept-Encoding: gzip", "Content-Length: 7", "Connection: close"
    )
    read = requests.post(served.url, b"payload", headers=served.authorization, timeout=PATIENCE_S)

    head, _, rest = raw.partition(b"\r\n\r\n")
    assert b"\r\nContent-Encoding: gzip" in head
    assert f"\r\nContent-Length: {len(rest)}".encode() in head
    assert gzip.decompress(rest) == STORED
    assert read.content == STORED
    assert served.last.response_body == STORED


def test_compressed_token_is_in_no_entry(served: Served) -> None:
    served.faults.add(faults.relayed(gzip=True))

    access_token = served.new_token()

    assert access_token.encode() not in served.last.response_body
    assert b"access_token" in served.last.response_body


def test_page_has_the_status_line_and_the_order_of_headers_of_nginx(served: Served) -> None:
    served.faults.preset("nginx-504")

    came = exchange(served, "POST /v1/acme/anything HTTP/1.1", "Content-Length: 7", "Connection: close")

    head = came.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head[0] == "HTTP/1.1 504 Gateway Time-out"
    assert [line.partition(":")[0] for line in head[1:]] == [
        "Server",
        "Date",
        "Content-Type",
        "Content-Length",
        "Connection",
    ]


def test_page_that_ends_the_connection_ends_it(served: Served) -> None:
    served.faults.preset("nginx-413-html")

    came = exchange(served, "POST /v1/acme/anything HTTP/1.1", "Content-Length: 7", more=b"POST / HTTP/1.1\r\n\r\n")

    assert came.startswith(b"HTTP/1.1 413 Request Entity Too Large\r\nServer: nginx/1.22.1\r\nDate: ")
    assert came.count(b"Connection: close") == 1
    assert came.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("endpoint", ["any", "inbound"])
def test_layer_in_front_answers_for_a_body_beyond_the_limit_too(served: Served, endpoint: str) -> None:
    served.sandbox.change_settings({"body_limit": 5})
    served.faults.add(faults.status(413, "<html>"), endpoint=endpoint)

    status, body = served.post()

    assert (status, body) == (413, b"<html>" if endpoint == "any" else TOO_LARGE)
    assert served.last.outcome == ("faulted" if endpoint == "any" else "rejected")
    assert not served.last.accepted
