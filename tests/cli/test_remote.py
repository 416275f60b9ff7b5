"""The commands that steer a running sandbox, in this process against a server."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import click.shell_completion
import click_pwsh
import pytest
import requests
from click.testing import CliRunner, Result

from sandbox import Sandbox, SandboxServer
from sandbox.cli import main
from sandbox.cli.output import printable, printable_lines, table
from sandbox.errors import ProblemError
from sandbox.state.seed import Seed
from sandbox.testing.remote.control_api import ControlApi
from tests import ROOT
from tests.cli.conftest import Run, push
from tests.journal.journals import exchange

# --- requests ---------------------------------------------------------------------------------------------------------


def test_requests_are_a_table_for_people(run: Run, server: SandboxServer) -> None:
    push(server)
    before = server.sandbox.journal.events()
    server.sandbox.clock.advance(hours=24)

    lines = run("requests").stdout.splitlines()
    del lines[1 : 1 + len(before)]  # of the fixture
    assert lines.pop() == "        12:00:00          (1 d later on the sandbox clock)"
    last = lines[-1]
    lines[-1] = last.partition(" (attempt")[0]
    assert lines == [
        "     #  TIME      STATUS  REQUEST                                   WHAT",
        "     1  12:00:00  200     POST /oauth/token                         accepted",
        "     2  12:00:00  200     POST /v1/acme/anything                    accepted",
        "     3  12:00:00  401     POST /v1/acme/anything                    malformed_token: 1 part, a JWT has 3",
    ]
    assert re.fullmatch(r" \(attempt 2, \d+\.\d s after #2\)", last.removeprefix(lines[-1]))


def test_requests_are_json_lines_for_programs(run: Run, server: SandboxServer) -> None:
    push(server)

    lines = run("requests", "--json", "--kind", "inbound").stdout.splitlines()
    assert [json.loads(line)["status"] for line in lines] == [200, 401]


def test_requests_and_show_print_json_whatever_number_was_sent(run: Run, server: SandboxServer) -> None:
    push(server, b'{"total": 1e400}')

    lines = run("requests", "--json", "--kind", "inbound").stdout.splitlines()
    shown = run("show", "2", "--json").stdout
    assert [json.loads(text, parse_constant=pytest.fail)["json"] for text in (*lines, shown)] == [None] * 3


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--kind", "token"], [1]),
        (["--outcome", "rejected"], [3]),
        (["--status", "401"], [3]),
        (["--service", "anything"], [2, 3]),
        (["--company", "beta"], []),
        (["--json-path", "$.order"], [2, 3]),
        (["--since", "2026-11-23T12:00:01Z"], []),
        (["--limit", "1"], [3]),
        (["--limit", "0"], [1, 2, 3]),
    ],
    ids=lambda value: " ".join(map(str, value)),
)
def test_requests_are_filtered(options: list[str], numbers: list[int], run: Run, server: SandboxServer) -> None:
    push(server)

    found = run("requests", "--json", *options).stdout.splitlines()
    assert [json.loads(line)["seq"] for line in found] == numbers


def test_filter_that_is_none_is_refused_with_what_is_allowed(run: Run) -> None:
    result = run("requests", "--json-path", "order", exit_code=1)

    assert result.stderr.startswith("Error: --json-path 'order' is not allowed. Use an RFC 9535 JSONPath")


def test_dropped_requests_are_told(run: Run, server: SandboxServer) -> None:
    server.sandbox.change_settings({"journal_entries": 1})
    push(server)

    assert run("requests").stderr == "2 older requests were dropped because the journal was full.\n"


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Start programs that Ctrl-C ends, as at a terminal: from what a shell runs in the background they learn not to."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_requests_are_followed(server: SandboxServer) -> None:
    push(server)
    command = [sys.executable, "-u", "-m", "sandbox.cli", "requests", "--follow", "--url", server.base_url]
    following = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert following.stdout is not None
    lines = [following.stdout.readline() for _ in range(4 + len(server.sandbox.journal.events()))]
    push(server)
    lines += [following.stdout.readline() for _ in range(3)]
    server.sandbox.reset()
    push(server)
    lines.append(following.stdout.readline())
    following.send_signal(signal.SIGINT)
    _, errors = following.communicate(timeout=10)

    assert [line.split()[0] for line in lines if "clock" not in line] == ["#", "1", "2", "3", "4", "5", "6", "1"]
    assert errors == "The sandbox was reset; numbers begin at 1 again.\n"
    assert following.returncode == 0


def test_faulted_request_is_listed_with_its_fault_and_whether_it_was_stored(run: Run, server: SandboxServer) -> None:
    run("faults", "add", "status", "code=503", "--name", "refused", "--endpoint", "inbound", "--times", "1")
    push(server)
    run("faults", "add", "status", "code=503", "--name", "lost", "--endpoint", "inbound", "--accept", "--times", "1")
    push(server)

    lines = run("requests", "--outcome", "faulted").stdout.splitlines()[1:]
    told = [line.split(maxsplit=5)[5].partition(" (attempt")[0] for line in lines]
    assert told == ["fault refused", "fault lost, though accepted"]


def test_requests_that_are_gone_before_they_can_be_followed_are_counted(run: Run, monkeypatch: Any) -> None:
    told = ["event: dropped", 'data: {"missed": 7, "dropped": 7}', ""]
    monkeypatch.setattr(ControlApi, "lines", lambda *_, **__: iter(told))

    assert run("requests", "--follow").stderr == "7 requests were missed: the journal was full or cleared.\n"


def test_reader_that_leaves_ends_a_list_quietly(server: SandboxServer) -> None:
    for _ in range(40):  # more than a pipe holds
        requests.get(f"{server.base_url}/{'x' * 4000}", timeout=10)
    script = f"{sys.executable} -m sandbox.cli requests --limit 0 --url {server.base_url} | head -n 1"
    done = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)

    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


# --- show and export --------------------------------------------------------------------------------------------------


def test_request_is_shown_whole(run: Run, server: SandboxServer) -> None:
    push(server, b'{\n\t"order": "1001"\n}')

    text = run("show", "3").stdout
    assert text.startswith("#3 POST /v1/acme/anything\nreceived  2026-11-23T12:00:00.000000Z on the sandbox clock, ")
    assert "\noutcome   rejected: malformed_token: 1 part, a JWT has 3\n" in text
    assert '\n\n  {\n      "order": "1001"\n  }\n\nAnswer\n\n  ' in text
    assert '\n\n  {"message":"Unauthenticated."}\n' in text
    assert "The value after `Bearer` is not a JWT. Send the value of `access_token`" in text
    assert json.loads(run("show", "3", "--json").stdout)["reason"] == "malformed_token: 1 part, a JWT has 3"


def test_request_is_shown_with_the_delay_of_a_fault(run: Run, server: SandboxServer) -> None:
    late = exchange(fault="late", effect="latency: answered 200, 2.000 s late", delay_ms=2000.0)
    server.sandbox.journal.close(late, 200, (), b"")

    told = run("show", "1").stdout

    assert ", 2000.0 ms late\n" in told
    assert "late (latency: answered 200, 2.000 s late)" in told


def test_request_that_is_not_there_is_told_with_those_that_are(run: Run, server: SandboxServer) -> None:
    push(server)
    result = run("show", "9", exit_code=1)

    assert result.stderr.startswith("Error: there is no journal entry '9'; known: ")
    assert "Traceback" not in result.output


def test_what_is_received_cannot_steer_the_terminal(run: Run, server: SandboxServer) -> None:
    push(server, b'{"order": "\x1b]0;owned\x07"}')
    requests.get(f"{server.base_url}/%1b[2J", timeout=10)

    for text in (run("requests").stdout, run("show", "2").stdout, run("show", "4").stdout):
        assert "\x1b" not in text
        assert "\x07" not in text


# An output of Windows that is no terminal; it has neither an emoji nor the mark that replaces control characters.
CP1252 = {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["requests"], b"404"),
        (["show", "2"], b'{"name": "Zo\xeb \\U0001f600", "bell": "\\ufffd"}'),
        (["clients", "list"], b"\\U0001f600 shop"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_command_escapes_characters_that_its_output_lacks(
    command: list[str], shown: bytes, server: SandboxServer
) -> None:
    push(server, '{"name": "Zoë 😀", "bell": "\a"}'.encode())
    requests.get(f"{server.base_url}/😀", timeout=10)
    server.sandbox.store.add_client(1, "😀 shop")

    done = _run_with_output_in(CP1252, *command, server=server)

    assert (done.returncode, done.stderr) == (0, b"")
    assert shown in done.stdout


@pytest.mark.parametrize("command", [["requests", "--json", "--limit", "1"], ["show", "1", "--json"]], ids=" ".join)
def test_command_prints_json_in_ascii_where_its_output_is_not_utf_8(command: list[str], server: SandboxServer) -> None:
    requests.post(server.patchworks.inbound("anything").url, data='{"name": "Zoë 😀"}'.encode(), timeout=10)

    done = _run_with_output_in(CP1252, *command, server=server)

    assert json.loads(done.stdout.decode("ascii"))["body"] == '{"name": "Zoë 😀"}'


def _run_with_output_in(
    encoding: dict[str, str], *command: str, server: SandboxServer
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **encoding, "PATCHWORKS_SANDBOX_URL": server.base_url}
    line = [sys.executable, "-m", "sandbox.cli", *command]
    return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, timeout=60, check=False)


def test_export_is_written_to_a_file(run: Run, server: SandboxServer, tmp_path: Path) -> None:
    push(server)
    run("export", "--format", "har", "--kind", "inbound", "-o", str(tmp_path / "requests.har"))

    har = json.loads((tmp_path / "requests.har").read_text(encoding="utf-8"))
    assert [entry["response"]["status"] for entry in har["log"]["entries"]] == [200, 401]
    lines = [json.loads(line) for line in run("export").stdout.splitlines()]
    assert [line["seq"] for line in lines if "event" not in line] == [1, 2, 3]
    assert len(lines) == 3 + len(server.sandbox.journal.events())


# --- clock ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["show"], "2026-11-23T12:00:00.000000Z, frozen\n"),
        (["advance", "24h"], "2026-11-24T12:00:00.000000Z, frozen\n"),
        (["advance", "--", "-1h30m"], "2026-11-23T10:30:00.000000Z, frozen\n"),
        (["set", "2027-01-01T00:00:00+01:00"], "2026-12-31T23:00:00.000000Z, frozen\n"),
        (["freeze"], "2026-11-23T12:00:00.000000Z, frozen\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_clock_is_moved(command: list[str], told: str, run: Run) -> None:
    assert run("clock", *command).stdout == told


def test_clock_runs_on_at_a_rate_and_returns_to_real_time(run: Run, server: SandboxServer) -> None:
    run("clock", "unfreeze")
    assert not server.sandbox.clock.frozen
    assert run("clock", "rate", "3600").stdout.endswith("Z, 3600 s a second\n")
    assert json.loads(run("clock", "show", "--json").stdout)["rate"] == 3600
    run("clock", "reset")
    assert not server.sandbox.clock.moved


def test_duration_that_is_none_is_refused_with_what_is_allowed(run: Run) -> None:
    assert (
        "DURATION '1 day' is not allowed. Use 24h, 1h30m, 90s, PT24H"
        in run("clock", "advance", "1 day", exit_code=1).stderr
    )


# --- faults -----------------------------------------------------------------------------------------------------------


def test_fault_is_added_listed_and_removed(run: Run, server: SandboxServer) -> None:
    added = run("faults", "add", "status", "code=503", "body=sorry", "--endpoint", "inbound", "--times", "2").stdout
    push(server)

    assert added.splitlines()[0].split() == ["ID", "NAME", "FAULT", "FOR", "ACTED"]
    assert run("faults", "list").stdout.splitlines()[1] == (
        "fault-1  -     status code=503 body=sorry  endpoint=inbound  1 of 2"
    )
    run("faults", "remove", "fault-1")
    assert run("faults", "list").stdout == "no faults\n"


def test_rule_is_read_from_a_file(run: Run, server: SandboxServer) -> None:
    rule = {"name": "tea", "fault": {"kind": "status", "code": 418}, "match": {"json_path": {"$.order": "1001"}}}
    answer = json.loads(run("faults", "add", "--rule", "-", "--json", input=json.dumps(rule)).stdout)

    assert answer["faults"][0]["rule"]["name"] == "tea"
    assert server.sandbox.platform.faults.rules()[0].rule.match.json_path == {"$.order": "1001"}


def test_presets_are_listed_added_and_cleared(run: Run, server: SandboxServer) -> None:
    assert "two-503s-then-fine" in run("faults", "presets").stdout
    run("faults", "preset", "two-503s-then-fine", "--service", "orders")
    assert [state.rule.match.vanity_url for state in server.sandbox.platform.faults.rules()] == ["orders"]
    assert run("faults", "clear").stdout == "1 rule removed\n"


def test_presets_are_json_for_programs(run: Run) -> None:
    found = json.loads(run("faults", "presets", "--json").stdout)["presets"]

    assert set(found[0]) >= {"name", "title", "story", "rules"}


def test_rule_that_is_not_json_is_a_wrong_usage(run: Run) -> None:
    told = run("faults", "add", "--rule", "-", exit_code=2, input="{tea").stderr

    assert "Invalid value for --rule: it is not JSON: " in told


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["faults", "add", "--rule", "{file}"], "it is not JSON: nested deeper than 512 levels"),
        (["faults", "add", "status", "code={deep}"], "is not allowed"),
        (["verify", "--contains", "{deep}"], "it is not JSON: nested deeper than 512 levels"),
        (["state", "load", "{file}"], "is not JSON"),
        (["requests", "--file", "{file}"], "is no journal file and no NDJSON export"),
    ],
    ids=lambda given: given[0] if isinstance(given, list) else "",
)
def test_json_that_is_nested_too_deeply_is_named(
    arguments: list[str], problem: str, server: SandboxServer, tmp_path: Path
) -> None:
    deep = "[" * 100_000
    (tmp_path / "deep.json").write_text(deep)
    filled = [part.format(file=tmp_path / "deep.json", deep=deep) for part in arguments]

    told = CliRunner().invoke(main, [*filled, "--url", server.base_url])

    assert isinstance(told.exception, SystemExit)
    assert problem in told.output


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["add"], 2, "Give a KIND of fault, or a rule with --rule."),
        (["add", "status", "503"], 2, "'503' is not NAME=VALUE such as code=503"),
        (["add", "statsu"], 1, "status"),
        (["add", "status", "code=9"], 1, "code 9 is not allowed. Use a whole number"),
        (["preset", "two-503s"], 1, "there is no fault preset 'two-503s'; did you mean 'two-503s-then-fine'? known: "),
        (["remove", "fault-9"], 1, "there is no fault rule 'fault-9'; known: none"),
    ],
    ids=["nothing", "no name", "unknown kind", "wrong value", "unknown preset", "unknown rule"],
)
def test_fault_that_makes_no_sense_is_refused(arguments: list[str], exit_code: int, message: str, run: Run) -> None:
    assert message in run("faults", *arguments, exit_code=exit_code).stderr


# --- clients and reset ------------------------------------------------------------------------------------------------


def test_client_is_created_and_its_secret_shown_once(run: Run, server: SandboxServer) -> None:
    new = json.loads(run("clients", "create", "Order export", "--json").stdout)
    shown = run("clients", "create", "Stock import", "--connector", "1").stdout

    assert server.sandbox.store.find_client(new["client_id"]) is not None
    assert [line[:15].strip() for line in shown.splitlines()] == ["client id", "client secret", "token endpoint"]
    listed = run("clients", "list").stdout
    assert new["client_id"] in listed
    assert new["client_secret"] not in listed
    assert len(json.loads(run("clients", "list", "--json").stdout)) == 3


def test_client_of_an_empty_sandbox_is_refused() -> None:
    with SandboxServer(Sandbox(Seed())) as server:
        result = CliRunner().invoke(main, ["clients", "create", "Order export", "--url", server.base_url])

    assert result.exit_code == 2
    assert "The sandbox has no connector to create a client for." in result.stderr


def test_name_that_is_too_short_is_refused(run: Run) -> None:
    assert "text of 3 to 255 characters" in run("clients", "create", "ab", exit_code=1).stderr


def test_reset_returns_to_the_seed(run: Run, server: SandboxServer) -> None:
    push(server)
    assert run("reset").stdout.startswith("reset; it is 2")

    assert len(server.sandbox.journal) == 0
    assert not server.sandbox.clock.moved


# --- where it is ------------------------------------------------------------------------------------------------------


def test_exit_code_tells_that_no_sandbox_answers() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    result = CliRunner().invoke(main, ["reset", "--url", url])

    assert result.exit_code == 3
    assert result.stderr == (
        f"Error: no sandbox answers at {url} (Connection refused); start one with: patchworks-sandbox serve\n"
    )


@pytest.mark.parametrize("url", ["localhost:8025", "http://[::1", "http://127.0.0.1:abc"])
def test_url_that_is_none_is_a_wrong_usage(url: str) -> None:
    result = CliRunner().invoke(main, ["reset", "--url", url])

    assert result.exit_code == 2
    assert "an http or https URL such as http://127.0.0.1:8025" in result.stderr


# --- completion -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_script_is_printed(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])

    assert result.exit_code == 0
    assert "_PATCHWORKS_SANDBOX_COMPLETE" in result.stdout


@pytest.mark.parametrize(
    ("words", "completed"),
    [("faults add sta", "status"), ("faults preset two", "two-503s-then-fine"), ("clo", "clock")],
    ids=["kind", "preset", "command"],
)
def test_names_are_completed(words: str, completed: str, server: SandboxServer) -> None:
    environment = {
        "_PATCHWORKS_SANDBOX_COMPLETE": "bash_complete",
        "COMP_WORDS": f"patchworks-sandbox {words}",
        "COMP_CWORD": str(len(words.split())),
        "PATCHWORKS_SANDBOX_URL": server.base_url,
    }
    command = [sys.executable, "-m", "sandbox.cli"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout == f"plain,{completed}\n"


def completions(words: str, **environment: str) -> Result:
    """Ask for the completions of the last word, in this process."""
    asked = {"COMP_WORDS": f"patchworks-sandbox {words}", "COMP_CWORD": str(len(words.split()))}
    variables = {"_PATCHWORKS_SANDBOX_COMPLETE": "bash_complete", **asked, **environment}
    return CliRunner().invoke(main, prog_name="patchworks-sandbox", env=variables)


@pytest.fixture
def _shells_as_before() -> Iterator[None]:
    """Forget the shells that a test taught click."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(click.shell_completion, "_available_shells", dict(click.shell_completion._available_shells))
        patch.setattr(click_pwsh, "_registered", False)
        yield


