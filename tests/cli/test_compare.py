"""``compare`` and ``har redact``: exit codes, forms of the report, and files that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sandbox.cli import main
from tests.conftest import ORDER, Integration
from tests.testing.compare.conftest import exported


def run(*arguments: object, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == exit_code, result.output
    return result


@pytest.fixture
def recording(make_integration: Callable[..., Integration], tmp_path: Path) -> Path:
    """Two good exchanges and one with an unknown URL, of the legacy generation."""
    integration = make_integration(wire_profile="legacy")
    token = integration.token()
    integration.post(ORDER, token=token)
    integration.post(ORDER, "/v1/acme/nothing", token)
    path = tmp_path / "real.har"
    path.write_text(json.dumps(exported(integration)), encoding="utf-8")
    return path


@pytest.fixture
def legacy_seed(tmp_path: Path) -> Path:
    path = tmp_path / "seed.yaml"
    path.write_text("companies: []\nsettings: {wire_profile: legacy}\n", encoding="utf-8")
    return path


def test_same_answers_are_exit_code_0(recording: Path, legacy_seed: Path) -> None:
    output = run("compare", recording, "--seed-file", legacy_seed).output

    assert "The sandbox answered all 3 as recorded." in output


def test_different_answers_are_exit_code_1_with_the_setting_that_explains_them(recording: Path) -> None:
    output = run("compare", recording, exit_code=1).output

    assert "1 of 3 answers differ" in output
    assert '$.message: expected "", got "The route v1/acme/nothing could not be found."' in output
    assert "wire_profile legacy explains 1 of 1" in output


def test_json_is_one_document(recording: Path) -> None:
    document = json.loads(run("compare", recording, "--json", exit_code=1).stdout)

    assert (document["exchanges"], document["different"]) == (3, 1)


def test_report_is_written_beside_the_output(recording: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.txt"

    output = run("compare", recording, "--report", report, exit_code=1).output

    assert report.read_text(encoding="utf-8") == output


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b'{"log": {"entries": [{', "is cut off"),
        (b"\x00", "is no JSON"),
        (b'{"\xff', "is not UTF-8"),
        (b"[]", "is no HAR"),
    ],
)
@pytest.mark.parametrize("command", [("compare",), ("har", "redact")], ids=" ".join)
def test_unreadable_file_is_exit_code_2(command: tuple[str, ...], content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.har"
    path.write_bytes(content)

    assert words in run(*command, path, exit_code=2).output


def test_missing_file_is_exit_code_2(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in run("compare", tmp_path / "no.har", exit_code=2).output


def test_recording_without_the_platform_is_exit_code_2_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "other.har"
    entry = {"request": {"method": "GET", "url": "https://example.test/"}, "response": {"status": 200}}
    path.write_text(json.dumps({"log": {"entries": [entry]}}), encoding="utf-8")

    output = run("compare", path, exit_code=2).output

    assert "no request to the platform is in it (1 of other hosts); name its host with --host" in output


def test_secret_is_refused_then_redacted(recording: Path) -> None:
    document = json.loads(recording.read_text(encoding="utf-8"))
    document["log"]["entries"][0]["request"]["headers"].append({"name": "X-Api-Key", "value": "key-of-the-customer"})
    recording.write_text(json.dumps(document), encoding="utf-8")

    refused = run("compare", recording, exit_code=2).output
    run("compare", recording, "--redact", exit_code=1)
    told = run("har", "redact", recording).output
    redacted = recording.with_name("real.redacted.har")
    run("compare", redacted, exit_code=1)

    assert "run `patchworks-sandbox har redact" in refused
    assert "1 secrets and tokens replaced, such as request 1: request.headers.X-Api-Key" in told
    assert "key-of-the-customer" not in redacted.read_text(encoding="utf-8")


def test_redacted_file_goes_where_it_is_told(recording: Path, tmp_path: Path) -> None:
    run("har", "redact", recording, "-o", tmp_path / "clean.har")

    assert (tmp_path / "clean.har").exists()
    assert "No such file" in run("har", "redact", recording, "-o", tmp_path / "no" / "x.har", exit_code=2).output


def test_output_has_no_characters_that_act_upon_a_terminal(recording: Path) -> None:
    document = json.loads(recording.read_text(encoding="utf-8"))
    document["log"]["entries"][1]["response"]["content"]["text"] = '{"message":"\\u001b[2Jgone"}'
    recording.write_text(json.dumps(document), encoding="utf-8")

    assert "\x1b" not in run("compare", recording, exit_code=1).output
    assert "\x1b" not in run("compare", recording, "--json", exit_code=1).output


def test_seed_with_two_faults_is_refused_with_a_line_for_each(recording: Path, legacy_seed: Path) -> None:
    legacy_seed.write_text("company: 1\nsetting: 2\n", encoding="utf-8")
    lines = run("compare", recording, "--seed-file", legacy_seed, exit_code=2).stderr.splitlines()

    assert [line.partition(" is unknown")[0] for line in lines] == [
        f"Error: {legacy_seed}:1: company:",
        f"{legacy_seed}:2: setting:",
    ]
