"""Work that may take long is not done in the loop: the control API and other requests are answered meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import Sandbox, SandboxServer, faults
from sandbox.faults.matching import Faultable
from sandbox.journal.file import JournalFile
from sandbox.journal.journal import Journal
from sandbox.platform.keys import KeyRing, SigningKey
from sandbox.platform.store import Store
from tests.server.conftest import PATIENCE_S

KEY = SigningKey.generate()


class Blocked:
    """A function that waits until ``go_on`` before it is called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.inside = threading.Event()
        self.go_on = threading.Event()
        self._function = function

    def as_method(self) -> Callable[..., Any]:
        def blocked(*arguments: Any, **options: Any) -> Any:
            self.inside.set()
            assert self.go_on.wait(PATIENCE_S)
            return self._function(*arguments, **options)

        return blocked


def token_of(server: SandboxServer, **changes: str) -> requests.Response:
    handle = server.patchworks
    form = {"client_id": handle.client_id, "client_secret": handle.client_secret, **changes}
    return requests.post(handle.token_url, {"grant_type": "client_credentials", **form}, timeout=PATIENCE_S)


def payload_to(server: SandboxServer, token: str, body: bytes = b'{"a": 1}') -> requests.Response:
    url = server.patchworks.inbound("anything").url
    return requests.post(url, body, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S)


def test_loop_answers_while_long_work_is_done(
    make_sandbox: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, case: tuple[Any, ...]
) -> None:
    settings, owner, name, prepare, act = case
    sandbox = make_sandbox(**{key: str(tmp_path / value) for key, value in settings.items()})
    with SandboxServer(sandbox, threads=1) as server:
        prepared = prepare(server)
        blocked = Blocked(getattr(owner, name))
        monkeypatch.setattr(owner, name, blocked.as_method())
        answers: list[int] = []
        slow = threading.Thread(target=lambda: answers.append(act(server, prepared).status_code))
        slow.start()
        assert blocked.inside.wait(PATIENCE_S)
        health = requests.get(f"{server.base_url}/_sandbox/health", timeout=PATIENCE_S).status_code
        meanwhile = list(answers)
        blocked.go_on.set()
        slow.join(PATIENCE_S)
        monkeypatch.undo()

    assert (health, meanwhile) == (200, [])
    assert len(answers) == 1
    assert answers[0] < 500
    assert server.errors == []


def a_token(server: SandboxServer) -> str:
    return str(token_of(server).json()["access_token"])


def with_rule(fault: Any, **match: Any) -> Callable[[SandboxServer], str]:
    def prepare(server: SandboxServer) -> str:
        token = a_token(server)
        server.patchworks.faults.add(fault, **match)
        return token

    return prepare


def many_clients(server: SandboxServer) -> None:
    for number in range(101):
        server.sandbox.store.add_client(1, f"client {number}")


def no_key(server: SandboxServer) -> None:
    server.sandbox.keys._key = None


CASES = {
    "a key is made": ({}, KeyRing, "current", no_key, lambda server, _: token_of(server)),
    "a key is rotated by a fault": (
        {},
        KeyRing,
        "rotate",
        with_rule(faults.rotated_key()),
        payload_to,
    ),
    "a key in no use is made": (
        {},
        KeyRing,
        "untrusted_key",
        with_rule(faults.bad_signature_token()),
        lambda server, _: token_of(server),
    ),
    "a body is searched": (
        {},
        Faultable,
        "selected",
        with_rule(faults.status(409), json_path="$..a"),
        payload_to,
    ),
    "a large answer of a fault is redacted": (
        {},
        Journal,
        "close",
        with_rule(faults.status(409, body="x" * 100_000)),
        payload_to,
    ),
    "a large body is read": (
        {},
        Store,
        "check_for",
        a_token,
        lambda server, token: payload_to(server, token, b'{"a": "%s"}' % (b"x" * 100_000)),
    ),
    "a file is written": (
        {"journal_file": "requests.ndjson"},
        JournalFile,
        "append",
        lambda server: None,
        lambda server, _: token_of(server),
    ),
    "a secret is compared with all": (
        {},
        Store,
        "is_a_secret",
        many_clients,
        lambda server, _: token_of(server, client_id="nobody-is-called-so"),
    ),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_what_the_server_refuses_is_written_to_the_file_by_a_thread(
    make_sandbox: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, connect: Callable[..., Any]
) -> None:
    sandbox = make_sandbox(journal_file=str(tmp_path / "requests.ndjson"))
    blocked = Blocked(JournalFile.append)
    monkeypatch.setattr(JournalFile, "append", blocked.as_method())
    with SandboxServer(sandbox) as server:
        client = connect(server.port)
        client.send(b"nonsense\r\n\r\n")
        assert blocked.inside.wait(PATIENCE_S)
        assert requests.get(f"{server.base_url}/_sandbox/health", timeout=PATIENCE_S).status_code == 200
        blocked.go_on.set()

        assert client.answer().status == 400
    monkeypatch.undo()


def test_what_takes_no_time_is_done_in_the_loop(
    make_sandbox: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []
    sandbox = make_sandbox()
    with SandboxServer(sandbox) as server:
        close = sandbox.journal.close

        def noted(*arguments: Any, **options: Any) -> Any:
            threads.append(threading.current_thread().name)
            return close(*arguments, **options)

        monkeypatch.setattr(sandbox.journal, "close", noted)
        token = a_token(server)
        server.patchworks.faults.add(faults.latency(0.001), json_path={"$.a": 1})

        assert payload_to(server, token).status_code == 200
        assert threads == ["http-loop"] * 2
