"""Many connections that want nothing, dawdle, or are one too many: whoever behaves is served meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox import Sandbox, SandboxServer
from sandbox.web.http.limits import Limits
from tests.journeys.conftest import eventually

PATIENCE_S = 10
TOKEN = "POST /oauth/token HTTP/1.1\r\nHost: sandbox\r\nContent-Length: 0\r\n\r\n"
NO_TOKEN = "HTTP/1.1 400 Bad Request"


@pytest.fixture
def connect() -> Iterator[Callable[[int], socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield lambda port: stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE_S))


def ask(sock: socket.socket) -> str:
    """Send a request and return the status line of its answer."""
    sock.sendall(TOKEN.encode())
    received = b""
    while b"\r\n\r\n" not in received:
        data = sock.recv(65_536)
        if not data:
            break
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += sock.recv(65_536)
    return head.split(b"\r\n")[0].decode()


def test_500_idle_connections_are_kept_while_others_are_served(
    sandbox: Sandbox, connect: Callable[[int], socket.socket]
) -> None:
    with SandboxServer(sandbox, threads=4) as server:
        idle = [connect(server.port) for _ in range(500)]
        used = idle[::10]
        first = {ask(sock) for sock in used}
        busy = connect(server.port)
        meanwhile = {ask(busy) for _ in range(100)}
        later = {ask(sock) for sock in idle[1::10]}

        assert first | meanwhile | later == {NO_TOKEN}
        assert len(sandbox.journal) == 200
        assert server.errors == []


def test_slow_loris_holds_nobody_up_and_is_told_to_go(
    sandbox: Sandbox, connect: Callable[[int], socket.socket]
) -> None:
    with SandboxServer(sandbox, threads=2, limits=Limits(head_timeout_s=1)) as server:
        slow = [connect(server.port) for _ in range(50)]
        for sock in slow:
            sock.sendall(TOKEN[:20].encode())
        served = ask(connect(server.port))
        answers = {sock.recv(65_536).partition(b"\r\n")[0] for sock in slow}

    assert served == NO_TOKEN
    assert answers == {b"HTTP/1.1 408 Request Timeout"}
    refused = [entry for entry in sandbox.journal.snapshot() if entry.status == 408]
    assert len(refused) == 50


@pytest.mark.skipif(os.name != "posix", reason="needs ulimit")
def test_server_out_of_descriptors_serves_whom_it_has_says_so_once_and_recovers(
    tmp_path: Path, connect: Callable[[int], socket.socket]
) -> None:
    ready = tmp_path / "ready.json"
    serve = [sys.executable, "-m", "sandbox.cli", "serve", "--port", "0", "--ready-file", str(ready)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", f"ulimit -n 64; exec {shlex.join(serve)}"], stdout=subprocess.DEVNULL, stderr=log
        )
    try:
        eventually(ready.exists)
        document: dict[str, Any] = json.loads(ready.read_text())
        port = urlsplit(document["base_url"]).port or 0
        early = connect(port)
        before = ask(early)
        crowd = [connect(port) for _ in range(100)]
        eventually(lambda: b"Too many open files" in (tmp_path / "log").read_bytes())
        meanwhile = [ask(early) for _ in range(20)]
        for sock in crowd:
            sock.close()
        afterwards = [ask(connect(port)) for _ in range(20)]
    finally:
        process.terminate()
        code = process.wait(PATIENCE_S)

    assert {before, *meanwhile, *afterwards} == {NO_TOKEN}
    told = (tmp_path / "log").read_text()
    assert told.count("Too many open files: new connections have to wait") == 1
    assert code == 0
