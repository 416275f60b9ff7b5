"""``report``, ``resync``, ``runs`` and ``run-service``."""

from __future__ import annotations

import json

import pytest

from sandbox import SandboxServer
from tests.cli.conftest import Run, push

FAILED = ("faults", "add", "failed", "message=no stock", "--endpoint", "processing")


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()[1:]]


def test_report_shows_what_became_of_payloads(run: Run, server: SandboxServer) -> None:
    nothing = run("report").stdout
    run(*FAILED, "--reference", "1002")
    push(server, b'[{"order": "1001"}, {"order": "1002"}, {"order": "1003"}]')

    assert nothing == "no rows\n"
    assert [row[:5] for row in rows(run("report").stdout)] == [
        ["1", "1001", "OK", "1", "run-1"],
        ["2", "1002", "Failed", "1", "run-1"],
        ["3", "1003", "OK", "1", "run-1"],
    ]
    assert run("report", "--status", "failed", "--service", "anything").stdout.rstrip().endswith("no stock")
    assert [row["reference"] for row in json.loads(run("report", "--reference", "1003", "--json").stdout)["items"]] == [
        "1003"
    ]
    limited = run("report", "--limit", "2").stdout.splitlines()
    assert ([line.split()[1] for line in limited[1:3]], limited[3]) == (
        ["1002", "1003"],
        "there are older ones; --limit shows up to 1000, --csv all of them",
    )


def test_report_is_printed_as_csv(run: Run, server: SandboxServer) -> None:
    push(server)

    assert run("report", "--csv").stdout.splitlines() == [
        "Company Group,Service Entity,Systems,Sync ID,Reference,Date,Status",
        "Acme Ltd,anything,Acme web shop,run-1,1001,23/11/2026 12:00:00,OK",
    ]


@pytest.mark.parametrize("arguments", [["1"], [], ["--reference", "1001"], ["--service", "anything"]])
def test_failed_rows_are_resynced(run: Run, server: SandboxServer, arguments: list[str]) -> None:
    run(*FAILED, "--times", "1")
    push(server)

    assert rows(run("resync", *arguments).stdout)[0][:5] == ["1", "1001", "OK", "2", "run-2"]


def test_refused_resync_says_why(run: Run, server: SandboxServer) -> None:
    push(server)

    assert "item 1 is OK; only failed items can be resynced" in run("resync", "1", exit_code=1).output
    assert "Give either IDs of rows or conditions." in run("resync", "1", "--service", "x", exit_code=2).output


def test_service_runs_and_its_runs_are_listed_with_their_logs(run: Run, server: SandboxServer) -> None:
    run("settings", "set", "processing=scheduled")
    push(server)
    waiting = run("report").stdout
    ran = rows(run("run-service", "anything").stdout)

    assert waiting == "no rows\n1 waiting for a run\n"
    assert ran == [["run-1", "acme/anything", "cli", "2026-11-23T12:00:00.000000Z", "complete", "1", "1", "0", "0"]]
    assert rows(run("runs").stdout) == ran == rows(run("runs", "--service", "anything").stdout)
    assert run("runs", "--service", "orders").stdout == "no runs\n"
    assert rows(run("runs", "run-1").stdout)[2][1:] == ["info", "1001", "to", "Acme", "web", "shop:", "OK"]
    assert json.loads(run("run-service", "3", "--json").stdout)["pulled"] == 0


def test_service_that_is_none_or_several_is_refused(run: Run, server: SandboxServer) -> None:
    server.patchworks.isolated()

    assert "one of the services acme/orders, " in run("run-service", "oders", exit_code=2).output
    assert "its id, or --company with it" in run("run-service", "orders", exit_code=2).output
    for named in (("orders", "--company", "acme"), ("acme/orders",), ("ACME/Orders",)):
        assert rows(run("run-service", *named).stdout)[0][1] == "acme/orders"


def test_rule_for_processing_may_name_every_stage(run: Run, server: SandboxServer) -> None:
    run("faults", "add", "pending", "attempts=1", "--endpoint", "processing", "--reference", "1001")

    assert "endpoint=processing reference=1001" in run("faults", "list").stdout
