"""The help of every command: a whole summary, an example that runs, and the fields of a refusal by its own names."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sandbox import SandboxServer
from sandbox.cli import main
from sandbox.cli.examples import EXAMPLES, examples_of
from tests.cli.conftest import Run, push


def commands(group: click.Group = main, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that is no group, with its path."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        where = f"{path} {name}".strip()
        if isinstance(command, click.Group):
            yield from commands(command, where)
        elif not command.hidden:
            yield where, command


COMMANDS = dict(commands())
NOT_RUN = {"serve", "mcp", "health", "wait", "violations", "completion", "certify", "storm"}
"""They run until stopped, or name an address, a shell or a program; other tests run them."""
RUN = [(path, line) for path in COMMANDS if path not in NOT_RUN for line in examples_of(path)]


def test_every_example_is_of_a_command() -> None:
    assert EXAMPLES.keys() <= COMMANDS.keys()


@pytest.mark.parametrize("path", COMMANDS)
def test_help_ends_with_the_examples(path: str) -> None:
    told = CliRunner().invoke(main, [*path.split(), "--help"]).output

    assert "\n  Examples:\n    " in told
    assert examples_of(path)[-1] in told


@pytest.mark.parametrize("path", COMMANDS)
def test_summary_is_not_cut(path: str) -> None:
    assert not COMMANDS[path].get_short_help_str(63).endswith("...")


@pytest.mark.parametrize("path", COMMANDS)
def test_example_parses(path: str) -> None:
    for line in examples_of(path):
        arguments = shlex.split(line.partition(" > ")[0])
        if arguments[0] not in ("eval", "patchworks-sandbox"):
            words = len(path.split())
            command = COMMANDS[path]
            command.make_context(path, arguments[words:], resilient_parsing=True)
            assert arguments[:words] == path.split()


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("path", "line"), RUN, ids=[line for _, line in RUN])
def test_example_runs(path: str, line: str, run: Run, server: SandboxServer, in_folder: Path) -> None:
    (in_folder / "my-seed.yaml").write_text("companies: []\n", encoding="utf-8")
    run("state", "save", "state.json")
    run("faults", "add", "hang", "--name", "slow", "--service", "nothing")
    rule = json.loads(run("faults", "list", "--json").stdout)["faults"][0]["id"]
    push(server)
    run("export", "-o", "journal.ndjson")
    run("export", "--format", "har", "-o", "recorded.har")
    run("export", "--format", "har", "-o", "recorded.redacted.har")
    arguments = [rule if word == "fault-1" else word for word in shlex.split(line.partition(" > ")[0])]

    result = CliRunner().invoke(main, arguments, env={"PATCHWORKS_SANDBOX_URL": server.base_url})

    assert result.exit_code == (1 if path == "verify" else 0), result.output


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("clock advance 24hh", "DURATION '24hh' is not allowed. Use "),
        ("clock set tomorrow", "INSTANT 'tomorrow' is not allowed. Use "),
        ("clients create ab", "NAME 'ab' is not allowed. Use "),
        ("requests --since yesterday", "--since 'yesterday' is not allowed. Use "),
        ("verify --json-path $.[", "--json-path '$.[' is not allowed. Use "),
        ("duplicates --json-path $.[", "--json-path '$.[' is not allowed. Use "),
        ("faults add status code=9999", "code 9999 is not allowed. Use "),
        ("faults add status", "code is missing. Give a whole number from 200 to 599."),
        ("faults add latency foo=2", "foo is unknown; known: distribution, seconds"),
        ("faults add latency secnds=2", "secnds is unknown; did you mean 'seconds'? known: distribution"),
        ("faults add statsu", "KIND 'statsu' is not allowed. Use a kind of fault; did you mean 'status'?"),
        ("settings set threads=3", "threads 3 is not allowed. Use "),
    ],
)
def test_refusal_names_the_field_as_the_command_does(line: str, words: str, server: SandboxServer) -> None:
    result = CliRunner().invoke(main, line.split(), env={"PATCHWORKS_SANDBOX_URL": server.base_url})

    assert result.exit_code in (1, 2)
    assert f"Error: {words}" in result.output
