"""The command line, in process where it can be, and as a process where signals and files matter."""

from __future__ import annotations

import dataclasses
import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from click.testing import CliRunner, Result

from sandbox import Sandbox, __version__
from sandbox.cli import made_key, main
from sandbox.cli import serve as serve_module
from sandbox.cli.health import default_url
from sandbox.cli.options import GROUPS, OTHER
from sandbox.cli.serve import serve
from sandbox.foundation.settings import Settings, setting_specs
from sandbox.platform.fidelity import as_text, load_ledger
from sandbox.server.sandbox_server import SandboxServer
from tests import ROOT

PATIENCE_S = 5
SEED = """\
companies:
  - name: {name}
    connectors:
      - name: Web shop
        entities: [{{type: custom, name: anything}}]
        oauth_clients: [{{name: Integration, client_secret: "{secret}"}}]
        services: [{{vanity_url: {vanity_url}, entity: anything}}]
"""


class Served:
    """``serve`` run in this process and told to stop as soon as it runs."""

    def __init__(self, result: Result, settings: list[Settings]) -> None:
        self.exit_code, self.output = result.exit_code, result.output
        self._settings = settings

    @property
    def settings(self) -> Settings:
        """The settings that the sandbox was made with."""
        assert self.exit_code == 0, self.output
        return self._settings[0]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Served]:
    """Run ``serve`` in an empty folder, on a free port."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PATCHWORKS_SANDBOX_")]:
        monkeypatch.delenv(name)
    settings: list[Settings] = []
    start = SandboxServer.start

    def noted(self: SandboxServer) -> SandboxServer:
        settings.append(self.sandbox.initial_settings)
        return start(self)

    def stopped() -> threading.Event:
        event = threading.Event()
        event.set()
        return event

    monkeypatch.setattr(SandboxServer, "start", noted)
    monkeypatch.setattr(serve_module, "_stop_on_signals", stopped)

    def run_serve(*arguments: str, input: str | None = None, **environment: str) -> Served:
        port = () if "--port" in arguments else ("--port", "0")
        env = {f"PATCHWORKS_SANDBOX_{name.upper()}": value for name, value in environment.items()}
        return Served(CliRunner().invoke(main, ["serve", *port, *arguments], input=input, env=env), settings)

    return run_serve


# --- settings: where they come from -----------------------------------------------------------------------------------


def test_every_setting_is_an_option_and_in_a_group() -> None:
    options = {parameter.name for parameter in serve.params}
    settings = {spec.name for spec in setting_specs()}
    grouped = [name for names in GROUPS.values() for name in names]

    assert settings <= options
    assert len(grouped) == len(set(grouped))
    assert options - set(grouped) == {"random_seed"}
    assert set(grouped) <= options


@pytest.mark.parametrize(
    ("sources", "expected"),
    [("flag environment file", 1), ("environment file", 2), ("file", 3), ("", 4)],
    ids=["flag", "environment", "file", "seed"],
)
def test_flag_wins_over_environment_over_file_over_seed(
    run: Callable[..., Served], tmp_path: Path, sources: str, expected: int
) -> None:
    (tmp_path / "seed.yaml").write_text("settings: {threads: 4}\n")
    threads = "threads: 3\n" if "file" in sources else ""
    (tmp_path / "config.yaml").write_text(f"{threads}seed_file: [seed.yaml]\n")
    arguments = ["--threads", "1"] if "flag" in sources else []
    environment = {"threads": "2"} if "environment" in sources else {}

    served = run("--config-file", "config.yaml", *arguments, **environment)

    assert served.settings.threads == expected


def test_default_holds_when_nobody_says_anything(run: Callable[..., Served]) -> None:
    assert run().settings == Settings(port=0)


def test_file_takes_every_kind_of_value(run: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "rate_limit: yes\ntoken_lifetime: 1h\nscopes: [read, write]\nwire_profile: legacy\npublic_url: null\n"
    )

    settings = run(config_file="config.yaml").settings

    assert (settings.rate_limit, settings.token_lifetime) == (True, 3600)
    assert (settings.scopes, settings.wire_profile) == (("read", "write"), "legacy")


def test_switch_is_turned_off_again_by_a_flag(run: Callable[..., Served]) -> None:
    assert run("--no-rate-limit", rate_limit="true").settings.rate_limit is False


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "70000"], "port: '70000' is not allowed; use a whole number from 0 to 65535"),
        (["--wire-profile", "old"], "wire_profile: 'old' is not allowed; use modern or legacy"),
        (["--token-lifetime", "a day"], "token_lifetime: 'a day' is not allowed; use whole seconds from 1 to"),
        (["--signing-key-file", "no.pem"], "signing_key_file: 'no.pem' is not allowed; use a PEM file with an"),
        (["--wire-profil", "legacy"], "No such option"),
    ],
    ids=["number", "choice", "duration", "file", "typo"],
)
def test_bad_value_is_refused_with_what_is_allowed(run: Callable[..., Served], arguments: list[str], told: str) -> None:
    served = run(*arguments)

    assert served.exit_code in (1, 2)
    assert told in served.output
    assert "Traceback" not in served.output


def test_bad_value_in_the_environment_is_refused(run: Callable[..., Served]) -> None:
    served = run(wire_profile="old")

    told = "Error: wire_profile: 'old' is not allowed; use modern or legacy"
    place = "(environment variable PATCHWORKS_SANDBOX_WIRE_PROFILE)"
    assert (served.exit_code, served.output) == (1, f"{told} {place}\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wire_profil: legacy", "config.yaml:1: 'wire_profil' is unknown; did you mean 'wire_profile'? known: "),
        ("- port", "config.yaml: settings are 'name: value' lines, not list"),
        ("port: [", ": is not YAML: "),
        ("port: \x00", "config.yaml:1: the character '\\x00' is not allowed in YAML"),
        ("a: &a [1]\nport: *a", "config.yaml:2: anchors and aliases (&a, *a) are not allowed"),
        ("port: 1\nport: 2", "config.yaml:2: 'port' is already on line 1"),
        ("wire_profile: old", "wire_profile: 'old' is not allowed; use modern or legacy"),
        (
            "port: 9000\nrate_limit: perhaps",
            "rate_limit: 'perhaps' is not allowed; use true or false (configuration file config.yaml:2)",
        ),
        (
            "seed_file: {a: 1}",
            "config.yaml:1: seed_file: {'a': 1} is not allowed; use the path of a file, or a list of such",
        ),
        ("port: 1\nseed_file: [a, 5]", "config.yaml:2: seed_file: ['a', 5] is not allowed"),
        ("ready_file: [a]", "config.yaml:1: ready_file: ['a'] is not allowed; use the path of a file\n"),
        (None, "config.yaml: cannot be read: No such file or directory"),
    ],
    ids=[
        "typo",
        "list",
        "not YAML",
        "control character",
        "alias",
        "twice",
        "bad value",
        "bad boolean",
        "seed file that is none",
        "seed files one of which is none",
        "two ready files",
        "missing",
    ],
)
def test_bad_config_file_is_refused(run: Callable[..., Served], tmp_path: Path, text: str | None, told: str) -> None:
    if text is not None:
        (tmp_path / "config.yaml").write_text(text)

    served = run("--config-file", "config.yaml")

    assert served.exit_code in (1, 2)
    assert told in served.output


def test_empty_config_file_changes_nothing(run: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("# nothing yet\n")

    assert run("--config-file", "config.yaml").settings == Settings(port=0)


# --- seeds ------------------------------------------------------------------------------------------------------------


def test_several_seed_files_are_merged(run: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SEED.format(name="Acme", secret="secret-of-acme", vanity_url="one"))
    (tmp_path / "b.yaml").write_text(SEED.format(name="Acme", secret="secret-of-acme", vanity_url="two"))

    served = run("--seed-file", "a.yaml", "--seed-file", "b.yaml")

    assert served.exit_code == 0
    assert "/v1/acme/one\n" in served.output
    assert "/v1/acme/two\n" in served.output


def test_several_seed_files_may_stand_in_the_environment(run: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SEED.format(name="Acme", secret="secret-of-acme", vanity_url="one"))
    (tmp_path / "b.yaml").write_text(SEED.format(name="Acme", secret="secret-of-acme", vanity_url="two"))

    served = run(seed_file=os.pathsep.join(["a.yaml", "b.yaml"]))

    assert "/v1/acme/one\n" in served.output
    assert "/v1/acme/two\n" in served.output


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("companies:\n  - nme: Acme\n", "Error: seed.yaml:2: "),
        ("companies: [\n", "Error: seed.yaml:"),
        ("settings:\n  wire_profile: old\n", "wire_profile"),
        (None, "Error: seed.yaml: there is no such file; "),
    ],
    ids=["unknown key", "not YAML", "setting", "missing"],
)
def test_bad_seed_file_is_refused_with_file_and_line(
    run: Callable[..., Served], tmp_path: Path, text: str | None, told: str
) -> None:
    if text is not None:
        (tmp_path / "seed.yaml").write_text(text)

    served = run("--seed-file", "seed.yaml")

    assert served.exit_code == 1
    assert told in served.output
    assert "Traceback" not in served.output


@pytest.mark.parametrize("way", ["environment", "flag", "standard input"])
def test_seed_may_be_given_without_a_file(run: Callable[..., Served], way: str) -> None:
    text = SEED.format(name="Acme", secret="secret-of-acme", vanity_url="one")
    match way:
        case "environment":
            served = run(seed=text)
        case "flag":
            served = run("--seed", text)
        case _:
            served = run("--seed-file", "-", input=text)

    assert served.exit_code == 0, served.output
    assert "/v1/acme/one\n" in served.output


def test_seed_given_as_text_is_on_top_of_the_files(run: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SEED.format(name="Acme", secret="secret-of-acme", vanity_url="one"))

    served = run("--seed-file", "a.yaml", "--ready-file", "ready.json", seed='{"settings": {"token_lifetime": 7}}')

    assert served.settings.token_lifetime == 7
    assert list(json.loads((tmp_path / "ready.json").read_text())["inbound_urls"]) == ["one"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("companies:\n  - nme: Acme\n", "PATCHWORKS_SANDBOX_SEED:2: companies[0].nme: is unknown"),
        ("{companies: [{name: ${X}}]}", "put ${NAME} in quotes inside { } and [ ]"),
        (
            SEED.format(name="A", secret="long-enough", vanity_url="one").replace(
                "name: anything}", "name: anything, sample_file: a.json}"
            ),
            "sample_file: works in a seed file only; give the payload as sample",
        ),
        ("/seed/seed.yaml", "is a path, and here stands the seed itself; name a file by --seed-file or"),
    ],
    ids=["unknown key", "reference without quotes", "sample in a file", "path"],
)
def test_bad_seed_in_the_environment_is_refused_with_its_line(run: Callable[..., Served], text: str, told: str) -> None:
    served = run(seed=text)

    assert served.exit_code == 1
    assert told in served.output


@pytest.mark.parametrize("variables", [{"seed": " \r\n"}, {"seed_file": ""}, {"seed_file": ":"}], ids=str)
def test_blank_variable_is_no_seed(run: Callable[..., Served], variables: dict[str, str]) -> None:
    served = run(**variables)

    assert served.exit_code == 0, served.output
    assert "/v1/acme/anything\n" in served.output


def test_credentials_of_the_first_client_come_from_the_environment(run: Callable[..., Served], tmp_path: Path) -> None:
    client_id, secret = "3F0E8D5C-6c5b-4d0e-9a53-0c6f5b0a7d11", "a-secret-of-the-pipeline"

    served = run("--ready-file", "ready.json", client_id=client_id, client_secret=secret)

    ready = json.loads((tmp_path / "ready.json").read_text())
    assert (ready["client_id"], ready["client_secret"]) == (client_id.lower(), secret)
    assert "client secret   the one you gave\n" in served.output
    assert secret not in served.output


@pytest.mark.parametrize(
    ("given", "seed", "told"),
    [
        ({"client_id": "no-uuid"}, None, "client_id: 'no-uuid' is not allowed; use a UUID such as"),
        ({"client_secret": "a-good-secret"}, "{companies: [{name: Acme}]}", "none where the seed has no OAuth client"),
        (
            {"client_id": "3f0e8d5c-6c5b-4d0e-9a53-0c6f5b0a7d11"},
            (
                "{companies: [{name: Acme, connectors: [{name: Shop, oauth_clients: [{name: one}, "
                "{name: two, client_id: 3f0e8d5c-6c5b-4d0e-9a53-0c6f5b0a7d11}]}]}]}"
            ),
            "use an id that no other OAuth client of the seed has",
        ),
    ],
    ids=["no UUID", "no client", "taken"],
)
def test_credentials_that_cannot_be_had_are_refused(
    run: Callable[..., Served], given: dict[str, str], seed: str | None, told: str
) -> None:
    served = run(*(["--seed", seed] if seed else []), **given)

    assert served.exit_code == 1
    assert told in served.output
    assert "a-good-secret" not in served.output


def test_address_of_a_service_is_ignored_with_a_line(run: Callable[..., Served]) -> None:
    served = run(tls_port="tcp://10.96.11.12:8443")

    assert served.settings.tls_port == 8443
    line = "PATCHWORKS_SANDBOX_TLS_PORT=tcp://10.96.11.12:8443 is the address of a service or a container"
    assert served.output.count(line) == 1


def test_seed_without_clients_and_services_runs(run: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text("companies: [{name: Acme}]\n")

    served = run("--seed-file", "seed.yaml", "--ready-file", "ready.json")

    assert served.exit_code == 0
    assert "curl" not in served.output
    ready = json.loads((tmp_path / "ready.json").read_text())
    assert (ready["inbound_urls"], ready["client_id"], ready["client_secret"]) == ({}, None, None)


# --- listening --------------------------------------------------------------------------------------------------------


def test_port_that_is_taken_is_told(run: Callable[..., Served]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        served = run("--port", str(port))

    assert served.exit_code == 1
    assert served.output == (
        f"Error: Cannot listen on 127.0.0.1:{port}: the port is in use; choose another, or 0 for a free one\n"
    )


def test_host_that_cannot_be_had_is_told(run: Callable[..., Served]) -> None:
    served = run("--host", "host.invalid")

    assert served.exit_code == 1
    assert "Cannot listen on 'host.invalid'" in served.output


def key_lines(served: Served) -> list[str]:
    return [line.strip() for line in served.output.splitlines() if "control key" in line or "Warning" in line]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1.2.3"])
def test_on_loopback_there_is_no_key_and_no_word_of_it(run: Callable[..., Served], tmp_path: Path, host: str) -> None:
    served = run("--host", host, "--ready-file", "ready.json")

    assert (served.exit_code, key_lines(served)) == (0, [])
    assert json.loads((tmp_path / "ready.json").read_text())["control_key"] is None


def test_key_that_was_made_is_printed_and_in_the_ready_file(run: Callable[..., Served], tmp_path: Path) -> None:
    served = run("--host", "0.0.0.0", "--ready-file", "ready.json")

    key = json.loads((tmp_path / "ready.json").read_text())["control_key"]
    assert len(key) == 40
    assert key_lines(served) == [f"control key     {key}"]


@pytest.mark.skipif(os.name != "posix", reason="Windows does not show whose a folder is")
@pytest.mark.parametrize("given", [None, "given-by-its-user-0123"], ids=["made", "given"])
@pytest.mark.parametrize("public_url", ["", "https://sandbox.example"], ids=["by its port", "behind a proxy"])
def test_key_that_was_made_is_found_by_commands_while_it_runs(
    run: Callable[..., Served], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str | None, public_url: str
) -> None:
    monkeypatch.setattr(made_key, "_folders", lambda: [tmp_path / "keys"])
    seen: list[tuple[str | None, str | None]] = []
    ports: list[int] = []

    def announced(server: SandboxServer, **options: object) -> None:
        seen.append((made_key.find(f"http://127.0.0.1:{server.port}"), server.control_key))
        ports.append(server.port)

    monkeypatch.setattr(serve_module, "_announce", announced)
    served = run("--host", "0.0.0.0", *(["--control-key", given] if given else []), public_url=public_url)

    assert served.exit_code == 0, served.output
    ((found, in_force),) = seen
    assert found == (None if given else in_force)
    assert made_key.find(f"http://127.0.0.1:{ports[0]}") is None


@pytest.mark.parametrize("by", ["flag", "environment", "file"])
def test_key_that_was_given_is_in_force_and_not_printed(run: Callable[..., Served], tmp_path: Path, by: str) -> None:
    key = "given-by-its-user-0123"
    (tmp_path / "config.yaml").write_text(f"control_key: {key}\n")
    options = {"flag": ["--control-key", key], "file": ["--config-file", "config.yaml"], "environment": []}[by]

    served = run("--ready-file", "ready.json", *options, **({"control_key": key} if by == "environment" else {}))

    assert served.settings.control_key == key
    assert json.loads((tmp_path / "ready.json").read_text())["control_key"] == key
    assert key_lines(served) == ["control key     the one you gave"]
    assert key not in served.output


@pytest.mark.parametrize("by", ["flag", "environment"])
def test_listening_beyond_loopback_without_a_key_is_warned_of(run: Callable[..., Served], by: str) -> None:
    options = ["--no-control-key"] if by == "flag" else []

    served = run("--host", "0.0.0.0", *options, **({"no_control_key": "true"} if by == "environment" else {}))

    assert key_lines(served)[0].startswith("Warning: 0.0.0.0 is not loopback and --no-control-key was given.")


def test_no_key_where_none_is_needed_is_not_warned_of(run: Callable[..., Served]) -> None:
    assert key_lines(run("--no-control-key")) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--control-key", "guess-me"], "use 16 to 256 letters, digits and . _ ~ + / -"),
        (["--control-key", "0123456789abcdef", "--no-control-key"], "leave one of them out"),
    ],
    ids=["too short", "contradiction"],
)
def test_bad_key_is_refused_and_not_repeated(run: Callable[..., Served], options: list[str], told: str) -> None:
    served = run(*options)

    assert served.exit_code == 1
    assert told in served.output
    assert options[1] not in served.output


@pytest.mark.parametrize(("host", "in_file"), [("127.0.0.1", True), ("0.0.0.0", False)], ids=["here", "container"])
def test_line_to_paste_reads_a_file_only_where_its_reader_has_it(
    run: Callable[..., Served], host: str, in_file: bool
) -> None:
    served = run("--host", host)

    line = next(line for line in served.output.splitlines() if "--data-binary" in line)
    assert ("--data-binary @" in line) is in_file


def test_https_is_told_beside_http(run: Callable[..., Served], tmp_path: Path) -> None:
    served = run("--tls", "--tls-port", "0", "--tls-folder", "kept", "--ready-file", "ready.json")

    ready = json.loads((tmp_path / "ready.json").read_text())
    assert ready["base_url"].startswith("http://127.0.0.1:")
    assert ready["tls_base_url"].startswith("https://127.0.0.1:")
    assert ready["tls_ca_file"] == str(tmp_path / "kept" / "ca.pem")
    assert f"  over TLS        {ready['tls_base_url']}\n  authority       {ready['tls_ca_file']}\n" in served.output
    address = ready["tls_base_url"].removeprefix("https://")
    assert (
        f"curl -i --cacert {ready['tls_ca_file']} --connect-to inbound.pwks.co:443:{address} "
        "https://inbound.pwks.co/v1/acme/orders -H "
    ) in served.output


def test_authority_that_is_not_kept_is_fetched_in_the_lines_to_paste(run: Callable[..., Served]) -> None:
    served = run("--tls", "--tls-port", "0")

    assert "  authority       new at each start; --tls-folder keeps one\n" in served.output
    assert "/_sandbox/ca.pem -o patchworks-ca.pem\n\ncurl -i --cacert patchworks-ca.pem " in served.output


def test_own_certificate_is_used_without_naming_an_authority(run: Callable[..., Served], tmp_path: Path) -> None:
    leaf = trustme.CA().issue_cert("127.0.0.1")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")

    served = run("--tls", "--tls-port", "0", "--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem")

    assert "  authority       that of your certificate\n" in served.output
    assert "The same over TLS:\n\ncurl -i https://127.0.0.1:" in served.output


def test_tls_that_cannot_be_had_is_told(run: Callable[..., Served]) -> None:
    served = run("--tls", "--tls-cert-file", "cert.pem")

    assert served.exit_code == 1
    assert served.output.startswith("Error: tls_key_file: None is not allowed; use a PEM file with the unencrypted")


# --- the ready file ---------------------------------------------------------------------------------------------------


def log_of(served: Served) -> list[dict[str, Any]]:
    """Return the lines of a log that is all there is of the output."""
    return [json.loads(line) for line in served.output.splitlines()]


@pytest.mark.parametrize("level", ["info", "error"])
def test_log_for_programs_begins_with_what_the_ready_file_holds_and_is_all_there_is(
    run: Callable[..., Served], tmp_path: Path, level: str
) -> None:
    served = run("--log-format", "json", "--log-level", level, "--ready-file", "ready.json", "--host", "0.0.0.0")

    first, *others = log_of(served)
    ready = json.loads((tmp_path / "ready.json").read_text())
    assert first == {**first, "event": "ready", "message": "ready", "level": "info", **ready}
    assert len(first["control_key"]) == len(first["client_secret"]) == 40
    assert [line["event"] for line in others] == (["stopped"] if level == "info" else [])


def test_log_for_programs_holds_no_secret_that_was_given(run: Callable[..., Served]) -> None:
    secrets = {"control_key": "given-by-its-user-0123", "client_secret": "given-by-its-user-4567"}

    served = run("--log-format", "json", **secrets)

    assert {name: log_of(served)[0][name] for name in secrets} == dict.fromkeys(secrets)
    assert "given-by-its-user" not in served.output


def test_warnings_of_the_start_are_lines_of_a_log_for_programs(run: Callable[..., Served]) -> None:
    served = run("--log-format", "json", "--host", "0.0.0.0", "--no-control-key", tls_port="tcp://10.96.11.12:8443")

    ready, about_the_key, about_the_port, _ = log_of(served)
    assert ready["event"] == "ready"
    assert about_the_key["message"].startswith("0.0.0.0 is not loopback and --no-control-key was given.")
    assert about_the_port["message"].startswith("PATCHWORKS_SANDBOX_TLS_PORT=tcp://10.96.11.12:8443 is the address")


@pytest.mark.parametrize("form", ["text", "auto"])
def test_banner_is_printed_unless_the_log_was_asked_to_be_json(run: Callable[..., Served], form: str) -> None:
    served = run("--log-format", form)

    assert "is ready.\n" in served.output
    assert ('"event": "ready"' in served.output) == (form == "auto")  # no terminal here


def test_ready_file_holds_what_a_program_needs_to_know(run: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "ready.json").write_text("of an earlier run")

    served = run("--ready-file", "ready.json")

    ready = json.loads((tmp_path / "ready.json").read_text())
    base_url = ready["base_url"]
    assert served.exit_code == 0
    assert ready == {
        "base_url": base_url,
        "control_url": f"{base_url}/_sandbox",
        "control_key": None,
        "token_url": f"{base_url}/oauth/token",
        "inbound_urls": {name: f"{base_url}/v1/acme/{name}" for name in ("orders", "products", "anything")},
        "company": "acme",
        "client_id": "9d3c6f0e-4b7a-4c59-8f21-5e0a1b2c3d4e",
        "client_secret": ready["client_secret"],
        "flows": ready["flows"],
        "api_key": ready["api_key"],
        "login_url": f"{base_url}/api/v1/login",
        "start_url": f"{base_url}/api/v1",
        "core_url": f"{base_url}/api/v1",
        "version": __version__,
        "pid": os.getpid(),
        "tls_base_url": None,
        "tls_ca_file": None,
    }
    assert [len(ready[name]) for name in ("client_secret", "api_key")] == [40, 40]
    assert list(ready["flows"]["Orders in"]) == ["id", "start_url", "webhooks", "callbacks"]
    assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
def test_ready_file_is_readable_by_its_owner_only(run: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "ready.json").touch(mode=0o644)

    run("--ready-file", "ready.json")

    assert stat.S_IMODE((tmp_path / "ready.json").stat().st_mode) == 0o600


def test_ready_file_that_cannot_be_written_is_told(run: Callable[..., Served], tmp_path: Path) -> None:
    served = run("--ready-file", "nowhere/ready.json")

    place = Path("nowhere/ready.json")
    assert (served.exit_code, served.output) == (1, f"Error: {place}: No such file or directory\n")


def test_ready_file_of_an_earlier_run_is_gone_when_the_start_fails(run: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "ready.json").write_text("of an earlier run")
    with socket.create_server(("127.0.0.1", 0)) as other:
        served = run("--port", str(other.getsockname()[1]), "--ready-file", "ready.json")

    assert served.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_ready_file_is_whole_or_not_there(run: Callable[..., Served], tmp_path: Path, monkeypatch: Any) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sandbox.foundation.atomic_file.Path.replace", fail)

    served = run("--ready-file", "ready.json")

    assert (served.exit_code, served.output) == (1, "Error: No space left on device\n")
    assert list(tmp_path.iterdir()) == []


# --- as a process -----------------------------------------------------------------------------------------------------


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start ``serve`` as a process and return when it has printed its banner; whatever is left is killed."""
    started: list[subprocess.Popen[str]] = []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PATCHWORKS_SANDBOX_")}

    def start_serve(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.cli", "serve", "--port", "0", *arguments],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        assert any(line == "Ctrl-C stops it.\n" for line in lines), process.communicate()[1]
        return process

    yield start_serve
    for process in started:
        with process:
            process.kill()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no signals to send")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_it_also_while_clients_are_connected(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    process = start("--ready-file", "ready.json", "--log-level", "warning")
    ready = json.loads((tmp_path / "ready.json").read_text())
    with socket.create_connection(("127.0.0.1", int(ready["base_url"].rpartition(":")[2]))) as client:
        client.sendall(b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, errors) == (0, "")
    assert ready["pid"] == process.pid


@pytest.mark.skipif(os.name != "posix", reason="Windows has no signals to send")
def test_requests_are_logged_to_standard_error_and_a_full_pipe_delays_neither_them_nor_the_end(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = start("--ready-file", "ready.json")
    connection = http.client.HTTPConnection(json.loads((tmp_path / "ready.json").read_text())["base_url"][7:])
    for number in range(500):  # more than a pipe holds
        connection.request("GET", f"/{number:0199d}")
        assert connection.getresponse().read()
    connection.close()
    process.terminate()

    assert process.wait(PATIENCE_S) == 0
    assert process.stderr
    lines = [json.loads(process.stderr.readline()) for _ in range(2)]
    assert [line.get("event", line.get("path")) for line in lines] == ["ready", f"/{0:0199d}"]


# --- the other commands -----------------------------------------------------------------------------------------------


def test_control_api_is_not_loaded_before_its_first_request() -> None:
    code = """if True:
        import sys
        from click.testing import CliRunner
        import sandbox.cli.serve as module

        class Stop:
            waits = 0
            def wait(self, timeout):
                print("sandbox.web.control.app" in sys.modules, file=sys.stderr)
                self.waits += 1
                return self.waits == 2

        module._stop_on_signals = Stop
        result = CliRunner().invoke(module.serve, ["--port", "0", "--log-level", "warning"])
        print(result.stderr, result.exit_code)"""

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.split() == ["False", "False", "0"]


def test_help_of_serve_shows_the_options_in_groups() -> None:
    text = CliRunner().invoke(main, ["serve", "--help"]).output

    titles = [line.removesuffix(":") for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles == [*GROUPS, OTHER]
    assert "[modern|legacy]" in text
    assert "[default: 8025]" in " ".join(text.split())


def test_help_lists_the_commands_in_groups_and_the_exit_codes() -> None:
    text = CliRunner().invoke(main, ["--help"]).output

    groups = re.findall(r"^([A-Z][a-z]+):\n  (\w+) ", text, re.MULTILINE)
    assert groups == [
        ("Run", "serve"),
        ("Look", "requests"),
        ("Assert", "wait"),
        ("Certify", "certify"),
        ("Compare", "compare"),
        ("Control", "clock"),
        ("Reference", "openapi"),
    ]
    assert "\n  Exit codes:\n    0  done\n" in text


def test_misspelled_command_is_refused_with_the_nearest_name() -> None:
    result = CliRunner().invoke(main, ["server"])

    assert result.exit_code == 2
    assert "Error: No such command 'server'; did you mean 'serve'? known: serve, health, config, " in result.output


@pytest.mark.parametrize("arguments", [["--port", "1"], ["--no-such-option"], ["-p", "serve"]])
def test_option_before_the_command_is_refused_with_its_place(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments, prog_name="patchworks-sandbox")

    name = arguments[0]
    assert result.exit_code == 2
    expected = f"No such option '{name}' before a command; it follows one, as in: patchworks-sandbox serve {name}"
    assert expected in result.output


def test_version_is_told() -> None:
    result = CliRunner().invoke(main, ["--version"], prog_name="patchworks-sandbox")

    assert result.output == f"patchworks-sandbox {__version__}\n"


def test_health_is_good_when_the_sandbox_is_ready(sandbox: Sandbox) -> None:
    with SandboxServer(sandbox) as server:
        result = CliRunner().invoke(main, ["health", "--url", f"{server.base_url}/"])

    assert result.output == f"Patchworks Sandbox {__version__} is ready at {server.base_url}/\n"
    assert result.exit_code == 0


def test_health_finds_the_port_in_the_environment(sandbox: Sandbox) -> None:
    with SandboxServer(sandbox) as server:
        result = CliRunner().invoke(main, ["health"], env={"PATCHWORKS_SANDBOX_PORT": str(server.port)})

    assert result.exit_code == 0


def test_health_leaves_the_address_of_a_service_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHWORKS_SANDBOX_PORT", "tcp://10.96.11.12:9000")

    assert default_url() == "http://127.0.0.1:8025"


def test_health_is_bad_when_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

    result = CliRunner().invoke(main, ["health", "--url", f"http://127.0.0.1:{port}"])

    assert result.exit_code == 1
    assert result.output.startswith(f"Error: no answer from http://127.0.0.1:{port}/_sandbox/health/ready: ")


def test_health_is_bad_when_the_answer_takes_too_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
        result = CliRunner().invoke(main, ["health", "--url", url, "--timeout", "0.1"])

    assert (result.exit_code, result.output) == (1, f"Error: no answer from {url}/_sandbox/health/ready: timed out\n")


@pytest.mark.parametrize("path", ["/nowhere", "/_sandbox/nowhere"])
def test_health_is_bad_when_something_else_answers(sandbox: Sandbox, path: str) -> None:
    with SandboxServer(sandbox) as server:
        result = CliRunner().invoke(main, ["health", "--url", f"{server.base_url}{path}"])

    assert result.exit_code == 1
    assert "/_sandbox/health/ready answers 404: that is no sandbox that is ready" in result.output


@pytest.mark.parametrize(
    "sent",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"version":',
        b"HTTP/1.1 200 OK\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
    ],
    ids=["another protocol", "half an answer", "another answer", "deep"],
)
def test_health_is_bad_when_a_stranger_answers(sent: bytes) -> None:
    def answer() -> None:
        connection, _ = stranger.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(sent)

    with socket.create_server(("127.0.0.1", 0)) as stranger, ThreadPoolExecutor(1) as pool:
        pool.submit(answer)
        address = f"http://127.0.0.1:{stranger.getsockname()[1]}"
        result = CliRunner().invoke(main, ["health", "--url", address])

    told = f"Error: {address}/_sandbox/health/ready does not answer as a sandbox does\n"
    assert (result.exit_code, result.output) == (1, told)


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8025",
        "ftp://127.0.0.1",
        "http://",
        "http://127.0.0.1:abc",
        "http://127.0.0.1:99999",
        "http://[::1",
        "http://a b",
    ],
)
def test_health_refuses_what_is_no_url(url: str) -> None:
    result = CliRunner().invoke(main, ["health", "--url", url])

    assert result.exit_code == 2
    assert f"{url!r} is no http or https URL such as http://127.0.0.1:8025" in result.output