@pytest.mark.usefixtures("_shells_as_before")
def test_names_are_completed_in_powershell() -> None:
    result = completions("clo", _PATCHWORKS_SANDBOX_COMPLETE="pwsh_complete")

    assert result.output.startswith("plain,clock,")


@pytest.mark.usefixtures("_shells_as_before")
def test_powershell_without_its_package_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "click_pwsh", None)

    result = CliRunner().invoke(main, ["completion", "powershell"])

    assert (result.exit_code, result.output) == (
        1,
        "Error: Completion in PowerShell needs a package: pip install click-pwsh\n",
    )


def test_completion_is_silent_where_no_sandbox_answers() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        result = completions("faults preset two", PATCHWORKS_SANDBOX_URL=f"http://127.0.0.1:{sock.getsockname()[1]}")

    assert (result.exit_code, result.output) == (0, "\n")


def test_nothing_follows_a_command_that_does_not_exist() -> None:
    result = completions("nonesuch add")

    assert (result.exit_code, result.output) == (0, "\n")


# --- text -------------------------------------------------------------------------------------------------------------


def test_table_is_as_wide_as_it_has_to_be() -> None:
    assert table(["A", "LONG TITLE"], [["wide cell", None], [1, "\x1b[31m"]]) == (
        "A          LONG TITLE\nwide cell  -\n1          \N{REPLACEMENT CHARACTER}[31m"
    )


