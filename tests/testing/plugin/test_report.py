"""What a failed test tells of its requests, and what the log tells of all."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.testing.plugin.running import run

pytest_plugins = ["pytester"]


def test_report_of_a_failed_test_tells_its_requests_and_no_secret(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_before(patchworks):
    push(patchworks, {"order": "of another test"})

def test_push(patchworks):
    push(patchworks, {"order": "1001", "password": "hunter2"})
    push(patchworks, {"order": "1002"}, client_secret="not-the-secret")
    pytest.fail("on purpose")
""",
    )

    result.assert_outcomes(passed=1, failed=1)
    report = result.stdout.str().partition("on purpose")[2]
    assert "- requests to http://127.0.0.1:" in report
    lines = [line for line in report.splitlines() if line.startswith(("#", "    "))]
    assert [line[:60] for line in lines] == [
        "#1 POST /oauth/token -> 200 accepted",
        "#2 POST /v1/acme/anything -> 200 accepted",
        '    {"order": "1001", "password": "sha256:f52fbd32b2b3"}',
        "#3 POST /oauth/token -> 401 wrong_secret",
        "#4 POST /v1/acme/anything -> 401 malformed_token: 1 part, a ",
        '    {"order": "1002"}',
    ]
    assert "hunter2" not in report
    assert "not-the-secret" not in report


@pytest.mark.parametrize("when", ["setup", "call", "teardown"])
def test_junit_report_has_the_requests_of_a_failed_test(pytester: pytest.Pytester, when: str) -> None:
    run(
        pytester,
        f"""
@pytest.fixture
def around(patchworks):
    requests.post(patchworks.token_url, timeout=10)
    assert {when != "setup"}
    yield
    assert {when != "teardown"}

def test_it(patchworks, around):
    assert {when != "call"}

def test_good(patchworks):
    requests.post(patchworks.token_url, timeout=10)
""",
        "--junitxml=report.xml",
    )

    report = ET.parse(Path(pytester.path, "report.xml"))
    properties = [(case.get("name"), each) for case in report.iter("testcase") for each in case.iter("property")]
    assert [(name, each.get("value")) for name, each in properties] == [
        ("test_it", "#1 POST /oauth/token -> 400 unsupported_grant_type: none given")
    ]
    assert (properties[0][1].get("name") or "").startswith("requests to http://127.0.0.1:")


def test_report_has_a_line_where_the_clock_was_moved(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_day(patchworks):
    requests.get(patchworks.base_url + "/nothing", timeout=10)
    patchworks.clock.advance(hours=24)
    requests.get(patchworks.base_url + "/nothing", timeout=10)
    pytest.fail("on purpose")
""",
    )

    result.stdout.fnmatch_lines(
        ["[#]1 GET /nothing *", "(1 d later on the sandbox clock)", "[#]2 GET /nothing *"], consecutive=True
    )


def test_report_of_many_requests_is_short(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_many(patchworks):
    for _ in range(30):
        requests.get(patchworks.base_url + "/nothing", timeout=10)
    pytest.fail("on purpose")
""",
    )

    result.stdout.fnmatch_lines(["(10 earlier requests left out)", "[#]11 GET /nothing -> 404 *"])
    result.stdout.no_fnmatch_line("[#]10 GET *")


def test_report_of_a_test_whose_journal_cannot_be_read_says_why(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
from sandbox.foundation.errors import UnreachableError

def test_lost(patchworks):
    def story(**_):
        raise UnreachableError("no sandbox answers at http://sandbox")

    patchworks.story = story
    pytest.fail("on purpose")
""",
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the journal cannot be read: no sandbox answers at http://sandbox"])


def test_log_has_every_test_with_its_outcome(pytester: pytest.Pytester) -> None:
    Path(pytester.path, "requests.log").write_text("of the session before")
    run(
        pytester,
        """
def test_good(patchworks):
    push(patchworks, {"order": "1001"})

def test_bad(patchworks):
    pytest.fail("on purpose")
""",
        "--patchworks-log=requests.log",
    )

    assert Path(pytester.path, "requests.log").read_text(encoding="utf-8") == (
        "test_it.py::test_good passed\n#1 POST /oauth/token -> 200 accepted\n"
        '#2 POST /v1/acme/anything -> 200 accepted\n    {"order": "1001"}\n\n'
        "test_it.py::test_bad failed\nno request was received\n\n"
    )


def test_answer_500_of_the_sandbox_itself_fails_the_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_unlucky(patchworks, monkeypatch):
    monkeypatch.setattr("sandbox.platform.endpoints.inbound.InboundEndpoint.handle", lambda *_: 1 / 0)
    assert push(patchworks, {}) == 500
""",
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the sandbox itself failed during this test*request 2: internal_error*"])
