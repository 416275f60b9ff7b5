"""A sandbox that serves HTTP and HTTPS at once, as clients and the control API see it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import requests
import trustme
from click.testing import CliRunner
from werkzeug.test import Client

from sandbox import RemoteSandbox, Sandbox, SandboxServer
from sandbox.cli import main
from sandbox.foundation.errors import InvalidValueError, UnreachableError
from sandbox.web.app import SandboxApp
from tests.conftest import Integration
from tests.programs import program
from tests.server.tls.conftest import trusting


def test_both_ways_lead_to_the_same_sandbox(server: SandboxServer, ca_file: Path) -> None:
    handle = server.patchworks
    form = {"grant_type": "client_credentials", "client_id": handle.client_id, "client_secret": handle.client_secret}
    token = requests.post(f"{server.tls_base_url}/oauth/token", form, verify=str(ca_file), timeout=10).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}

    with httpx.Client(verify=trusting(server.ca_pem)) as client:
        over_tls = client.post(f"{server.tls_base_url}/v1/acme/anything", headers=bearer, content=b"one")
    plain = requests.post(f"{server.base_url}/v1/acme/anything", b"two", headers=bearer, timeout=10)

    assert (over_tls.status_code, plain.status_code) == (200, 200)
    assert [entry.body for entry in handle.inbound("anything")] == [b"one", b"two"]


def test_urls_told_follow_the_scheme_and_the_host_of_the_request(server: SandboxServer, ca_file: Path) -> None:
    origin = f"https://localhost:{(server.tls_base_url or '').rpartition(':')[2]}"

    (over_tls,) = requests.get(f"{origin}/_sandbox/connectors", verify=str(ca_file), timeout=10).json()
    (plain,) = requests.get(f"{server.base_url}/_sandbox/connectors", timeout=10).json()

    assert over_tls["token_endpoint"] == f"{origin}/oauth/token"
    assert plain["token_endpoint"] == f"{server.base_url}/oauth/token"


def test_authority_is_told(make_sandbox: Callable[..., Sandbox]) -> None:
    server = SandboxServer(make_sandbox(tls=True))

    answer = Client(server.app).get("/_sandbox/ca.pem")

    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert answer.data == server.ca_pem
    assert answer.data.startswith(b"-----BEGIN CERTIFICATE-----")


def test_without_tls_the_answer_says_how_to_have_it(integration: Integration) -> None:
    answer = integration.control("GET", "/ca.pem")

    assert answer.status_code == 404
    assert answer.get_json()["detail"] == (
        "the sandbox does not serve HTTPS; start it with: patchworks-sandbox serve --tls"
    )


def test_with_a_certificate_of_ones_own_the_answer_says_what_to_trust(
    make_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    files = {"tls_cert_file": str(tmp_path / "cert.pem"), "tls_key_file": str(tmp_path / "key.pem")}

    with SandboxServer(make_sandbox(tls=True, **files)) as server:
        with httpx.Client(verify=trusting(authority.cert_pem.bytes())) as client:
            answer = client.get(f"{server.tls_base_url}/_sandbox/ca.pem")
        ready = server.endpoints.ready_document()

    assert answer.status_code == 404
    assert "the certificate is your own (tls_cert_file)" in answer.json()["detail"]
    assert (ready["tls_base_url"], ready["tls_ca_file"]) == (server.tls_base_url, None)


@pytest.mark.parametrize(
    ("host", "settings", "status"),
    [
        ("inbound.pwks.co", {"tls": True}, 200),
        ("sandbox.example", {"tls": True, "tls_names": "sandbox.example"}, 200),
        ("sandbox.example", {"tls": True}, 403),
        ("inbound.pwks.co", {}, 403),
    ],
    ids=["platform", "named", "not named", "no TLS"],
)
def test_control_api_is_served_to_the_names_of_the_certificate(
    make_sandbox: Callable[..., Sandbox], host: str, settings: dict[str, object], status: int
) -> None:
    client = Client(SandboxApp(make_sandbox(**settings)))

    answer = client.get("/_sandbox/clock", base_url=f"https://{host}", environ_overrides={"SERVER_NAME": "127.0.0.1"})

    assert answer.status_code == status


def test_server_that_was_stopped_can_start_again(make_sandbox: Callable[..., Sandbox], ca_file: Path) -> None:
    server = SandboxServer(make_sandbox(tls=True))
    for _ in range(2):
        with server, httpx.Client(verify=trusting(server.ca_pem)) as client:
            assert client.get(f"{server.tls_base_url}/_sandbox/health").status_code == 200


def test_port_of_https_that_is_taken_leaves_nothing_listening(make_sandbox: Callable[..., Sandbox]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as other:
        server = SandboxServer(make_sandbox(tls=True), port=port, tls_port=other.getsockname()[1])
        with pytest.raises(OSError, match="the port is in use"):
            server.start()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)
    server.stop()


# --- those who steer it -----------------------------------------------------------------------------------------------


def test_remote_sandbox_works_over_tls(server: SandboxServer, ca_file: Path) -> None:
    with RemoteSandbox(server.tls_base_url or "", ca_file=ca_file) as remote:
        form = {"grant_type": "client_credentials", "client_id": remote.client_id}
        answer = requests.post(
            remote.token_url, {**form, "client_secret": remote.client_secret}, verify=str(ca_file), timeout=10
        )

        assert answer.status_code == 200
        assert len(remote.token_requests) == 1


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_remote_sandbox_heeds_the_variables_of_requests(
    server: SandboxServer, ca_file: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(ca_file))

    with RemoteSandbox(server.tls_base_url or "") as remote:
        assert remote.company == "acme"


def test_ca_file_wins_over_the_environment(
    server: SandboxServer, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")

    with RemoteSandbox(server.tls_base_url or "", ca_file=ca_file, session=requests.Session()) as remote:
        assert remote.company == "acme"


def test_authority_that_is_not_trusted_is_told_with_what_to_do(server: SandboxServer) -> None:
    with RemoteSandbox(server.tls_base_url or "") as remote, pytest.raises(UnreachableError) as caught:
        remote.reset()

    assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value)
    assert "name the authority to trust by ca_file (--ca-file, PATCHWORKS_SANDBOX_CA_FILE)" in str(caught.value)


@pytest.mark.parametrize(("text", "why"), [(None, "No such file or directory"), ("no PEM", "no certificate in it")])
def test_ca_file_that_cannot_be_used_is_told(tmp_path: Path, text: str | None, why: str) -> None:
    if text is not None:
        (tmp_path / "ca.pem").write_text(text)

    with pytest.raises(InvalidValueError) as caught:
        RemoteSandbox("https://localhost", ca_file=tmp_path / "ca.pem")

    assert str(caught.value).endswith(f"use a PEM file with a certificate authority ({why})")


@pytest.mark.parametrize("command", ["health", "requests"])
@pytest.mark.parametrize("how", ["option", "environment"])
def test_commands_work_over_tls(server: SandboxServer, ca_file: Path, command: str, how: str) -> None:
    option = ["--ca-file", str(ca_file)] if how == "option" else []
    environment = {"PATCHWORKS_SANDBOX_CA_FILE": "" if option else str(ca_file)}

    done = CliRunner().invoke(main, [command, "--url", server.tls_base_url or "", *option], env=environment)

    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("command", ["health", "requests"])
def test_commands_say_what_to_trust(server: SandboxServer, command: str) -> None:
    done = CliRunner().invoke(main, [command, "--url", server.tls_base_url or ""])

    assert done.exit_code in (1, 3)
    assert "PATCHWORKS_SANDBOX_CA_FILE" in done.output


@pytest.mark.parametrize(("text", "why"), [(None, "No such file or directory"), ("no PEM", "no certificate in PEM")])
def test_health_says_what_is_wrong_with_a_ca_file(tmp_path: Path, text: str | None, why: str) -> None:
    if text is not None:
        (tmp_path / "ca.pem").write_text(text)

    done = CliRunner().invoke(main, ["health", "--url", "https://localhost", "--ca-file", str(tmp_path / "ca.pem")])

    assert done.exit_code == 2
    assert f"Invalid value for --ca-file: {tmp_path / 'ca.pem'}: {why}" in done.output


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("curl", ["curl", "-fsS", "--cacert", "{ca}", "{url}"]),
        ("node", ["node", "-e", "fetch('{url}').then(async a => console.log(await a.text()))"]),
        ("php", ["php", "-d", "openssl.cafile={ca}", "-r", "echo file_get_contents('{url}');"]),
    ],
    ids=["curl", "node", "php"],
)
def test_client_in_another_language_trusts_the_authority(
    server: SandboxServer, ca_file: Path, name: str, command: list[str]
) -> None:
    program(name, in_ci=True)
    url = f"{server.tls_base_url}/_sandbox/health"
    arguments = [part.format(ca=ca_file, url=url) for part in command]

    done = subprocess.run(
        arguments,
        env={"NODE_EXTRA_CA_CERTS": str(ca_file), "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert '"status":"ok"' in done.stdout, done.stderr
