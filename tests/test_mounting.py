"""The sandbox without sockets: mounted into a session of requests, or behind httpx's own WSGI transport."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests

from sandbox import Sandbox
from sandbox.client import Patchworks
from sandbox.endpoints import Endpoints
from sandbox.faults import Fault, connection_reset, empty_response, garbage_response, hang, status, truncated_body
from sandbox.in_process import InProcess


@pytest.fixture
def patchworks(sandbox: Sandbox) -> Patchworks:
    """A handle without a server."""
    return Patchworks(InProcess(Endpoints(sandbox, "http://sandbox")))


@pytest.fixture
def session(patchworks: Patchworks) -> requests.Session:
    session = requests.Session()
    patchworks.mount(session)
    return session


def bearer(patchworks: Patchworks, http: Any) -> dict[str, str]:
    form = {
        "grant_type": "client_credentials",
        "client_id": patchworks.client_id,
        "client_secret": patchworks.client_secret,
    }
    return {"Authorization": f"Bearer {http.post(patchworks.token_url, data=form).json()['access_token']}"}


def test_session_calls_the_sandbox(patchworks: Patchworks, session: requests.Session) -> None:
    headers = bearer(patchworks, session)
    answer = session.post(f"{patchworks.inbound('anything').url}?a=%20b", json={"größe": 1}, headers=headers)

    assert (answer.status_code, answer.reason) == (200, "OK")
    assert answer.json() == {"message": "Payload stored successfully."}
    assert answer.headers["content-type"] == "application/json"
    (entry,) = patchworks.inbound("anything")
    assert (entry.json, entry.query) == ({"größe": 1}, "a=%20b")
    assert dict(entry.headers)["Authorization"].startswith("Bearer sha256:")
    assert next(iter(entry.headers)) == ("Host", "sandbox")


@pytest.mark.parametrize(
    ("make_body", "sent"),
    [
        (lambda: b"x", b"x"),
        (lambda: "größe", "größe".encode()),
        (lambda: io.BytesIO(b"file"), b"file"),
        (lambda: iter([b"a", b"b"]), b"ab"),
        (lambda: None, b""),
    ],
    ids=["bytes", "text", "file", "parts", "none"],
)
def test_body_may_be_anything_that_requests_takes(
    make_body: Callable[[], Any], sent: bytes, patchworks: Patchworks, session: requests.Session
) -> None:
    headers = bearer(patchworks, session)
    session.post(patchworks.inbound("anything").url, data=make_body(), headers=headers)

    assert patchworks.inbound("anything")[0].body == sent


def test_answer_can_be_streamed(patchworks: Patchworks, session: requests.Session) -> None:
    with session.get(f"{patchworks.control_url}/requests", stream=True, headers={"Host": "localhost"}) as answer:
        assert b"".join(answer.iter_content(7)).startswith(b"{")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (connection_reset(), requests.ConnectionError),
        (empty_response(), requests.ConnectionError),
        (garbage_response(), requests.ConnectionError),
        (truncated_body(), requests.exceptions.ChunkedEncodingError),
        (hang(), requests.ReadTimeout),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_fault_raises_what_it_raises_on_a_socket(
    fault: Fault, error: type[Exception], patchworks: Patchworks, session: requests.Session
) -> None:
    headers = bearer(patchworks, session)
    patchworks.faults.add(fault)

    with pytest.raises(error):
        session.post(patchworks.inbound("anything").url, json={}, headers=headers)


def test_fault_that_answers_answers(patchworks: Patchworks, session: requests.Session) -> None:
    headers = bearer(patchworks, session)
    patchworks.faults.add(status(503, headers={"Retry-After": "7"}))
    answer = session.post(patchworks.inbound("anything").url, json={}, headers=headers)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


def test_other_hosts_are_reached_as_ever(session: requests.Session) -> None:
    with pytest.raises(requests.ConnectionError):
        session.get("http://127.0.0.1:9/")


def test_transport_of_httpx_works_with_the_application(patchworks: Patchworks) -> None:
    with httpx.Client(transport=httpx.WSGITransport(patchworks.wsgi)) as client:
        answer = client.post(patchworks.inbound("anything").url, json=1, headers=bearer(patchworks, client))

    assert answer.status_code == 200
    assert patchworks.inbound("anything").payloads == [1]
