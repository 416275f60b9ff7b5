"""Functions of this process are certified, and the reports of that."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
import requests

from sandbox import Sandbox, SandboxServer
from sandbox.foundation.errors import InvalidValueError
from sandbox.testing.certify import html
from sandbox.testing.certify.checks import CHECKS
from sandbox.testing.certify.html import as_html
from sandbox.testing.certify.report import CertificationError, Report, as_json, as_junit, as_sarif
from sandbox.testing.certify.run import Verdict
from sandbox.testing.handle import Patchworks
from tests.testing.certify.conftest import MakeRun

STORMS = ["answer-lost", "connection-reset", "token-expires", "payload-refused"]


def push(sandbox: Patchworks, *, again: bool, order: int) -> int:
    """Push an order with a token of its own; return the status, 0 where there was none."""
    form = {"grant_type": "client_credentials", "client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    accept = {"Accept": "application/json"}
    for _ in range(3 if again else 1):
        token = requests.post(sandbox.token_url, form, headers=accept, timeout=30).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", **accept}
        try:
            answer = requests.post(sandbox.inbound("anything").url, json={"order": order}, headers=headers, timeout=30)
        except requests.ConnectionError:
            continue
        if answer.status_code != 401:
            return answer.status_code
    return 0


def careful(sandbox: Patchworks) -> int:
    """Push two orders until they arrive; fail where one does not."""
    return 0 if all(push(sandbox, again=True, order=order) == 200 for order in (1, 2)) else 1


def careless(sandbox: Patchworks) -> None:
    """Push two orders and look at nothing."""
    for order in (1, 2):
        push(sandbox, again=False, order=order)


@pytest.fixture(scope="module")
def served() -> Iterator[Patchworks]:
    with SandboxServer(Sandbox()) as server:
        yield server.patchworks
        assert not server.errors


@pytest.fixture(scope="module")
def good(served: Patchworks) -> Report:
    return served.certify(careful, STORMS)


@pytest.fixture(scope="module")
def bad(served: Patchworks) -> Report:
    return served.certify(careless, STORMS)


def verdicts(report: Report) -> dict[str, str]:
    return {verdict.check: verdict.verdict for verdict in report.verdicts}


def test_careful_client_fails_only_where_it_does(good: Report) -> None:
    found = verdicts(good)

    assert found.pop("caches_token") == "fail"  # it has none to keep
    assert found == {
        "renews_on_401": "pass",
        "survives_reset": "pass",
        "no_retry_on_422": "pass",
        "no_duplicates": "info",
        "keeps_contract": "pass",
        "no_secret_in_url": "pass",
        "nothing_lost": "pass",
    }
    assert good.exit_code == 1


def test_careless_client_loses_orders_and_reports_success(bad: Report) -> None:
    found = verdicts(bad)

    assert [name for name, verdict in found.items() if verdict == "fail"] == [
        "caches_token",
        "renews_on_401",
        "survives_reset",
        "nothing_lost",
    ]
    with pytest.raises(CertificationError, match=r"(?s)FAIL +nothing_lost +exit 0, but 1 of 2 payloads.*exit code"):
        bad.assert_passed()


def test_same_client_gets_the_same_verdicts_again(served: Patchworks, good: Report) -> None:
    assert verdicts(served.certify(careful, STORMS)) == verdicts(good)


def test_verdict_names_the_entries_of_its_run(good: Report) -> None:
    verdict = good.verdict("survives_reset")

    (entry,) = verdict.entries
    held = {each.id: each for each in good.run(verdict.storm).entries}
    assert held[entry].fault_kind == "connection_reset"
    assert good.run("connection-reset").attempts[0].stored == 1


def test_sandbox_is_as_before_afterwards(served: Patchworks, good: Report) -> None:
    assert len(served.faults) == 0
    assert len(served.requests) == 0


def test_client_that_sends_nothing_reaches_nothing_and_meets_no_further_storm(served: Patchworks) -> None:
    calls: list[str] = []
    report = served.certify(lambda sandbox: calls.append("called"))

    assert set(verdicts(report).values()) == {"not_reached"}
    assert (report.exit_code, calls) == (2, ["called"])
    with pytest.raises(CertificationError):
        report.assert_passed()


def test_function_that_does_not_end_is_judged_once_and_not_run_again(
    served: Patchworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.testing.certify.client._POLITE_S", 0.01)
    end = threading.Event()

    def stuck(sandbox: Patchworks) -> None:
        push(sandbox, again=False, order=1)
        end.wait(30)

    report = served.certify(stuck, ["connection-reset"], timeout=0.5)
    end.set()

    assert [run.stopped for run in report.runs] == [True, False]
    assert report.verdict("survives_reset").detail.startswith("not run: ")


def test_command_is_a_client_too(served: Patchworks) -> None:
    report = served.certify('sh -c \'test -n "$PATCHWORKS_INBOUND_URL" && test "$PATCHWORKS_STORM" = calm\'', ["calm"])

    assert report.runs[0].outcome.exit_code == 0


def test_own_storms_with_steps_strike(served: Patchworks, tmp_path: pytest.TempPathFactory) -> None:
    (tmp_path / "late.yaml").write_text(  # type: ignore[operator]
        "title: T\nstory: S.\njudges: [nothing_lost]\nsteps: [{after_payloads: 1, revoke_tokens: true}]\n"
        "rules: [{match: {endpoint: inbound}, fault: {kind: latency, seconds: 0.2}, times: 1}]\n"
    )

    report = served.certify(careful, ["late"], storms_dir=str(tmp_path))
    assert "tokens" in [event.kind for event in report.run("late").events]
    assert verdicts(report)["nothing_lost"] == "pass"


@pytest.mark.parametrize("timeout", [0, -1, 1e9])
def test_timeout_must_be_a_length_of_time(served: Patchworks, timeout: float) -> None:
    with pytest.raises(InvalidValueError, match="timeout"):
        served.certify(careful, timeout=timeout)


def test_json_path_is_checked_before_the_client_runs(served: Patchworks) -> None:
    calls: list[str] = []

    with pytest.raises(InvalidValueError, match="json_path"):
        served.certify(lambda sandbox: calls.append("called"), json_path="$..[")
    assert calls == []


# --- reports ----------------------------------------------------------------------------------------------------------


def test_json_has_the_verdicts_with_their_rules_and_entries(bad: Report) -> None:
    document = json.loads(json.dumps(as_json(bad)))

    assert set(document) == {"command", "seed", "verdicts", "storms", "summary"}
    assert sum(document["summary"].values()) == len(document["verdicts"])
    for verdict in document["verdicts"]:
        assert set(verdict) == {"check", "verdict", "detail", "entries", "more_entries", "storm", "rule"}


def test_junit_counts_failures_and_skips(bad: Report) -> None:
    root = ET.fromstring(as_junit(bad))

    (suite,) = root
    cases = {case.get("name"): [each.tag for each in case] for case in suite}
    assert int(suite.get("failures", "")) == sum(tags == ["failure"] for tags in cases.values()) == len(bad.failed)
    assert int(suite.get("tests", "")) == len(cases)
    assert cases["nothing_lost"] == ["failure"]


def test_sarif_has_a_rule_for_each_result(bad: Report) -> None:
    (run,) = as_sarif(bad, "push.py")["runs"]

    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert (result["level"] == "error") == (result["kind"] == "fail")
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "push.py"


def test_html_loads_nothing_and_holds_no_secret(served: Patchworks, bad: Report) -> None:
    page = as_html(bad, served.backend.journal.secrets)

    assert not re.search(r"<(?:link|img|iframe)|@import|url\(|src=", page)
    assert page.count("<script") == 1  # its own, which the policy names by its hash
    assert served.client_secret not in page
    assert not re.search(r"eyJ[\w-]+\.[\w-]+\.", page)  # a token
    for verdict in bad.verdicts:
        assert f'id="{verdict.check}"' in page


def test_html_escapes_what_a_client_sends(served: Patchworks) -> None:
    def hostile(sandbox: Patchworks) -> None:
        requests.post(f"{sandbox.base_url}/v1/acme/anything", data="<script>alert(1)</script>", timeout=30)

    hostile.__qualname__ = "<script>"
    page = as_html(served.certify(hostile, ["calm"]))

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page


def big_report(made: MakeRun, runs: int, requests: int) -> Report:
    """Make the report of a client that sent each payload many times, in several runs."""
    body = {"body": b'{"order": "' + b"x" * 3_000 + b'"}', "status": 503}
    found = tuple(
        made(("t", 0), *((number, number, body) for number in range(1, requests)), stopped_at=1.0) for _ in range(runs)
    )
    entries = tuple(entry.id for entry in found[0].entries)
    return Report("push", tuple(Verdict(check, "fail", "because", entries, "calm") for check in CHECKS), found)


def test_html_has_a_bound_and_counts_what_is_left_out(made: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MAX_BYTES", 200_000)
    monkeypatch.setattr(html, "_RUNS", 60_000)

    page = as_html(big_report(made, runs=3, requests=400))

    assert 190_000 < len(page.encode()) <= 200_000
    assert page.count("<rect") + sum(map(int, re.findall(r"(\d+) more requests left out", page))) == 3 * 400
    shown = page.count('<div class="exchange">')
    assert shown > 6
    assert shown + sum(map(int, re.findall(r"(\d+) more left out", page))) == len(CHECKS) * 400


def test_html_without_room_counts_whole_runs(made: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "_RUNS", 1_000)

    page = as_html(big_report(made, runs=3, requests=2))

    assert "3 more runs left out" in page


def test_json_counts_the_entries_beyond_its_bound(made: MakeRun) -> None:
    document = as_json(big_report(made, runs=1, requests=300))

    assert [(len(each["entries"]), each["more_entries"]) for each in document["verdicts"]] == [(200, 100)] * len(CHECKS)
    assert (len(document["storms"][0]["attempts"]), document["storms"][0]["more_attempts"]) == (1, 0)


def by_webhook(sandbox: Patchworks) -> int:
    """Push two orders to a webhook until they arrive."""
    url = sandbox.webhook("Orders in").url
    for order in (1, 2):
        for _ in range(4):
            try:
                if requests.post(url, json={"order": order}, timeout=30).status_code == 200:
                    break
            except requests.RequestException:
                continue
        else:
            return 1
    return 0


def test_integration_that_uses_a_webhook_is_certified(served: Patchworks) -> None:
    report = served.certify(by_webhook, ["connection-reset", "answer-lost"], json_path="$.order")

    struck = {run.storm.name: {entry.kind for entry in run.faulted} for run in report.runs if run.storm.rules}
    assert struck == {"connection-reset": {"webhook"}, "answer-lost": {"webhook"}}
    assert [verdict for verdict in report.verdicts if verdict.verdict == "fail" and verdict.check != "idempotent"] == []
    assert {run.stored for run in report.runs} == {2}