def test_lines_stay_and_control_characters_go() -> None:
    assert printable("a\nb") == "a\N{REPLACEMENT CHARACTER}b"
    assert printable_lines("a\n\tb\x07") == "a\n    b\N{REPLACEMENT CHARACTER}"


# --- a sandbox that needs a key ---------------------------------------------------------------------------------------

KEY = "correct-horse-battery-staple"


@pytest.fixture
def guarded(make_sandbox: Callable[..., Sandbox]) -> Iterator[SandboxServer]:
    with SandboxServer(make_sandbox(control_key=KEY)) as server:
        yield server


def test_state_is_loaded_from_standard_input(server: SandboxServer, run: Run) -> None:
    saved = json.dumps(server.patchworks.state())
    server.sandbox.store.add_company("Later")

    run("state", "load", "-", input=saved)

    assert [company.name for company in server.sandbox.store.companies()] == ["Acme Ltd"]


@pytest.mark.parametrize("by", ["option", "environment", "file"])
@pytest.mark.parametrize("command", ["requests", "clock show", "faults list", "clients list", "reset"])
def test_commands_bring_the_key(guarded: SandboxServer, command: str, by: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    options = ("--url", guarded.base_url, *(("--control-key", KEY) if by == "option" else ()))
    named = {"environment": {"CONTROL_KEY": KEY}, "file": {"CONTROL_KEY_FILE": str(tmp_path / "key")}}.get(by, {})
    environment = {f"PATCHWORKS_SANDBOX_{name}": value for name, value in named.items()}

    result = CliRunner().invoke(main, (*command.split(), *options), env=environment)

    assert result.exit_code == 0, result.output


def test_command_without_the_key_says_what_to_do(guarded: SandboxServer) -> None:
    result = CliRunner().invoke(main, ("requests", "--url", guarded.base_url))

    assert result.exit_code == 1
    assert "the control API needs its key" in result.output
    assert "--control-key" in result.output


def test_health_needs_no_key(guarded: SandboxServer) -> None:
    assert CliRunner().invoke(main, ("health", "--url", guarded.base_url)).exit_code == 0


# --- requests --file -------------------------------------------------------------------------------------------------


@pytest.fixture
def journal_file(server: SandboxServer, run: Run, tmp_path: Path) -> Path:
    """A file with a token request, a payload and a refused one, which a kill has cut off in a fourth."""
    push(server)
    path = tmp_path / "requests.ndjson"
    run("export", "-o", str(path))
    with path.open("ab") as file:
        file.write(b'{"id": "3f-4", "bo')
    return path


def test_journal_file_is_listed_as_a_running_sandbox_lists_its_own(run: Run, journal_file: Path) -> None:
    told = run("requests", "--kind", "inbound", "--since", "2026-11-23T12:00:00Z")

    from_file = CliRunner().invoke(
        main,
        ["requests", "--file", str(journal_file), "--kind", "inbound", "--since", "2026-11-23T12:00:00Z"],
    )
    assert from_file.exit_code == 0, from_file.output
    assert from_file.stdout == told.stdout
    assert from_file.stderr == "Not read: 1 cut off when a sandbox was killed, whose requests were never answered.\n"


def test_file_that_is_no_journal_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("[]\nnull\nTo do: nothing\n")

    result = run("requests", "--file", str(tmp_path / "notes.txt"), exit_code=1)
    assert "notes.txt is no journal file and no NDJSON export" in result.output


def test_empty_journal_file_lists_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "requests.ndjson").touch()

    assert run("requests", "--file", str(tmp_path / "requests.ndjson"), "--json").output == ""


def test_journal_file_is_not_followed(run: Run, journal_file: Path) -> None:
    assert "tail -f" in run("requests", "--file", str(journal_file), "--follow", exit_code=2).output


def test_health_tells_of_a_journal_file_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "requests.ndjson"
    path.parent.mkdir()
    with SandboxServer(Sandbox(settings={"journal_file": str(path)})) as server:
        path.unlink()
        path.parent.rmdir()
        requests.get(f"{server.base_url}/nowhere", timeout=10)
        result = CliRunner().invoke(main, ["health", "--url", server.base_url])

    assert result.exit_code == 1
    assert "health/ready answers 503: journal_file: No such file or directory" in result.output


def test_refusal_without_the_given_value_is_a_message(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"field": "body.duration", "code": "not_allowed", "allowed": "24h", "message": "use 24h"}
    monkeypatch.setattr(ControlApi, "ask", refusing(error))

    result = run("clock", "advance", "1", exit_code=1)

    assert result.stderr == "Error: body.duration: use 24h\n"


def refusing(*errors: dict[str, str]) -> Callable[..., None]:
    def ask(*_: object) -> None:
        raise ProblemError(422, "refused", list(errors))

    return ask