@pytest.mark.parametrize(
    ("options", "file"),
    [
        ([], "openapi.yaml"),
        (["--oas", "3.0"], "openapi-3.0.yaml"),
        (["--api", "flows"], "openapi-flows.yaml"),
        (["--api", "control"], "openapi-control.yaml"),
    ],
)
def test_openapi_document_is_printed(options: list[str], file: str) -> None:
    result = CliRunner().invoke(main, ["openapi", *options])

    assert result.output == (ROOT / file).read_text(encoding="utf-8")


def test_openapi_documents_are_written(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["openapi", "--output", str(tmp_path)])

    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["openapi-3.0.yaml", "openapi-control.yaml", "openapi-flows.yaml", "openapi.yaml"]
    for name in written:
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()


def test_resolved_document_is_that_of_the_seed_and_of_the_settings_of_serve(tmp_path: Path) -> None:
    seed = {
        "settings": {"success_status": 201},
        "companies": [
            {
                "name": "Beta",
                "connectors": [
                    {
                        "name": "Shop",
                        "entities": [{"type": "custom", "name": "stock", "sample": {"sku": "TEA-01", "qty": 2}}],
                        "services": [{"vanity_url": "stock", "entity": "stock"}],
                    }
                ],
            }
        ],
    }
    Path(tmp_path, "seed.yaml").write_text(json.dumps(seed), encoding="utf-8")
    options = ["--seed-file", str(tmp_path / "seed.yaml"), "--port", "9000"]
    environment = {"PATCHWORKS_SANDBOX_RATE_LIMIT": "true", "PATCHWORKS_SANDBOX_JOURNAL_FILE": str(tmp_path / "j")}

    result = CliRunner().invoke(main, ["openapi", "--resolve", *options], env=environment)

    document = yaml.safe_load(result.output)
    operation = document["paths"]["/v1/beta/stock"]["post"]
    assert {"201", "429"} <= set(operation["responses"])
    assert "200" not in operation["responses"]
    assert document["servers"][0]["url"] == "http://127.0.0.1:9000"
    assert document["components"]["schemas"]["StockPayload"]["required"] == ["sku", "qty"]
    assert not (tmp_path / "j").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--port", "9000"], "--port: only with --resolve"),
        (["--seed-file", "x.yaml"], "--seed-file: only with --resolve"),
        (["--api", "control", "--resolve"], "leave --api control out"),
        (["--resolve", "--seed-file", "/nowhere.yaml"], "/nowhere.yaml"),
        (["--resolve", "--success-status", "204"], "use 200 or 201"),
    ],
)
def test_openapi_options_that_make_no_sense_are_refused(options: list[str], message: str) -> None:
    result = CliRunner().invoke(main, ["openapi", *options])

    assert result.exit_code in (1, 2)
    assert message in result.output


def test_fidelity_ledger_is_printed_for_people_and_for_programs() -> None:
    told, data = (CliRunner().invoke(main, ["fidelity", *options]).output for options in ([], ["--json"]))

    assert told == f"{as_text(load_ledger())}\n"
    assert json.loads(data) == json.loads(json.dumps(dataclasses.asdict(load_ledger())))
