"""The server that tests start: its arguments, and when it opens a port."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import Sandbox, SandboxServer
from sandbox.errors import ConflictError, InvalidValueError, SeedError

SEED = "companies: [{name: Gamma}]"


@pytest.mark.parametrize("port", [80_000, 65_536, -1, "8025x", 1.5, True, None])
@pytest.mark.parametrize("name", ["port", "tls_port"])
def test_port_that_is_none_is_refused_as_on_the_command_line(sandbox: Sandbox, name: str, port: Any) -> None:
    with pytest.raises(InvalidValueError, match=rf"{name}: .* not allowed; use a whole number from 0 to 65535"):
        SandboxServer(sandbox, **{name: port})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threads": 0}, "threads: 0 is not allowed; use a whole number from 1 to 256"),
        ({"host": 8025}, "host: 8025 is not allowed; use a host name or address"),
        ({"sandbox": "seed.yaml"}, r"use a Sandbox: SandboxServer\(Sandbox\(\)\)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_argument_that_is_not_allowed_is_refused(sandbox: Sandbox, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        SandboxServer(**{"sandbox": sandbox, **arguments})


@pytest.mark.parametrize("name", ["base_url", "port", "endpoints", "tls_base_url"])
def test_server_that_is_not_started_says_so(make_sandbox: Callable[..., Sandbox], name: str) -> None:
    server = SandboxServer(make_sandbox(tls=True))

    with pytest.raises(ConflictError, match=r"the server is not started and has no port yet; call start\(\)"):
        getattr(server, name)
    assert repr(server) == "<SandboxServer, which has no URL so far>"


def test_given_port_is_known_before_the_start(sandbox: Sandbox) -> None:
    assert SandboxServer(sandbox, port=9000).base_url == "http://127.0.0.1:9000"


def test_port_is_opened_when_a_url_is_asked_for(sandbox: Sandbox) -> None:
    with SandboxServer(sandbox).on_demand() as server:
        patchworks = server.patchworks
        patchworks.clock.advance(hours=1)
        assert patchworks.requests == []
        assert repr(server) == "<SandboxServer, which has no URL so far>"
        assert server.known_url is None

        url = patchworks.token_url
        with requests.Session() as session:
            assert session.get(url, timeout=10).status_code == 400
        assert repr(server) == f"<SandboxServer {patchworks.base_url}>"

    with requests.Session() as session, pytest.raises(requests.ConnectionError):
        session.get(url, timeout=10)


def test_threads_that_ask_at_once_start_one_server(sandbox: Sandbox) -> None:
    barrier, urls = threading.Barrier(4), []

    with SandboxServer(sandbox).on_demand() as server:

        def ask() -> None:
            barrier.wait(10)
            urls.append(server.base_url)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

        assert urls == [server.base_url] * 4


def test_interception_starts_a_server_that_waits(sandbox: Sandbox) -> None:
    with SandboxServer(sandbox).on_demand() as server:
        with server.patchworks.intercept() as interception, requests.Session() as session:
            assert session.get(f"{interception.base_url}/oauth/token", timeout=10).status_code == 400

        assert len(server.patchworks.requests) == 1


def test_mounted_session_needs_no_socket(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def guarded(*_: object, **__: object) -> None:
        raise RuntimeError("a test tried to use a socket")

    guarded.__module__ = "pytest_socket"
    with SandboxServer(sandbox).on_demand() as server, requests.Session() as session:
        with monkeypatch.context() as patch:
            patch.setattr("socket.socket", guarded)
            server.patchworks.mount(session)
            answer = session.get(server.patchworks.token_url, timeout=10)

        assert answer.status_code == 400
        server.patchworks.token_requests.assert_received(times=1)
        assert server.patchworks.base_url.startswith("http://127.0.0.1:")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_fork_is_told_that_it_holds_a_copy(sandbox: Sandbox) -> None:
    asks: list[Callable[[SandboxServer], object]] = [
        lambda server: len(server.patchworks.requests),
        lambda server: server.patchworks.rejected.assert_nothing_received(),
        lambda server: server.patchworks.clock.now(),
        lambda server: server.patchworks.client_id,
    ]
    with SandboxServer(sandbox) as server:
        server._pid = os.getppid()  # as the fork of that process finds it

        for ask in asks:
            with pytest.raises(ConflictError, match="this process is a fork of the one that serves the sandbox"):
                ask(server)
        server._pid = os.getpid()


def test_seed_of_a_sandbox_may_be_a_path_or_plain_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.yaml").write_text(SEED)
    monkeypatch.chdir(tmp_path)

    slugs = [Sandbox(seed).company for seed in ("own.yaml", tmp_path / "own.yaml", {"companies": [{"name": "Gamma"}]})]
    assert [company and company.slug for company in slugs] == ["gamma"] * 3


@pytest.mark.parametrize("seed", [7, ["own.yaml"], b"own.yaml"], ids=repr)
def test_seed_that_is_none_is_refused_with_what_is_allowed(seed: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"seed: .* use a Seed, plain data, or the path of a file"):
        Sandbox(seed)


def test_missing_seed_file_is_told_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SeedError, match=r"own.yaml: there is no such file; ") as error:
        Sandbox("own.yaml")
    assert str(tmp_path / "own.yaml") in str(error.value)
