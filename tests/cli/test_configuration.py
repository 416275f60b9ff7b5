"""``config show``, and the environment variables that nobody reads."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from sandbox.cli import main
from sandbox.cli.configuration import config
from sandbox.cli.serve import serve
from sandbox.cli.variables import known_variables
from sandbox.foundation.settings import Settings, setting_specs
from tests import ROOT

KEY = "a-key-that-nobody-is-to-see"

Show = Callable[..., Result]


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Work in an empty folder, without variables of the sandbox."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PATCHWORKS_SANDBOX_")]:
        monkeypatch.delenv(name)
    return tmp_path


def run(*arguments: str, **environment: str) -> Result:
    env = {f"PATCHWORKS_SANDBOX_{name}": value for name, value in environment.items()}
    return CliRunner().invoke(main, arguments, env=env)


def shown(*arguments: str, **environment: str) -> dict[str, dict[str, Any]]:
    result = run("config", "show", "--json", *arguments, **environment)
    assert result.exit_code == 0, result.output
    found: dict[str, dict[str, Any]] = json.loads(result.output)
    return found


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ("flag environment file seed", {"value": 1, "source": "flag", "where": "--threads"}),
        ("environment file seed", {"value": 2, "source": "environment", "where": "PATCHWORKS_SANDBOX_THREADS"}),
        ("file seed", {"value": 3, "source": "config_file", "where": "config.yaml:1"}),
        ("seed", {"value": 4, "source": "seed", "where": "seed.yaml:2"}),
        ("", {"value": 16, "source": "default", "where": None}),
    ],
    ids=["flag", "environment", "configuration file", "seed", "default"],
)
def test_value_is_told_with_where_it_came_from(folder: Path, sources: str, expected: dict[str, Any]) -> None:
    (folder / "seed.yaml").write_text("settings:\n  threads: 4\n" if "seed" in sources else "")
    (folder / "config.yaml").write_text("threads: 3\n" if "file" in sources else "threads:\n")
    arguments = ["--threads", "1"] if "flag" in sources else []
    environment = {"THREADS": "2"} if "environment" in sources else {}

    settings = shown("--config-file", "config.yaml", "--seed-file", "seed.yaml", *arguments, **environment)

    assert settings["threads"] == expected


def test_of_two_seed_files_the_one_that_wins_is_told(folder: Path) -> None:
    (folder / "one.yaml").write_text("settings: {threads: 4, token_lifetime: 5}\n")
    (folder / "two.yaml").write_text("companies: []\nsettings:\n  threads: 5\n")

    settings = shown("--seed-file", "one.yaml", "--seed-file", "two.yaml")

    assert settings["threads"] == {"value": 5, "source": "seed", "where": "two.yaml:3"}
    assert settings["token_lifetime"] == {"value": 5, "source": "seed", "where": "one.yaml:1"}


def test_files_may_be_named_by_the_environment(folder: Path) -> None:
    (folder / "config.yaml").write_text("port: 9000\n")

    assert shown(CONFIG_FILE="config.yaml")["port"] == {
        "value": 9000,
        "source": "config_file",
        "where": "config.yaml:1",
    }


def test_every_setting_is_shown_with_its_default() -> None:
    found = {name: setting["value"] for name, setting in shown().items()}

    assert found == json.loads(json.dumps({spec.name: spec.default for spec in setting_specs()}))


def test_table_has_a_line_for_each_setting() -> None:
    lines = run("config", "show", "--no-tls", "--tls-names", "a.test,b.test", HOST="localhost").output.splitlines()

    rows = [re.split(r" {2,}", line) for line in lines]
    assert rows[0] == ["SETTING", "VALUE", "FROM"]
    assert [row[0] for row in rows[1:]] == [spec.name for spec in setting_specs()]
    assert ["host", "localhost", "environment variable PATCHWORKS_SANDBOX_HOST"] in rows
    assert ["tls", "false", "flag --tls"] in rows
    assert ["tls_names", "a.test,b.test", "flag --tls-names"] in rows
    assert ["public_url", "-", "default"] in rows


@pytest.mark.parametrize("way", ["--json", "--no-json"])
def test_secret_is_not_shown_but_that_there_is_one(way: str) -> None:
    arguments = ["--json"] if way == "--json" else []
    result = run("config", "show", *arguments, CONTROL_KEY=KEY)

    assert result.exit_code == 0
    assert KEY not in result.output
    assert "(not shown)" in result.output
    assert "PATCHWORKS_SANDBOX_CONTROL_KEY" in result.output


def test_it_takes_the_options_of_serve() -> None:
    command = config.commands["show"]

    assert {option.name for option in command.params} == {option.name for option in serve.params} | {"as_json"}


def test_nothing_is_made_or_opened(folder: Path) -> None:
    shown("--tls", "--tls-folder", "tls", "--journal-file", "journal.ndjson", "--ready-file", "ready.json")

    assert list(folder.iterdir()) == []


# --- what is refused is told with its place ---------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["serve"], ["config", "show"]], ids=["serve", "config show"])
@pytest.mark.parametrize(
    ("given", "seed", "told"),
    [
        ((["--port", "x"], {}), "port: 1", "(flag --port)"),
        (([], {"PORT": "x"}), "port: 1", "(environment variable PATCHWORKS_SANDBOX_PORT)"),
        (([], {"TLS": "x"}), "port: 1", "tls: 'x' is not allowed; use true or false (environment variable PATCH"),
        ((["--port", "1"], {}), "port: x", "(seed file seed.yaml:1)"),
        (([], {}), "prot: 1", "(seed file seed.yaml:1)"),
        ((["--no-control-key"], {}), f"control_key: {KEY}", "(flag --no-control-key)"),
    ],
    ids=[
        "flag",
        "environment",
        "switch in the environment",
        "seed under a good flag",
        "unknown in the seed",
        "two that do not go together",
    ],
)
def test_refused_setting_is_told_with_its_place(
    folder: Path, command: list[str], given: tuple[list[str], dict[str, str]], seed: str, told: str
) -> None:
    arguments, environment = given
    (folder / "seed.yaml").write_text(f"settings: {{{seed}}}\n")

    result = run(*command, "--seed-file", "seed.yaml", *arguments, **environment)

    assert result.exit_code == 1
    assert told in result.output
    assert KEY not in result.output


def test_bad_seed_file_is_told_with_its_line(folder: Path) -> None:
    (folder / "seed.yaml").write_text("companies: 1\n")

    result = run("config", "show", "--seed-file", "seed.yaml")

    assert result.exit_code == 1
    assert "Error: seed.yaml:1: companies: 1 is not allowed" in result.output


# --- variables that nobody reads --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["serve"], ["config", "show"]], ids=["serve", "config show"])
def test_misspelled_variable_is_refused_with_the_nearest_name(command: list[str]) -> None:
    result = run(*command, PROT="9000", QQQQQQ="")

    assert result.exit_code == 2
    assert (
        "Error: The environment variable PATCHWORKS_SANDBOX_PROT is unknown; did you mean PATCHWORKS_SANDBOX_PORT?\n"
        "The environment variable PATCHWORKS_SANDBOX_QQQQQQ is unknown\n"
        "'patchworks-sandbox serve --help' lists the options; a variable of your own needs another prefix than "
        "PATCHWORKS_SANDBOX_.\n"
    ) in result.output


def test_variable_in_lower_case_is_refused_with_the_name_in_upper_case() -> None:
    result = run("config", "show", wire_profile="legacy")

    assert "WIRE_PROFILE?" in result.output.partition("PATCHWORKS_SANDBOX_wire_profile is unknown; did you mean ")[2]


@pytest.mark.parametrize(
    "name",
    [
        "URL",
        "CA_FILE",
        "CONTROL_KEY",
        "SERVICE_HOST",
        "SERVICE_PORT",
        "SERVICE_PORT_HTTP",
        "PORT_8025_TCP",
        "PORT_8025_TCP_PROTO",
        "PORT_8025_TCP_PORT",
        "PORT_8025_TCP_ADDR",
        "TLS_SERVICE_HOST",
        "TLS_SERVICE_PORT_HTTPS",
        "TLS_PORT_8443_TCP_ADDR",
    ],
)
def test_variable_that_is_no_setting_of_serve_may_stand_there(name: str) -> None:
    assert shown(**{name: KEY})["port"]["source"] == "default"


@pytest.mark.parametrize(("name", "port"), [("PORT", 8025), ("TLS_PORT", 8443)])
@pytest.mark.parametrize("address", ["tcp://10.96.11.12:1", "udp://[::1]:1"])
def test_address_of_a_service_is_no_port(name: str, port: int, address: str) -> None:
    assert shown(**{name: address})[name.lower()] == {"value": port, "source": "default", "where": None}


@pytest.mark.parametrize(("name", "value"), [("PORT", "tcp:8025"), ("HOST", "tcp://10.96.11.12:1")])
def test_value_that_is_no_address_of_a_service_is_read(name: str, value: str) -> None:
    result = run("config", "show", **{name: value, "SERVICE_HOST": "10.96.11.12"})

    assert (name == "HOST") == (value in result.output and result.exit_code == 0)


def test_variables_of_a_linked_container_may_stand_beside_its_address_and_nowhere_else() -> None:
    linked = {"NAME": "/build/patchworks-sandbox", "ENV_PATCHWORKS_SANDBOX_CONTROL_KEY": KEY}

    assert shown(PORT="tcp://172.17.0.2:8025", **linked)["port"]["source"] == "default"
    assert run("config", "show", **linked).exit_code == 2


# --- secrets in files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [spec.name for spec in setting_specs() if spec.secret])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_secret_may_stand_in_a_file(folder: Path, name: str, end: str) -> None:
    (folder / "secret").write_bytes((KEY + end).encode())

    found = shown(**{f"{name.upper()}_FILE": "secret"})[name]

    assert found == {
        "value": "(not shown)",
        "source": "environment",
        "where": f"PATCHWORKS_SANDBOX_{name.upper()}_FILE",
    }


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "(No such file or directory)"),
        (b"", "(it is empty)"),
        (b"\n", "(it is empty)"),
        (b"\xff", "(it is not UTF-8)"),
        (b"x" * 65_537, "(it is larger than 64 KiB)"),
        (b"short", "client_secret: what was given (it is not shown) is not allowed; use 8 to 255 printable"),
        (b"one line\nand another", "client_secret: what was given (it is not shown) is not allowed; use 8 to 255"),
    ],
    ids=["missing", "empty", "a line's end", "no text", "large", "too short", "two lines"],
)
def test_file_without_a_secret_is_refused_with_the_reason(folder: Path, content: bytes | None, told: str) -> None:
    if content is not None:
        (folder / "secret").write_bytes(content)

    result = run("config", "show", CLIENT_SECRET_FILE="secret")

    assert result.exit_code != 0
    assert told in result.output
    assert "PATCHWORKS_SANDBOX_CLIENT_SECRET_FILE" in result.output


def test_secret_and_its_file_at_once_are_refused(folder: Path) -> None:
    (folder / "secret").write_text(KEY)

    result = run("config", "show", CONTROL_KEY=KEY, CONTROL_KEY_FILE="secret")

    assert result.exit_code == 2
    assert "use one of the two: PATCHWORKS_SANDBOX_CONTROL_KEY is set as well" in result.output
    assert KEY not in result.output


def test_every_variable_of_an_option_is_known() -> None:
    def variables(command: click.Command) -> set[str]:
        within = _within(command)
        own = {option.envvar for option in command.params if isinstance(option.envvar, str)}
        return own.union(*map(variables, within))

    in_files = {f"{spec.env}_FILE" for spec in setting_specs() if spec.secret}
    assert variables(main) | in_files == set(known_variables())


def test_every_variable_that_the_code_reads_is_known() -> None:
    named = re.compile(r"(?<![A-Z_])(?:PATCHWORKS_SANDBOX_|\{ENV_PREFIX\})([A-Z]+(?:_[A-Z]+)*)")
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "sandbox").rglob("*.py")]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / ".github").rglob("*.*") if path.is_file()]
    texts += [(ROOT / name).read_text(encoding="utf-8") for name in ("Dockerfile", "compose.yaml", "README.md")]

    found = {f"PATCHWORKS_SANDBOX_{name}" for text in texts for name in named.findall(text)}

    assert found <= set(known_variables())
    assert {"PATCHWORKS_SANDBOX_URL", "PATCHWORKS_SANDBOX_CA_FILE"} <= found


def test_settings_shown_are_those_of_a_sandbox() -> None:
    assert list(shown()) == [spec.name for spec in setting_specs()]
    assert Settings().changed({name: setting["value"] for name, setting in shown().items()}) == Settings()


def _within(command: click.Command) -> list[click.Command]:
    if not isinstance(command, click.Group):
        return []
    context = click.Context(command)
    return [found for name in command.list_commands(context) if (found := command.get_command(context, name))]
