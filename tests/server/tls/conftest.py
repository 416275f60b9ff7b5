"""What the tests of TLS share: a sandbox served both ways, and a client's trust in it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import Sandbox, SandboxServer


def trusting(ca_pem: bytes | None) -> ssl.SSLContext:
    """Return the context of a client that trusts one authority, as strictly as Python 3.13 does."""
    assert ca_pem is not None
    context = ssl.create_default_context(cadata=ca_pem.decode("ascii"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


@pytest.fixture
def server(make_sandbox: Callable[..., Sandbox]) -> Iterator[SandboxServer]:
    """A sandbox that serves HTTP and HTTPS, with an authority in memory."""
    with SandboxServer(make_sandbox(tls=True), threads=4) as server:
        yield server
    assert not server.errors


@pytest.fixture
def ca_file(server: SandboxServer, tmp_path: Path) -> Path:
    """The file of the authority to trust."""
    path = tmp_path / "authority.pem"
    path.write_bytes(server.ca_pem or b"")
    return path
