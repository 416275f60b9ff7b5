"""The table of requests as bytes, sent to a served sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sandbox import Sandbox, SandboxServer, faults
from sandbox.platform.keys import SigningKey
from tests.server.conftest import Client
from tests.server.http_cases import CLOSE, EITHER, KEEP, Case, cases, get, post

CASES = cases()
SENTINEL = get(b"/sentinel")


@pytest.fixture(scope="module")
def words() -> Iterator[Callable[[bytes], bytes]]:
    """Serve a sandbox; yield a function that puts its token and names into bytes, and knows its port."""
    with SandboxServer(Sandbox(signing_key=SigningKey.generate())) as server:
        handle = server.patchworks
        form = {
            "grant_type": "client_credentials",
            "client_id": handle.client_id,
            "client_secret": handle.client_secret,
        }
        token = requests.post(handle.token_url, form, timeout=10).json()["access_token"]
        texts = {b"{bearer}": token.encode(), b"{client_id}": handle.client_id.encode()}

        def spell_out(data: bytes) -> bytes:
            for word, text in texts.items():
                data = data.replace(word, text)
            return data

        spell_out.port = server.port  # type: ignore[attr-defined]
        yield spell_out
        assert server.errors == []


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(words: Any, connect: Callable[..., Client], case: Case) -> None:
    client = connect(words.port)
    came: list[int] = []
    texts = b""

    def read(method: str = "GET") -> None:
        nonlocal texts
        answer = client.answer(method)
        came.append(answer.status)
        texts += repr(answer).encode()

    for number, piece in enumerate(case.sent):
        if number:
            read()
        client.send(words(piece))
    ends_side = case.ends_side or case.end == EITHER
    if ends_side:
        client.sock.shutdown(1)
    while len(came) < len(case.statuses):
        read("HEAD" if len(came) in case.heads else "GET")
    if case.end == KEEP:
        client.send(SENTINEL)
        assert client.answer("GET").status == 404
    else:
        assert client.rest() == b""

    assert all(status in allowed for status, allowed in zip(came, case.statuses, strict=True)), came
    assert not case.absent or words(case.absent) not in texts
    assert case.end in (KEEP, CLOSE, EITHER)


def test_request_may_come_byte_by_byte(words: Any, connect: Callable[..., Client]) -> None:
    client = connect(words.port)
    for byte in words(post()):
        client.send(bytes([byte]))

    assert client.answer().status == 200


def test_head_may_be_cut_anywhere(words: Any, connect: Callable[..., Client]) -> None:
    request = words(post())
    beside = connect(words.port)
    for at in range(1, request.index(b"\r\n\r\n") + 2):
        client = connect(words.port)
        for part in (request[:at], request[at : at + 1]):
            client.send(part)
            beside.get()
            assert beside.answer().status == 404  # so the loop has seen the part by itself
        client.send(request[at + 1 :])

        assert client.answer().status == 200, request[:at]


@pytest.mark.parametrize("status", [204, 304])
def test_answer_without_content_has_no_content_length(
    sandbox: Sandbox, connect: Callable[..., Client], status: int
) -> None:
    with SandboxServer(sandbox) as server:
        server.patchworks.faults.add(faults.status(status), endpoint="any")
        client = connect(server.port)
        for _ in range(2):
            client.get()
            answer = client.answer()
            assert (answer.status, answer.all("Content-Length")) == (status, [])


@pytest.mark.parametrize("name", ["Date", "date"])
def test_date_of_a_fault_takes_the_place_of_the_date(
    sandbox: Sandbox, connect: Callable[..., Client], name: str
) -> None:
    given = "Mon, 23 Nov 2026 18:00:00 GMT"
    with SandboxServer(sandbox) as server:
        server.patchworks.faults.add(faults.status(503, headers={name: given}), endpoint="any")
        client = connect(server.port)
        client.get()

        assert client.answer().all("Date") == [given]


def test_204_of_the_control_api_has_no_content_length(sandbox: Sandbox, connect: Callable[..., Client]) -> None:
    with SandboxServer(sandbox) as server:
        client = connect(server.port)
        client.send(b"POST /_sandbox/keys/rotate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        answer = client.answer()

    assert (answer.status, answer.all("Content-Length")) == (204, [])
