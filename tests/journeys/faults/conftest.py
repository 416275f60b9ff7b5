"""A served sandbox with a token at hand, and calls in the background."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sandbox import Sandbox, SandboxServer

PATIENCE_S = 10.0
ORDER = {"order": "1001", "note": "tea"}


class Served:
    """A served sandbox, its handle, and a client that speaks plainly."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self.sandbox = server.sandbox
        self.patchworks = server.patchworks
        self.faults = self.patchworks.faults
        self.url = self.patchworks.inbound("anything").url
        self.token = self.new_token()
        self.sandbox.journal.clear()

    def new_token(self) -> str:
        credentials = {
            "grant_type": "client_credentials",
            "client_id": self.patchworks.client_id,
            "client_secret": self.patchworks.client_secret,
        }
        response = requests.post(self.patchworks.token_url, data=credentials, timeout=PATIENCE_S)
        return str(response.json()["access_token"])

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def post(self, timeout: float = PATIENCE_S) -> tuple[int, bytes]:
        """POST by ``http.client`` on a connection of its own; whatever it raises is raised."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=timeout)
        try:
            connection.request("POST", "/v1/acme/anything", b'{"order": "1001"}', self.authorization)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def send_raw(self) -> socket.socket:
        """Send a payload on a raw socket and return it."""
        sock = socket.create_connection(("127.0.0.1", self.server.port), PATIENCE_S)
        head = f"POST /v1/acme/anything HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {self.token}\r\n"
        sock.sendall(f"{head}Content-Length: 17\r\n\r\n".encode() + b'{"order": "1001"}')
        return sock

    def in_background(self, call: Callable[[], Any]) -> Outcome:
        return Outcome(call)

    @property
    def last(self) -> Any:
        return list(self.sandbox.journal.snapshot())[-1]


class Outcome:
    """What a call in another thread comes to."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._value: Any = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except Exception as error:  # noqa: BLE001 - it is what the test asks for
            self._value = error

    def get(self) -> Any:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "it is still waiting"
        return self._value


def eventually(condition: Callable[[], object]) -> None:
    """Wait for what happens in another thread without a signal of its own."""
    never = threading.Event()
    for _ in range(int(PATIENCE_S / 0.002)):
        if condition():
            return
        never.wait(0.002)
    pytest.fail("it did not happen")


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[Served]:
    """A served sandbox; no thread of it outlives the test."""
    threads = set(threading.enumerate())
    with SandboxServer(sandbox, threads=4) as server:
        yield Served(server)
    assert not server.errors
    assert set(threading.enumerate()) <= threads
