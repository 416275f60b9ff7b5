"""A path is what it says: none leads around the two applications, or out of the folder of static files."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from sandbox import Sandbox, SandboxServer

AROUND = [
    "//_sandbox/requests",
    "/./_sandbox/requests",
    "/v1/../_sandbox/requests",
    "/v1/%2e%2e/_sandbox/requests",
    "//v1/acme/..%2f..%2f_sandbox/requests",
    "/_SANDBOX/requests",
    "/_sandbox%00/requests",
    "/_sandbox;/requests",
    "/%255fsandbox/requests",
    "/_sandbox/../_sandbox/requests",
    "/_sandbox/health/../requests",
    "/_sandbox/health/%2e%2e/requests",
    "/_sandbox/requests/..%2frequests",
    "/_sandbox/static/..%2f..%2f..%2fpyproject.toml",
    "/_sandbox/static/../blueprint.py",
    "/_sandbox/static/%2e%2e/blueprint.py",
    "/_sandbox/static/..%5cblueprint.py",
    "/_sandbox/static//etc/passwd",
    "/_sandbox/static/%00",
]
KEY = "correct-horse-battery-staple"


@pytest.fixture
def server(signing_key: object) -> Iterator[SandboxServer]:
    with SandboxServer(Sandbox(signing_key=signing_key)) as server:  # type: ignore[arg-type]
        yield server
    assert server.errors == []


def status_of(server: SandboxServer, target: str) -> int:
    """Send a target as it stands: clients would tidy it up."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("latin-1"))
        return int(client.makefile("rb").readline().split()[1])


@pytest.mark.parametrize("target", AROUND)
def test_no_spelling_leads_around(server: SandboxServer, target: str) -> None:
    assert status_of(server, target) == 404


@pytest.mark.parametrize("target", ["/_sandbox/requests", "/%5fsandbox/requests", "/_sandbox%2frequests"])
def test_every_spelling_of_the_control_api_needs_its_key(signing_key: object, target: str) -> None:
    sandbox = Sandbox(settings={"control_key": KEY}, signing_key=signing_key)  # type: ignore[arg-type]
    with SandboxServer(sandbox) as server:
        assert status_of(server, target) == 401
        assert status_of(server, f"http://localhost{target}") == 401
        assert len(sandbox.journal) == 0
