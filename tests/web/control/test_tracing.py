"""Request ids of the control API: in every answer, the client's own where it can be used."""

from __future__ import annotations

import re
import socket

import pytest

from sandbox import Sandbox, SandboxServer
from tests.conftest import Integration

HEADER = "X-Request-Id"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/", 200),
        ("GET", "/nowhere", 404),
        ("PUT", "/health", 405),
        ("GET", "/health?x=1", 422),
        ("GET", "/static/style.css", 200),
    ],
)
def test_every_answer_has_an_id(integration: Integration, method: str, path: str, status: int) -> None:
    response = integration.http.open(f"/_sandbox{path}", method=method, buffered=True)

    assert response.status_code == status
    assert re.fullmatch(r"[0-9a-f]{16}", response.headers[HEADER])


def test_request_of_a_foreign_page_has_an_id_too(integration: Integration) -> None:
    response = integration.http.get("/_sandbox/clock", headers={"Host": "evil.test", HEADER: "a"})

    assert (response.status_code, response.headers[HEADER]) == (403, "a")


@pytest.mark.parametrize("given", ["nightly-42", "00-4bf92f-01", "a:b/c+d=e@f.g_h", "x" * 128])
def test_id_of_the_client_is_kept(integration: Integration, given: str) -> None:
    response = integration.http.get("/_sandbox/clock", headers={HEADER: given})

    assert response.headers[HEADER] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "ä", "a;b", "\x1b[31m", "<b>"])
def test_id_that_is_not_well_formed_is_replaced(integration: Integration, given: str) -> None:
    response = integration.http.get("/_sandbox/clock", headers={HEADER: given})

    assert re.fullmatch(r"[0-9a-f]{16}", response.headers[HEADER])


def test_stream_has_an_id(sandbox: Sandbox) -> None:
    with SandboxServer(sandbox) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /_sandbox/requests/stream HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: s-1\r\n\r\n")
        head = client.recv(1000)

    assert b"\r\nX-Request-Id: s-1\r\n" in head


def test_emulated_api_sends_none(integration: Integration) -> None:
    responses = [integration.request_token(), integration.post(**{HEADER: "a"}), integration.http.get("/nowhere")]

    assert not [response for response in responses if HEADER in response.headers]
