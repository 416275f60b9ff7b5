"""``certify`` on the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sandbox import Sandbox, SandboxServer
from sandbox.cli import main

PUSH = """
import json, os, urllib.request as http

def post(url, body, **headers):
    request = http.Request(url, body, {"Accept": "application/json", **headers})
    return json.load(http.urlopen(request, timeout=2))

form = "grant_type=client_credentials&client_id={}&client_secret={}".format(
    os.environ["PATCHWORKS_CLIENT_ID"], os.environ["PATCHWORKS_CLIENT_SECRET"]
)
token = post(os.environ["PATCHWORKS_TOKEN_URL"], form.encode())["access_token"]
url = os.environ["PATCHWORKS_INBOUND_URL_ANYTHING"]
for order in (1, 2):
    body = json.dumps({"order": order}).encode()
    post(url, body, Authorization="Bearer " + token, **{"Content-Type": "application/json"})
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a client that pushes two orders and survives nothing; the folder is the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("push.py").write_text(PUSH, encoding="utf-8")
    return "push.py"


def certify(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["certify", *arguments])
    assert result.exit_code == code, result.output
    return result


def test_client_that_passes_ends_with_0(script: str) -> None:
    result = certify("--storms", "calm", "--", sys.executable, script)

    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["PASS", name]
        for name in ("caches_token", "no_duplicates", "keeps_contract", "no_secret_in_url", "nothing_lost")
    ]
    assert lines[0].endswith("calm #1 #2 #3")
    assert result.stderr.startswith("[1/1] calm: exit 0 after ")


def test_client_that_fails_ends_with_1_and_writes_every_report(script: str) -> None:
    reports = ["--report", "r.html", "--junit", "r.xml", "--sarif", "r.sarif", "--json", "r.json"]
    certify("--storms", "connection-reset", *reports, "--seed", "7", "--", sys.executable, script, code=1)

    document = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert document["seed"] == 7
    assert {"check": "survives_reset", "verdict": "fail"}.items() <= next(
        each for each in document["verdicts"] if each["check"] == "survives_reset"
    ).items()
    assert "<h2>Verdicts</h2>" in Path("r.html").read_text(encoding="utf-8")
    assert '<failure message="2 of 2 payloads never arrived' in Path("r.xml").read_text(encoding="utf-8")
    (run,) = json.loads(Path("r.sarif").read_text(encoding="utf-8"))["runs"]
    (uri,) = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]}
    assert uri == "push.py"


def test_client_that_sends_nothing_ends_with_2_and_is_told_its_variables() -> None:
    result = certify("--", sys.executable, "-c", "print('done nothing')", code=2)

    assert {line.split("  ")[0] for line in result.stdout.splitlines()} == {"NOT REACHED"}
    assert "PATCHWORKS_INBOUND_URL" in result.stderr
    assert "done nothing" in result.stderr


def test_refused_payloads_of_the_calm_storm_are_told(script: str) -> None:
    Path(script).write_text(PUSH.replace("URL_ANYTHING", "URL").replace("    post(url", "    if 1: post(url"))

    assert "refused although nothing failed: entity_mismatch" in _calm(script).stderr


def _calm(script: str) -> Result:
    return certify("--storms", "calm", "--", sys.executable, script)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--", "/no/such/program"], "/no/such/program"),
        (["--storms", "no-such", "--", "true"], "known: "),
        ([], "after two hyphens"),
        (["--url", "http://127.0.0.1:9", "--", "true"], "no sandbox answers"),
        (["--url", "http://127.0.0.1:9", "--seed-file", "push.py", "--", "true"], "--seed-file"),
        (["--report", "/no/such/folder/r.html", "--storms", "calm", "--", "true"], "/no/such/folder/r.html"),
        (["--json-path", "$..[", "--storms", "calm", "--", sys.executable, "push.py"], "json_path"),
    ],
    ids=["program", "storm", "no command", "no sandbox", "two seeds", "report", "JSONPath"],
)
@pytest.mark.usefixtures("script")
def test_bad_input_ends_with_2_and_says_what_to_do(arguments: list[str], said: str) -> None:
    assert said in certify(*arguments, code=2).stderr


@pytest.mark.parametrize("command", [["certify", "--report"], ["certify", "--json"], ["storm", "-o"]], ids=str)
def test_file_in_no_folder_is_refused_before_the_client_runs(command: list[str], tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    result = CliRunner().invoke(main, [*command, f"{tmp_path}/none/found", "--", "touch", str(ran)])

    assert result.exit_code == 2
    assert "none/found: No such file or directory; make the folder first" in result.stderr
    assert not ran.exists()


def test_storms_are_listed_with_their_checks() -> None:
    lines = certify("--list").stdout.splitlines()

    assert lines[1].split()[0] == "calm"
    assert any(line.startswith("rate-limited") and "honours_retry_after" in line for line in lines)


def test_sandbox_at_a_url_is_reset_and_used(script: str) -> None:
    with SandboxServer(Sandbox()) as server:
        server.sandbox.clock.advance(hours=1)
        certify("--url", server.base_url, "--storms", "calm,answer-lost", "--", sys.executable, script)

        assert not server.sandbox.clock.moved


def test_payloads_are_given_as_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("orders.txt").write_text("one\n")
    result = certify("--payloads", "orders.txt", "--", "sh", "-c", 'cat "$PATCHWORKS_PAYLOADS"', code=2)

    assert "The end of its output:\none" in result.stderr


# --- storm ------------------------------------------------------------------------------------------------------------


def storm(*arguments: str, code: int) -> Result:
    result = CliRunner().invoke(main, ["storm", *arguments])
    assert result.exit_code == code, result.output
    return result


@pytest.mark.skipif(sys.platform == "win32", reason="the command is of a POSIX shell")
def test_storm_that_was_found_fails_in_certify(script: str) -> None:
    Path("storms").mkdir()
    careless = f"{sys.executable} {script} 2> /dev/null || true"
    result = storm("--minutes", "1", "-o", "storms/found.yaml", "--", "sh", "-c", careless, code=1)

    assert result.stdout.startswith("# nothing_lost: exit 0, but ")
    assert result.stdout == Path("storms/found.yaml").read_text(encoding="utf-8")
    certify("--storms-dir", "storms", "--storms", "found", "--", "sh", "-c", careless, code=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "after two hyphens"), (["--", "/no/such"], "/no/such"), (["--", "true"], "The client sent nothing")],
    ids=["no command", "program", "silent"],
)
def test_storm_without_a_client_ends_with_2(arguments: list[str], said: str) -> None:
    assert said in storm(*arguments, code=2).stderr


def test_storms_in_which_all_holds_end_with_0(script: str) -> None:
    assert ", and all held" in storm("--minutes", "0.05", "--seed", "5", "--", sys.executable, script, code=0).stdout
