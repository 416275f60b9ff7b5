"""With a journal file: what is answered is in it, and what cannot be kept is refused."""

from __future__ import annotations

import errno
import io
import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import Sandbox, SandboxServer
from sandbox.faults import connection_reset, make_rule
from sandbox.journal.file import JournalFile
from sandbox.platform.tokens import TokenBook
from tests.conftest import Integration
from tests.journal.test_file import Disk

NO_SPACE = os.strerror(errno.ENOSPC)
REFUSAL = b'{\n    "message": "Server Error"\n}'


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "requests.ndjson"


@pytest.fixture
def integration(make_sandbox: Callable[..., Sandbox], path: Path, disk: Disk) -> Iterator[Integration]:
    """An integration whose journal file is on a disk that the test fills."""
    sandbox = make_sandbox(journal_file=str(path))
    assert sandbox.journal_file is not None
    sandbox.journal_file.close()
    sandbox.journal_file = JournalFile(str(path), disk.open)
    yield Integration(sandbox)
    sandbox.journal_file.close()


def kept(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def test_line_is_what_the_export_gives(integration: Integration, path: Path) -> None:
    integration.post(b'{"caf\xc3\xa9": 1}')
    integration.post(b"\xff\x00")
    integration.post(b"", token="none")
    integration.http.get("/nowhere")

    assert path.read_bytes() == integration.control("GET", "/requests/export").data
    assert kept(path) == [integration.control("GET", f"/requests/{seq}").json for seq in range(1, 7)]


def test_number_beyond_those_of_python_leaves_the_line_json(integration: Integration, path: Path) -> None:
    integration.post(b"[1e999]")

    assert [(line["body"], line["json"]) for line in kept(path) if line["kind"] == "inbound"] == [("[1e999]", None)]


def test_secrets_are_not_in_the_file(integration: Integration, path: Path) -> None:
    token = integration.token()
    integration.post(token=token)
    integration.request_token(client_id=integration.client_secret)

    text = path.read_text("ascii")
    assert integration.client_secret not in text
    assert token not in text


def test_entry_is_in_the_file_before_the_answer_leaves(integration: Integration, path: Path) -> None:
    token = integration.token()
    seen: list[int] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/v1/acme/anything",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "CONTENT_LENGTH": "1",
        "wsgi.input": io.BytesIO(b"x"),
        "SERVER_NAME": "test",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    integration.http.application(environ, lambda *_: seen.append(len(kept(path))))

    assert seen == [2]


@pytest.mark.parametrize(
    "send",
    [
        lambda integration, token: integration.post(token=token),
        lambda integration, token: integration.post(token="none"),
        lambda integration, token: integration.request_token(),
        lambda integration, token: integration.http.get("/nowhere"),
    ],
    ids=["payload", "refused payload", "token", "unknown route"],
)
def test_what_cannot_be_kept_is_refused(integration: Integration, path: Path, disk: Disk, send: Any) -> None:
    token = integration.token()
    before, disk.room = path.read_bytes(), 10
    response = send(integration, token)

    assert (response.status_code, response.data) == (503, REFUSAL)
    assert path.read_bytes() == before
    entry = integration.sandbox.journal.get("2")
    assert (entry.status, entry.outcome, entry.accepted) == (503, "rejected", False)
    assert entry.reason == f"journal_file: {NO_SPACE} ({path})"
    assert entry.response_body == REFUSAL


def test_refusal_comes_in_the_form_that_the_client_asks_for(
    make_integration: Callable[..., Integration], disk: Disk, path: Path
) -> None:
    integration = make_integration(accept="laravel", journal_file="/dev/full")
    page = integration.http.post("/v1/acme/anything")
    head = integration.http.head("/v1/acme/anything", headers={"Accept": "application/json"})
    integration.sandbox.journal_file.close()  # type: ignore[union-attr]

    assert (page.status_code, page.mimetype) == (503, "text/html")
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (503, b"", str(len(REFUSAL)))


def test_fault_does_not_act_on_what_cannot_be_kept(integration: Integration, disk: Disk) -> None:
    token = integration.token()
    integration.sandbox.platform.faults.add(make_rule(connection_reset(), accept=True))
    disk.room = 0
    response = integration.post(token=token)

    assert response.status_code == 503
    entry = integration.sandbox.journal.get("2")
    assert (entry.accepted, entry.fault, entry.effect) == (False, None, None)
    assert integration.sandbox.metrics.read().faults_acted == {}


def test_token_whose_request_cannot_be_kept_was_never_issued(
    integration: Integration, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration.token()
    before, issued = integration.sandbox.tokens, []
    issue = TokenBook.issue
    monkeypatch.setattr(TokenBook, "issue", lambda *a, **k: issued.append(issue(*a, **k)) or issued[-1])
    room, disk.room = disk.room, 0
    response = integration.request_token()
    disk.room = room

    assert response.status_code == 503
    assert integration.sandbox.tokens == before
    assert integration.sandbox.metrics.read().tokens_issued == 1
    assert integration.sandbox.journal.get("2").token is None
    assert integration.post(token=issued[0]).status_code == 401


def test_file_goes_on_by_itself_and_the_gap_in_its_numbers_tells_what_was_refused(
    integration: Integration, path: Path, disk: Disk
) -> None:
    token = integration.token()
    disk.room = 700
    refused = integration.post(b"x" * 1000, token=token).status_code
    disk.room = 10_000
    accepted = integration.post(b"again", token=token).status_code

    assert (refused, accepted) == (503, 200)
    assert [line["seq"] for line in kept(path)] == [1, 3]
    assert [entry.seq for entry in integration.sandbox.journal.snapshot()] == [1, 2, 3]


def test_readiness_tells_of_a_file_that_cannot_be_written_until_it_can(
    integration: Integration, path: Path, disk: Disk
) -> None:
    ready = integration.control("GET", "/health/ready").status_code
    disk.room = 0
    integration.http.get("/nowhere")
    failing = integration.control("GET", "/health/ready")
    alive = integration.control("GET", "/health").status_code
    page = integration.http.get("/_sandbox/")
    disk.room = 10_000

    assert (ready, failing.status_code, alive) == (200, 503, 200)
    assert failing.json["detail"] == (
        f"journal_file: {NO_SPACE} ({path}); until it can be written, requests are refused"
    )
    assert "The journal file cannot be written (No space left on device)" in page.text
    assert integration.control("GET", "/health/ready").status_code == 200
    assert "cannot be written" not in integration.http.get("/_sandbox/").text


def test_what_the_server_itself_refuses_is_in_the_file(integration: Integration, path: Path, disk: Disk) -> None:
    reason = "refused_by_server: Only HTTP/1.0 and HTTP/1.1 are spoken here."
    with SandboxServer(integration.sandbox) as server:
        for room in (disk.room, 0):
            disk.room = room
            with socket.create_connection(("127.0.0.1", server.port), 10) as client:
                client.sendall(b"GET /nowhere HTTP/2.0\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.1 505 ")

    assert [line["reason"] for line in kept(path)] == [reason]
    assert integration.sandbox.journal.get("2").reason == f"{reason}; journal_file: {NO_SPACE} ({path})"
