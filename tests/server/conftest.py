"""A server for each test, a client that speaks bytes, and checks that neither leaves anything behind."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from sandbox.server.http import HttpServer, Limits, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

    from sandbox import SandboxServer
    from sandbox.web.http.request_head import Head

PATIENCE_S = 10.0
"""How long a test waits for what it expects, before it fails."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Client:
    """A raw connection. Every wait in it ends after `PATIENCE_S`."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.sock: socket.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        if tls is not None:
            self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")
        self._file = self.sock.makefile("rb")

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def get(self, path: str = "/", *fields: str) -> None:
        self.send("\r\n".join([f"GET {path} HTTP/1.1", "Host: test", *fields, "", ""]).encode("latin-1"))

    def post(self, body: bytes, *fields: str) -> None:
        head = ["POST / HTTP/1.1", "Host: test", f"Content-Length: {len(body)}", *fields, "", ""]
        self.send("\r\n".join(head).encode("latin-1") + body)

    def line(self) -> bytes:
        return self._file.readline()

    def answer(self, method: str = "GET") -> Answer:
        status_line = self.line()
        assert status_line.startswith(b"HTTP/1.1 "), status_line
        status = int(status_line.split()[1])
        headers = []
        while line := self.line().rstrip(b"\r\n"):
            name, _, value = line.decode("latin-1").partition(": ")
            headers.append((name, value))
        answer = Answer(status, headers, b"")
        if method == "HEAD" or status in {100, 204, 304}:
            return answer
        if answer.all("Transfer-Encoding") == ["chunked"]:
            return Answer(status, headers, b"".join(iter(self._chunk, b"")))
        if length := answer.all("Content-Length"):
            return Answer(status, headers, self._file.read(int(length[0])))
        return Answer(status, headers, self._file.read())

    def _chunk(self) -> bytes:
        size = int(self.line(), 16)
        data = self._file.read(size)
        assert self.line() == b"\r\n"
        return data

    def trickle(self, data: bytes) -> Iterator[bytes]:
        """Send `data` again and again, in short intervals, until there is an answer; yield how that begins."""
        self.sock.settimeout(0.02)
        for _ in range(int(PATIENCE_S / 0.02)):
            self.send(data)
            with contextlib.suppress(TimeoutError):
                yield self.sock.recv(12)
                return
        pytest.fail("a client that trickles was never cut off")

    def rest(self) -> bytes:
        """Everything up to the end of the stream; a reset raises."""
        return self._file.read()

    def abort(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Seen:
    """What the server told its owner."""

    refused: list[Refused] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)


class Serve(Protocol):
    def __call__(self, app: Callable[..., Any], **options: Any) -> HttpServer: ...


class Observed(HttpServer):
    """A server that tells a test of refused requests and of errors."""

    def __init__(
        self,
        app: Callable[..., Any],
        on_refused: Callable[[Refused], object],
        on_error: Callable[[BaseException], object] | None,
        body_limit: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(app, **options)
        self._on_refused, self._on_error, self._body_limit = on_refused, on_error or super()._failed, body_limit

    def _failed(self, error: BaseException) -> None:
        self._on_error(error)

    def _body_limit_of(self, head: Head) -> int:
        return self._body_limit or super()._body_limit_of(head)

    def _refused(self, refused: Refused, answer: Callable[[], None]) -> None:
        self._on_refused(refused)
        super()._refused(refused, answer)


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something that happens in another thread without a signal of its own."""
    never = threading.Event()
    for _ in range(int(PATIENCE_S / 0.002)):
        if condition():
            return
        never.wait(0.002)
    pytest.fail("it did not happen")


def attended_to(server: HttpServer) -> None:
    """Return once the server has dealt with all that was sent to it before."""
    for _ in range(2):  # once in the same turn as what was sent before, perhaps in front of it
        with Client(server.port) as client:
            client.send(b"nonsense\r\n\r\n")
            assert client.answer().status == 400


def open_descriptors() -> int:
    for directory in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            return sum(1 for _ in Path(directory).iterdir())
    pytest.skip("this system does not list a process's descriptors")


def open_connections(server: HttpServer | SandboxServer) -> int:
    return server.connections


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def serve(seen: Seen) -> Iterator[Serve]:
    """Start servers; stop them after the test and check that no thread of theirs is left."""
    servers: list[HttpServer] = []

    def start(app: Callable[..., Any], **options: Any) -> HttpServer:
        options = {"threads": 4, "on_refused": seen.refused.append, "on_error": seen.errors.append} | options
        server = Observed(app, **options)
        server.start()
        servers.append(server)
        return server

    threads = set(threading.enumerate())
    yield start
    for server in servers:
        server.stop()
    assert set(threading.enumerate()) <= threads


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Open clients; close them after the test."""
    with contextlib.ExitStack() as clients:
        yield lambda *arguments: clients.enter_context(Client(*arguments))


@pytest.fixture
def client(serve: Serve, connect: Callable[..., Client]) -> Client:
    """A client of a server that sends every body back."""
    return connect(serve(echo).port)


@pytest.fixture
def quick() -> Limits:
    """Limits that a test can wait for."""
    return Limits(head_timeout_s=0.05, body_timeout_s=0.05, keep_alive_s=0.05)
