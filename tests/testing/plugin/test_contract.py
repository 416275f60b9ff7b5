"""``contract="fail"`` and its siblings: a test fails, or is reported, for requests that do not conform."""

from __future__ import annotations

import pytest

from tests.testing.plugin.running import run

pytest_plugins = ["pytester"]

BAD = """
def bad(patchworks):
    requests.get(patchworks.token_url, {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"},
                 timeout=10)

def good(patchworks):
    requests.get(patchworks.token_url, {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"},
                 headers={"Accept": "application/json"}, timeout=10)
"""
MARKED = """
@pytest.mark.patchworks(contract="fail")
def test_bad(patchworks):
    bad(patchworks)
"""


def test_marked_test_fails_in_its_call_with_the_list_and_a_marked_story(pytester: pytest.Pytester) -> None:
    result = run(pytester, BAD + MARKED + "def test_unmarked(patchworks): bad(patchworks)", "-rN")

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "1 of 1 requests does not conform to the contract (openapi.yaml):",
            "  #1 GET /oauth/token",
            "      no_accept_json: Accept: [*]/[*] does not name application/json",
            "          contract: *",
            "          remedy: Send 'Accept: application/json'. *",
            "*- requests to http://127.0.0.1:*",
            "[#]1 GET /oauth/token -> 401 * ! no_accept_json",
        ]
    )
    result.stdout.no_fnmatch_line("*traceback*")


@pytest.mark.parametrize(
    ("ini", "options", "failed"),
    [
        ("", [], 0),
        ("patchworks_contract = fail", [], 1),
        ("patchworks_contract = report", [], 0),
        ("patchworks_contract = fail", ["--patchworks-contract=off"], 0),
        ("", ["--patchworks-contract=fail"], 1),
        ("patchworks_contract = fail\npatchworks_contract_allow = no_accept_json", [], 0),
    ],
)
def test_mode_is_that_of_the_option_or_else_of_the_ini_file(
    pytester: pytest.Pytester, ini: str, options: list[str], failed: int
) -> None:
    pytester.makeini(f"[pytest]\n{ini}\n")

    result = run(pytester, BAD + "def test_bad(patchworks): bad(patchworks)", *options)

    result.assert_outcomes(failed=failed, passed=1 - failed)


def test_marker_wins_and_the_nearest_one_counts(pytester: pytest.Pytester) -> None:
    tests = """
pytestmark = pytest.mark.patchworks(contract="fail", allow={"no_accept_json"})

def test_allowed(patchworks):
    bad(patchworks)

@pytest.mark.patchworks(allow=())
def test_not_allowed(patchworks):
    bad(patchworks)

@pytest.mark.patchworks(contract="off")
def test_off(patchworks):
    bad(patchworks)
    requests.put(patchworks.token_url, timeout=10)
"""
    result = run(pytester, BAD + tests, "--patchworks-contract=report")

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*test_not_allowed*"])


def test_empty_and_overflowing_journals_do_not_pass(pytester: pytest.Pytester) -> None:
    tests = """
def test_empty(patchworks):
    pass

@pytest.mark.patchworks(settings={"journal_entries": 2})
def test_overflowing(patchworks):
    bad(patchworks)
    for _ in range(3):
        good(patchworks)

def test_good(patchworks):
    good(patchworks)

def test_without_a_sandbox():
    pass
"""
    result = run(pytester, BAD + tests, "--patchworks-contract=fail")

    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["no request came, *", "up to 2 requests were not held against the contract, *"])


def test_report_lists_violations_at_the_end_and_fails_nothing(pytester: pytest.Pytester) -> None:
    tests = """
def test_bad(patchworks):
    bad(patchworks)

def test_good(patchworks):
    good(patchworks)
"""
    result = run(pytester, BAD + tests, "--patchworks-contract=report")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["*= contract violations =*", "test_it.py::test_bad", "1 of 1 requests does not conform *"]
    )
    result.stdout.no_fnmatch_line("test_it.py::test_good")


def test_every_sandbox_of_a_test_is_held_against_the_contract(pytester: pytest.Pytester) -> None:
    tests = """
@pytest.mark.patchworks(contract="fail")
def test_two(patchworks, patchworks_factory):
    good(patchworks)
    bad(patchworks_factory())

@pytest.mark.patchworks(contract="fail")
def test_one_of_two(patchworks, patchworks_factory):
    good(patchworks_factory())

@pytest.mark.patchworks(contract="fail")
def test_none_of_two(patchworks, patchworks_factory):
    patchworks_factory()
"""
    run(pytester, BAD + tests).assert_outcomes(failed=2, passed=1)


def test_test_that_fails_itself_keeps_its_own_failure(pytester: pytest.Pytester) -> None:
    tests = """
@pytest.mark.patchworks(contract="fail")
def test_own(patchworks):
    bad(patchworks)
    assert 1 + 1 == 3

@pytest.mark.patchworks(contract="fail")
def test_skipped(patchworks):
    bad(patchworks)
    pytest.skip("not today")
"""
    result = run(pytester, BAD + tests)

    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(["E *assert (1 + 1) == 3", "[#]1 GET * ! no_accept_json"])
    result.stdout.no_fnmatch_line("*does not conform to the contract*")


def test_story_of_a_failed_assertion_on_the_contract_is_marked(pytester: pytest.Pytester) -> None:
    tests = """
def test_asserted(patchworks):
    bad(patchworks)
    patchworks.assert_contract()
"""
    result = run(pytester, BAD + tests)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *1 of 1 requests does not conform *", "[#]1 GET * ! no_accept_json"])


@pytest.mark.parametrize(
    ("ini", "arguments", "message"),
    [
        ("patchworks_contract = fial", "", "*patchworks_contract: 'fial' is not allowed; use fail, report or off*"),
        (
            "patchworks_contract_allow = nothing",
            "",
            "*patchworks_contract_allow: *codes of contract violations; *",
        ),
        ("", "contract='fial'", "*contract: 'fial' is not allowed; use fail, report or off*"),
        ("", "contract='fail', allow={'x'}", "*allow: 'x' is not allowed; use codes of contract violations; *"),
    ],
)
def test_what_makes_no_sense_is_refused(pytester: pytest.Pytester, ini: str, arguments: str, message: str) -> None:
    pytester.makeini(f"[pytest]\n{ini}\n")

    result = run(pytester, f"@pytest.mark.patchworks({arguments})\ndef test_typo(patchworks): pass\n")

    assert result.ret != 0
    pytest.LineMatcher([*result.outlines, *result.errlines]).fnmatch_lines([message])


def test_request_of_an_earlier_run_of_the_test_does_not_count(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    runtestprotocol(item, nextitem=nextitem, log=False)
    item._initrequest()
    for report in runtestprotocol(item, nextitem=nextitem, log=False):
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""
    )
    tests = """
runs = []

@pytest.mark.patchworks(contract="fail")
def test_again(patchworks_factory):
    runs.append(1)
    (bad if len(runs) == 1 else good)(patchworks_factory())
"""
    run(pytester, BAD + tests).assert_outcomes(passed=1)


def test_request_to_the_sandbox_of_the_session_counts_for_its_test(pytester: pytest.Pytester) -> None:
    tests = """
def test_good(patchworks_session): good(patchworks_session)
def test_bad(patchworks_session): bad(patchworks_session)
def test_good_again(patchworks_session): good(patchworks_session)
def test_unused(patchworks_session): pass
"""
    result = run(pytester, BAD + tests, "--patchworks-contract=fail", "-rN")

    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*1 of 1 requests does not conform to the contract*", "*#2 GET /oauth/token"])
