"""A served sandbox for each test, and a way to say what most tests do over a real socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from sandbox import Sandbox, SandboxServer
from sandbox.journal.entry import Entry
from sandbox.platform.keys import SigningKey
from sandbox.web.addresses import Endpoints

PATIENCE_S = 10


@dataclass(frozen=True)
class Served:
    """A sandbox behind a port."""

    sandbox: Sandbox
    endpoints: Endpoints
    port: int
    http: httpx.Client

    @property
    def client_id(self) -> str:
        return next(iter(self.sandbox.credentials))

    @property
    def client_secret(self) -> str:
        return self.sandbox.credentials[self.client_id].secret

    @property
    def credentials(self) -> dict[str, str]:
        return {"client_id": self.client_id, "client_secret": self.client_secret}

    @property
    def inbound_url(self) -> str:
        """URL of the service that takes anything."""
        return self.endpoints.inbound_url("anything")

    def token(self) -> str:
        form = {"grant_type": "client_credentials", **self.credentials}
        access_token: str = self.http.post(self.endpoints.token_url, data=form).json()["access_token"]
        return access_token

    def post(self, token: str, body: bytes = b"x") -> httpx.Response:
        return self.http.post(self.inbound_url, content=body, headers={"Authorization": f"Bearer {token}"})

    def control(self, method: str, path: str, json: Any = None) -> Any:
        """Call the control API and return what it answers."""
        response = self.http.request(method, self.endpoints.control_url + path, json=json)
        assert response.is_success, response.text
        return response.json()

    def entries(self, **conditions: object) -> list[Entry]:
        """Return the journal's entries with these attributes."""
        return [
            entry
            for entry in self.sandbox.journal.snapshot()
            if all(getattr(entry, name) == value for name, value in conditions.items())
        ]

    def entry(self, **conditions: object) -> Entry:
        """Return the one entry with these attributes, as soon as there is one."""
        eventually(lambda: bool(self.entries(**conditions)))
        [entry] = self.entries(**conditions)
        return entry


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what happens in another thread without a signal of its own."""
    never = threading.Event()
    for _ in range(int(PATIENCE_S / 0.005)):
        if condition():
            return
        never.wait(0.005)
    pytest.fail("it did not happen")


@pytest.fixture
def serve(signing_key: SigningKey) -> Iterator[Callable[..., Served]]:
    """Serve sandboxes; after the test stop them and see that none has failed."""
    servers: list[SandboxServer] = []
    clients: list[httpx.Client] = []

    def start(seed: Any = None) -> Served:
        server = SandboxServer(Sandbox(seed, signing_key=signing_key)).start()
        servers.append(server)
        clients.append(httpx.Client(trust_env=False, timeout=PATIENCE_S))
        return Served(server.sandbox, server.endpoints, server.port, clients[-1])

    yield start
    for client in clients:
        client.close()
    for server in servers:
        server.stop()
    assert [error for server in servers for error in server.errors] == []
    assert not [entry for server in servers for entry in server.sandbox.journal.snapshot() if entry.status == 500]


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """A sandbox with the demo seed behind a port."""
    return serve()
