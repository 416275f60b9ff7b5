"""The transport of a handle: mocks of a test do not catch it, and it keeps its connections."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any
from unittest import mock

import pytest
import requests

from sandbox import RemoteSandbox, Sandbox, SandboxServer
from sandbox.errors import UnreachableError
from sandbox.testing.remote.http_transport import OwnTransport

REFUSED = requests.ConnectionError("refused by the mock of the test")


class Replaced(http.client.HTTPConnection):
    """As vcr replaces the class."""

    def connect(self) -> None:
        raise REFUSED


MOCKS = {
    "responses": ["requests.adapters.HTTPAdapter.send"],
    "requests_mock": ["requests.Session.get_adapter"],
    "a mock of the library": ["requests.Session.request", "requests.Session.send", "requests.request"],
    "a mock of urllib3": ["urllib3.connectionpool.HTTPConnectionPool.urlopen", "urllib3.PoolManager.urlopen"],
}


@pytest.mark.parametrize("targets", MOCKS.values(), ids=list(MOCKS))
def test_mocks_of_a_test_do_not_catch_the_verbs(remote: RemoteSandbox, targets: list[str]) -> None:
    with ExitStack() as stack:
        for target in targets:
            stack.enter_context(mock.patch(target, side_effect=REFUSED))
        remote.clock.advance(hours=1)
        remote.faults.add({"kind": "hang"})
        remote.reset()

        assert (len(remote.requests), remote.story(), remote.company) == (0, "no request was received", "acme")


def test_class_that_vcr_replaces_is_not_used(remote: RemoteSandbox) -> None:
    with (
        mock.patch("http.client.HTTPConnection", Replaced),
        mock.patch("urllib3.connection.HTTPConnection", Replaced),
        mock.patch("urllib3.connectionpool.HTTPConnectionPool.ConnectionCls", Replaced),
    ):
        assert len(remote.requests) == 0


def test_mock_that_catches_a_given_session_is_told_with_its_words(server: SandboxServer) -> None:
    with (
        requests.Session() as session,
        RemoteSandbox(server.base_url, session=session) as remote,
        mock.patch("requests.adapters.HTTPAdapter.send", side_effect=REFUSED),
        pytest.raises(UnreachableError, match=r"no sandbox answers .*\(refused by the mock of the test\)"),
    ):
        remote.reset()


def test_connection_is_kept(server: SandboxServer, remote: RemoteSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    connect, made = socket.create_connection, []

    def counted(*arguments: Any, **options: Any) -> socket.socket:
        made.append(arguments)
        return connect(*arguments, **options)

    monkeypatch.setattr(socket, "create_connection", counted)
    for _ in range(3):
        remote.reset()
        assert [*remote.requests] == []

    assert len(made) == 1


def test_connection_that_the_sandbox_has_closed_is_not_used_again(
    make_sandbox: Callable[..., Sandbox],
) -> None:
    server = SandboxServer(make_sandbox()).start()
    with RemoteSandbox(server.base_url) as remote:
        remote.reset()
        port = server.port
        server.stop()
        with pytest.raises(UnreachableError, match="no sandbox answers"):
            remote.reset()
        with SandboxServer(make_sandbox(), port=port):
            remote.reset()


def test_threads_have_connections_of_their_own(remote: RemoteSandbox) -> None:
    found: list[int] = []

    def ask() -> None:
        found.extend(len(remote.requests) for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert found == [0] * 20


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that notes the first line and the credentials of each request, and answers for everybody."""
    seen: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                head = [line for line in iter(lines.readline, b"\r\n") if line]
                seen.extend(line.strip() for line in head if line == head[0] or line.lower().startswith(b"proxy-auth"))
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", seen
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def send(base_url: str) -> bytes:
    with closing(OwnTransport(base_url, None)) as transport, closing(_sent(transport, base_url)) as answer:
        return b"".join(answer.pieces())


def _sent(transport: OwnTransport, base_url: str) -> Any:
    return transport.send("GET", f"{base_url}/_sandbox/health?a=1", None, {}, (10, 10))


def test_proxy_of_the_environment_is_used_beyond_loopback(
    proxy: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, seen = proxy
    monkeypatch.setenv("http_proxy", f"http://me:p%40ss@{address}")
    monkeypatch.setenv("https_proxy", f"http://{address}")
    monkeypatch.setenv("no_proxy", "near.example")

    assert send("http://sandbox.example:8025") == b"{}"
    with pytest.raises((OSError, http.client.HTTPException)):
        send("https://sandbox.example")
    with pytest.raises(OSError, match=r"resolution|service|known|resolve"):
        send("http://near.example")

    assert [line.removesuffix(b"0").removesuffix(b"1") for line in seen] == [
        b"GET http://sandbox.example:8025/_sandbox/health?a=1 HTTP/1.",
        b"Proxy-Authorization: Basic bWU6cEBzcw==",
        b"CONNECT sandbox.example:443 HTTP/1.",
    ]


def test_proxy_of_the_environment_is_not_asked_for_loopback(
    server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    with RemoteSandbox(server.base_url) as remote:
        assert remote.company == "acme"


def test_folder_of_authorities_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))

    assert isinstance(OwnTransport("https://sandbox.example", None)._context(), ssl.SSLContext)
