"""The clients of ``examples/certify``, and one in PHP, are certified by their variables alone."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from sandbox.testing.certify.report import Report
from sandbox.testing.handle import Patchworks
from tests import ROOT

EXAMPLES = ROOT / "examples" / "certify"

PHP = r"""<?php
function post($url, $body, $headers) {
    $http = ['method' => 'POST', 'content' => $body, 'header' => array_merge(['Accept: application/json'], $headers)];
    return json_decode(file_get_contents($url, false, stream_context_create(['http' => $http])), true);
}
$form = ['grant_type' => 'client_credentials', 'client_id' => getenv('PATCHWORKS_CLIENT_ID'),
         'client_secret' => getenv('PATCHWORKS_CLIENT_SECRET')];
$type = 'Content-Type: application/x-www-form-urlencoded';
$token = post(getenv('PATCHWORKS_TOKEN_URL'), http_build_query($form), [$type])['access_token'];
foreach ([1, 2] as $order) {
    $headers = ['Content-Type: application/json', "Authorization: Bearer $token"];
    if (!post(getenv('PATCHWORKS_INBOUND_URL_ANYTHING'), json_encode(['order' => $order]), $headers)) exit(1);
}
"""


def verdicts(report: Report) -> dict[str, str]:
    return {verdict.check: verdict.verdict for verdict in report.verdicts}


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.mark.parametrize("client", ["good.py", "good.mjs"])
def test_good_client_survives(patchworks: Patchworks, client: str) -> None:
    runner = sys.executable if client.endswith(".py") else program("node")
    report = patchworks.certify(
        [runner, str(EXAMPLES / client)], ["connection-reset", "token-expires", "payload-refused"]
    )

    assert not report.failed, str(report)
    assert {"renews_on_401", "survives_reset", "no_retry_on_422", "nothing_lost"} <= {
        verdict.check for verdict in report.passed
    }


def test_php_client_is_certified_by_its_variables(patchworks: Patchworks, tmp_path: Path) -> None:
    (tmp_path / "push.php").write_text(PHP, encoding="utf-8")
    report = patchworks.certify([program("php"), str(tmp_path / "push.php")], ["connection-reset"])

    assert verdicts(report)["caches_token"] == "pass", report.runs[0].outcome.output
    assert verdicts(report)["survives_reset"] == "fail"
    assert verdicts(report)["nothing_lost"] == "pass"


def test_naive_client_fails(patchworks: Patchworks) -> None:
    report = patchworks.certify(
        [sys.executable, str(EXAMPLES / "naive.py")],
        ["connection-reset", "payload-refused", "rate-limited", "token-expiry-as-text"],
    )

    assert {verdict.check for verdict in report.failed} >= {
        "caches_token",
        "honours_retry_after",
        "survives_reset",
        "reads_expires_in",
        "no_retry_on_422",
        "keeps_contract",
        "no_secret_in_url",
        "nothing_lost",
    }
