"""A server at a frozen time, and commands against it in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from sandbox import Sandbox, SandboxServer
from sandbox.cli import main

Run = Callable[..., Result]


@pytest.fixture
def server(sandbox: Sandbox) -> Iterator[SandboxServer]:
    sandbox.clock.freeze()
    sandbox.clock.travel_to("2026-11-23T12:00:00Z")
    with SandboxServer(sandbox) as server:
        yield server


@pytest.fixture
def run(server: SandboxServer) -> Run:
    """Run a command against the server; it must succeed unless an exit code is given."""

    def run(*arguments: str, exit_code: int = 0, **options: Any) -> Result:
        environment = {"PATCHWORKS_SANDBOX_URL": server.base_url}
        result = CliRunner().invoke(main, arguments, env=environment, **options)
        assert result.exit_code == exit_code, result.output
        return result

    return run


def push(server: SandboxServer, body: bytes = b'{"order": "1001"}') -> None:
    """Get a token, post a payload, and post it again with a token that is none."""
    handle = server.patchworks
    form = {"grant_type": "client_credentials", "client_id": handle.client_id, "client_secret": handle.client_secret}
    token = requests.post(handle.token_url, form, timeout=10).json()["access_token"]
    for bearer in (token, "none"):
        headers = {"Authorization": f"Bearer {bearer}", "User-Agent": "test"}
        requests.post(handle.inbound("anything").url, data=body, headers=headers, timeout=10)
