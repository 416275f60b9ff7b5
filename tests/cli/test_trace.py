"""``trace``: a journal of any language as one HTML file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sandbox import Sandbox, SandboxServer
from sandbox.cli import main
from sandbox.journal.form import as_line, as_lines
from sandbox.journal.journal import Journal
from tests.cli.conftest import Run, push
from tests.journal.journals import close, journal_of


def traced(*arguments: str, content: bytes | None = None) -> Result:
    """Run the command where no sandbox answers."""
    options = {} if content is None else {"input": content}
    return CliRunner().invoke(
        main, ["trace", *arguments], env={"PATCHWORKS_SANDBOX_URL": "http://127.0.0.1:9"}, **options
    )


def exported(journal: Journal) -> bytes:
    return "".join(as_lines(journal.entries())).encode()


def test_trace_of_a_running_sandbox_has_its_requests_rules_and_settings(
    run: Run, server: SandboxServer, tmp_path: Path
) -> None:
    push(server)
    run("faults", "add", "status", "code=503", "--times", "2")
    file = tmp_path / "run.html"

    told = run("trace", "-o", str(file), "--title", "A <run>")

    html = file.read_text(encoding="utf-8")
    assert told.stderr == f"{file}: 3 requests\n"
    assert "<title>A &lt;run&gt;</title>" in html
    assert html.count('<section class="pane"') == 3
    assert "fault-1 (status): 0 hits" in html
    assert "Settings in force" in html


@pytest.mark.parametrize("given", ["file", "standard input"])
def test_trace_of_an_export_needs_no_sandbox(run: Run, server: SandboxServer, tmp_path: Path, given: str) -> None:
    push(server)
    export = tmp_path / "journal.ndjson"
    run("clock", "advance", "24h")
    run("export", "-o", str(export))
    file = tmp_path / "run.html"

    content = None if given == "file" else export.read_bytes()
    told = traced(str(export) if given == "file" else "-", "-o", str(file), content=content)

    assert (told.exit_code, told.stderr) == (0, f"{file}: 3 requests\n")
    html = file.read_text(encoding="utf-8")
    assert html.count('<section class="pane"') == 3
    assert "1 d later on the sandbox clock" in html
    assert "malformed_token" in html


def test_trace_goes_to_standard_output(tmp_path: Path) -> None:
    journal = journal_of()
    close(journal)

    told = traced("-", "-o", "-", content=exported(journal))

    assert told.stdout.startswith("<!DOCTYPE html>")
    assert told.stderr == "standard output: 1 request\n"


def test_journal_file_of_several_runs_has_a_part_for_each(make_sandbox, tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    for _ in range(2):
        sandbox: Sandbox = make_sandbox(journal_file=str(path))
        with SandboxServer(sandbox) as server:
            push(server)
            sandbox.reset()
            push(server)
        assert sandbox.journal_file is not None
        sandbox.journal_file.close()

    told = traced(str(path), "-o", str(tmp_path / "run.html"))

    html = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert told.stderr.endswith(": 12 requests\n")
    assert html.count('<h2 id="recording-') == 4
    assert len(re.findall(r' id="([^"]*)"', html)) == len({*re.findall(r' id="([^"]*)"', html)})


def test_same_requests_exported_twice_are_there_once(tmp_path: Path) -> None:
    journal = journal_of()
    close(journal)

    told = traced("-", "-o", str(tmp_path / "run.html"), content=2 * exported(journal))

    assert told.stderr.endswith(": 1 request\n")


def test_line_that_was_cut_off_is_counted(tmp_path: Path) -> None:
    journal = journal_of()
    close(journal)
    whole = exported(journal)

    told = traced("-", "-o", str(tmp_path / "run.html"), content=whole[:50] + b"\n" + whole + whole[:-20])

    assert told.exit_code == 0
    assert "2 lines could not be read" in (tmp_path / "run.html").read_text(encoding="utf-8")


def test_newest_requests_of_a_large_file_are_shown(tmp_path: Path) -> None:
    journal = journal_of()
    line = as_line(close(journal, b'{"order": "1"}')).encode()
    path = tmp_path / "journal.ndjson"
    with path.open("wb") as file:
        for seq in range(1, 1_301):
            file.write(line.replace(b'"abc123-1"', b'"abc123-%d"' % seq).replace(b'"seq": 1,', b'"seq": %d,' % seq))

    told = traced(str(path), "-o", str(tmp_path / "run.html"))

    html = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert told.stderr.endswith(": 1000 requests\n")
    assert "300 older ones are left out" in html


HAR = json.dumps({"log": {"version": "1.2", "entries": [{"request": {}}]}}, indent=1)
ENTRY = json.loads(as_line(close(journal_of())))
BAD = {
    "empty": (b"", "it has no entry of a journal"),
    "blank": (b"\n \n", "it has no entry of a journal"),
    "text": (b"hello\nworld\n", "none of its 2 lines is an entry of a journal"),
    "HAR": (HAR.encode(), "is an entry of a journal"),
    "HAR on a line": (json.dumps(json.loads(HAR)).encode(), ":1: no journal entry that this version reads"),
    "script": (b"#!/bin/sh\ncurl\n", "none of its 2 lines"),
    "list": (b"[1]\n", ":1: no journal entry"),
    "number": (b"1\n", ":1: no journal entry"),
    "cut off": (json.dumps(ENTRY).encode()[:-5], "none of its 1 lines"),
    "without a field": (json.dumps({k: v for k, v in ENTRY.items() if k != "method"}).encode(), "KeyError: 'method'"),
    "of another type": (json.dumps({**ENTRY, "status": "200"}).encode(), "Expected `int`, got `str`"),
    "no time": (json.dumps({**ENTRY, "received_at": "never"}).encode(), ":1: no journal entry"),
    "no body": (json.dumps({**ENTRY, "body": {"a": 1}}).encode(), ":1: no journal entry"),
    "wrong base64": (json.dumps({**ENTRY, "body": "é", "body_encoding": "base64"}).encode(), ":1: no journal entry"),
    "another event": (json.dumps({"event": "other", "text": "x"}).encode(), ":1: no journal entry"),
    "events only": (
        json.dumps(
            {"event": "clock", "text": "x", "after": 0, **dict.fromkeys(("at", "wall_time"), "2026-01-01T00:00:00Z")}
        ).encode(),
        "it has no entry of a journal",
    ),
    "the second": (json.dumps(ENTRY).encode() + b'\n{"log": 1}\n', ":2: no journal entry"),
    "nested deep": (b'{"a":' * 100_000, "none of its 1 lines"),
    "UTF-16": (("\ufeff" + json.dumps(ENTRY)).encode("utf-16-le"), "it is UTF-16, which > writes in PowerShell"),
    "bytes": (bytes(range(256)) * 10, "is an entry of a journal"),
}


@pytest.mark.parametrize(("content", "told"), BAD.values(), ids=BAD)
def test_input_that_is_no_journal_is_refused_with_what_to_do(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "given.ndjson"
    path.write_bytes(content)

    result = traced(str(path), "-o", str(tmp_path / "run.html"))

    assert result.exit_code == 2, result.output
    assert f"Error: {path}" in result.stderr
    assert told in result.stderr
    assert "export the journal with: patchworks-sandbox export -o journal.ndjson" in result.stderr
    assert not (tmp_path / "run.html").exists()


def test_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert traced(str(tmp_path / "none.ndjson")).exit_code == 2
    assert traced(str(tmp_path)).exit_code == 2


def test_trace_without_a_sandbox_says_that_none_answers(tmp_path: Path) -> None:
    result = traced("-o", str(tmp_path / "run.html"))

    assert result.exit_code == 3
    assert not (tmp_path / "run.html").exists()


def test_folder_of_the_trace_must_be_there(tmp_path: Path) -> None:
    journal = journal_of()
    close(journal)

    result = traced("-", "-o", str(tmp_path / "none" / "run.html"), content=exported(journal))

    assert result.exit_code == 1
    assert "none/run.html" in result.stderr
    assert "Traceback" not in result.output
