"""A sandbox behind a port, and its handle in each of the ways in which a test may hold it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from sandbox import RemoteSandbox, Sandbox, SandboxServer
from sandbox.testing.handle import Patchworks


@pytest.fixture
def server(sandbox: Sandbox) -> Iterator[SandboxServer]:
    with SandboxServer(sandbox) as server:
        yield server


@pytest.fixture
def remote(server: SandboxServer) -> Iterator[RemoteSandbox]:
    with RemoteSandbox(server.base_url) as remote:
        yield remote


@pytest.fixture(params=["in process", "remote"])
def patchworks(request: pytest.FixtureRequest, server: SandboxServer, remote: RemoteSandbox) -> Patchworks:
    """The handle, in this process and by a URL: what holds for one holds for the other."""
    return server.patchworks if request.param == "in process" else remote


@pytest.fixture(params=["alone", "isolated"])
def handle(request: pytest.FixtureRequest, patchworks: Patchworks) -> Patchworks:
    """The handle of the whole sandbox, and that of a company of its own."""
    return patchworks if request.param == "alone" else patchworks.isolated()


class Client:
    """An integration with one token."""

    def __init__(self, patchworks: Patchworks) -> None:
        self.patchworks = patchworks
        self.token = self.new_token()

    def ask_for_token(self, **changes: str) -> requests.Response:
        credentials = {
            "grant_type": "client_credentials",
            "client_id": self.patchworks.client_id,
            "client_secret": self.patchworks.client_secret,
            **changes,
        }
        return requests.post(self.patchworks.token_url, credentials, timeout=10)

    def new_token(self) -> str:
        return str(self.ask_for_token().json()["access_token"])

    def post(self, payload: object, vanity_url: str = "anything") -> int:
        bearer = {"Authorization": f"Bearer {self.token}"}
        url = self.patchworks.inbound(vanity_url).url
        return requests.post(url, json=payload, headers=bearer, timeout=10).status_code


@pytest.fixture
def client(handle: Patchworks) -> Client:
    return Client(handle)
