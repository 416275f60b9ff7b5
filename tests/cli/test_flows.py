"""``flows`` and ``keys``, in this process against a server."""

from __future__ import annotations

import json

import requests

from sandbox import SandboxServer
from sandbox.faults import make_rule, sent
from tests.cli.conftest import Run


def test_flows_are_listed_changed_and_their_runs_shown(run: Run, server: SandboxServer) -> None:
    webhook = server.patchworks.webhook("Orders in")
    nothing = run("flows", "runs", "1").stdout
    requests.post(webhook.url, json={"order": "1001"}, timeout=10)

    listed, runs = run("flows", "list").stdout, run("flows", "runs", "1").stdout

    assert nothing == "no runs\n"
    assert [webhook.url in listed, "/api/v1/flows/1/start" in listed, "version 1" in listed] == [True, True, True]
    assert [word in runs for word in (webhook.runs[0].id, "Webhook", "success")] == [True, True, True]
    assert "version 1, disabled" in run("flows", "set", "1", "--disabled").stdout
    assert "not deployed" in run("flows", "set", "1", "--enabled", "--undeploy").stdout
    assert json.loads(run("flows", "set", "1", "--deploy", "1", "--json").stdout)["deployed"] == 1
    for wrong in ([], ["--deploy", "1", "--undeploy"]):
        assert run("flows", "set", "1", *wrong, exit_code=2).stderr.startswith("Usage:")
    listed_requests = run("requests", "--flow", "Orders in", "--json", "--limit", "0").stdout
    assert listed_requests.count('"kind": "webhook"') == 1


def test_run_that_was_stopped_is_shown(run: Run, server: SandboxServer) -> None:
    server.sandbox.platform.faults.add(make_rule(sent(), endpoint="processing"))
    webhook = server.patchworks.webhook("Orders in")
    requests.post(webhook.url, timeout=10)
    server.sandbox.platform.runs.stop(webhook.runs[0].id)

    assert "stopped" in run("flows", "runs", "1").stdout


def test_a_refused_name_of_a_key_is_called_as_the_command_calls_it(run: Run) -> None:
    refused = run("keys", "create", "", exit_code=1)

    assert refused.stderr == "Error: NAME '' is not allowed. Use text of 1 to 255 characters, not only spaces.\n"


def test_keys_are_created_listed_and_revoked(run: Run, server: SandboxServer) -> None:
    key = run("keys", "create", "CI job").stdout.strip()
    flow = server.patchworks.flow("Orders in")

    assert requests.post(flow.url, headers={"Authorization": key}, timeout=10).status_code == 200
    listed = run("keys", "list").stdout
    assert key not in listed
    assert f"…{key[-4:]}" in listed
    assert "revoked" in run("keys", "revoke", "2").stdout
    assert requests.post(flow.url, headers={"Authorization": key}, timeout=10).status_code == 401


def test_rule_for_a_flow_is_added(run: Run, server: SandboxServer) -> None:
    run("faults", "add", "status", "code=503", "--endpoint", "webhook", "--flow", "Orders in")

    assert requests.post(server.patchworks.webhook("Orders in").url, timeout=10).status_code == 503
