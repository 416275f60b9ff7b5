"""What is the remote sandbox's own: where it finds things, and how its errors read."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox import RemoteSandbox, Sandbox, SandboxServer
from sandbox.foundation.errors import (
    ConflictError,
    InvalidValueError,
    NotFoundError,
    NotInProcessError,
    ProblemError,
    UnreachableError,
    WaitInterruptedError,
)
from sandbox.server.http import HttpServer
from sandbox.testing.remote.control_api import ControlApi
from tests.server.conftest import eventually
from tests.testing.remote.conftest import Client


def test_control_url_is_as_good_as_the_base_url(server: SandboxServer) -> None:
    with RemoteSandbox(f"{server.base_url}/_sandbox/") as remote:
        assert remote.base_url == server.base_url


def test_token_url_is_where_this_process_reaches_it(make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox(token_path="/auth/token", public_url="https://sandbox.example")
    server = SandboxServer(sandbox).start()
    try:
        with RemoteSandbox(f"http://127.0.0.1:{server.port}") as remote:
            assert remote.token_url == f"http://127.0.0.1:{server.port}/auth/token"
    finally:
        server.stop()


def test_client_is_made_when_needed_and_again_after_a_reset(server: SandboxServer, remote: RemoteSandbox) -> None:
    first = (remote.client_id, remote.client_secret)
    assert first == (remote.client_id, remote.client_secret)
    remote.reset()

    assert remote.client_id not in (first[0], server.patchworks.client_id)
    assert Client(remote).post(1) == 200


def test_client_of_the_seed_can_be_named(server: SandboxServer) -> None:
    ours = server.patchworks
    with RemoteSandbox(server.base_url, client_id=ours.client_id, client_secret=ours.client_secret) as remote:
        remote.reset()

        assert remote.client_id == ours.client_id
        assert Client(remote).post(1) == 200


def test_what_needs_this_process_says_so(remote: RemoteSandbox) -> None:
    with pytest.raises(NotInProcessError, match=rf"at {remote.base_url} runs elsewhere and is not an object here"):
        _ = remote.sandbox
    with pytest.raises(NotInProcessError, match="has no WSGI application here"):
        _ = remote.wsgi
    with pytest.raises(NotInProcessError, match="nothing can be intercepted for it"), remote.intercept():
        pass
    with pytest.raises(NotInProcessError, match=r"move both with travel\(\)"):
        remote.clock.follow()


def test_no_answer_is_told_with_the_url_and_what_to_do() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    with (
        RemoteSandbox(url) as remote,
        pytest.raises(UnreachableError, match=rf"{url} \(Connection refused\); start one with: patchworks-sandbox"),
    ):
        remote.reset()


def test_answer_that_does_not_come_is_told_with_the_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            RemoteSandbox(url, timeout=0.05) as remote,
            pytest.raises(UnreachableError, match=rf"no answer from {url}/_sandbox/reset within 0\.05 s"),
        ):
            remote.reset()


@pytest.mark.parametrize("url", ["127.0.0.1:8025", "ftp://127.0.0.1", "", "http://"])
def test_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidValueError, match=r"url: .* use an http or https URL"):
        RemoteSandbox(url)


class Answering:
    """A server that answers what it is told to."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"{}"
        self.headers = [("Content-Type", "application/problem+json")]

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        start_response(f"{self.status} Said", self.headers)
        return [self.body]


@pytest.fixture
def answering() -> Answering:
    return Answering()


@pytest.fixture
def told(answering: Answering) -> Iterator[RemoteSandbox]:
    server = HttpServer(answering)
    server.start()
    with RemoteSandbox(f"http://127.0.0.1:{server.port}") as remote:
        yield remote
    server.stop()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ProblemError),
        (403, ProblemError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, InvalidValueError),
        (500, ProblemError),
    ],
)
def test_problem_is_raised_as_the_core_would_raise_it_and_with_its_details(
    status: int, error: type[Exception], answering: Answering, told: RemoteSandbox
) -> None:
    errors = [{"field": "body.rate", "given": "-1", "message": "use more"}]
    answering.status, answering.body = status, json.dumps({"detail": "it is so", "errors": errors}).encode()

    with pytest.raises(error, match="it is so") as raised:
        told.reset()
    assert isinstance(raised.value, ProblemError)
    assert (raised.value.status, raised.value.detail, raised.value.errors) == (status, "it is so", tuple(errors))
    if isinstance(raised.value, InvalidValueError):
        assert (raised.value.field, raised.value.given, raised.value.allowed) == ("rate", "-1", "use more")


@pytest.mark.parametrize("status", [200, 502])
@pytest.mark.parametrize("body", [b"<h1>Hello</h1>", b"[" * 100_000], ids=["HTML", "deep"])
def test_answer_that_is_no_sandboxs_is_told_as_such(
    status: int, body: bytes, answering: Answering, told: RemoteSandbox
) -> None:
    answering.status, answering.body = status, body

    with pytest.raises(ProblemError, match=rf"/_sandbox/reset answers {status}, not as a sandbox does"):
        told.reset()


@pytest.mark.parametrize(
    "ask", [lambda api: api.lines("/requests/export"), lambda api: api.pieces("/state")], ids=["entries", "state"]
)
def test_answer_that_breaks_off_is_told(
    ask: Callable[[ControlApi], Iterator[object]], answering: Answering, told: RemoteSandbox
) -> None:
    answering.headers = [("Content-Length", "100")]

    with pytest.raises(UnreachableError, match=rf"{told.base_url} stopped in mid-answer \("):
        list(ask(ControlApi(told.base_url)))


def test_wait_goes_on_when_too_many_wait_there_already(
    server: SandboxServer, remote: RemoteSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, refusals = ControlApi.call, iter([ProblemError(503, "as many wait as may")])

    def busy_at_first(api: ControlApi, method: str, path: str, **options: Any) -> Any:
        for refusal in refusals if path == "/requests/wait" else ():
            Client(server.patchworks).post(1)
            raise refusal
        return call(api, method, path, **options)

    monkeypatch.setattr("sandbox.testing.remote.journal._BUSY_S", 0.001)
    monkeypatch.setattr(ControlApi, "call", busy_at_first)

    assert len(remote.inbound("anything").wait_for(1, timeout=10)) == 1


def test_wait_that_is_refused_says_so(remote: RemoteSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise ProblemError(500, "it failed")

    inbound = remote.inbound("anything")
    monkeypatch.setattr(ControlApi, "call", refused)

    with pytest.raises(ProblemError, match="it failed"):
        inbound.wait_for(1, timeout=10)


def test_wait_that_a_reset_interrupts_says_so(server: SandboxServer, remote: RemoteSandbox) -> None:
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            remote.inbound("anything").wait_for(1, timeout=10)
        except WaitInterruptedError as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    eventually(lambda: server.sandbox.journal.waiting.followers > 0)
    server.sandbox.reset()
    thread.join(10)

    assert [str(error) for error in caught] == ["the sandbox was reset"]
