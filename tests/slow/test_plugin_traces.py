"""``--patchworks-trace``: an HTML file for each test, with its requests and its failure."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from sandbox.testing.traces import file_name
from tests.testing.plugin.running import PUSH, run

pytest_plugins = ["pytester"]

TESTS = """
@pytest.mark.parametrize("name", ["a/b", "a:b", "x" * 300])
def test_push(patchworks, name):
    push(patchworks, {"order": name, "lines": [{"qty": 2}], "password": "hunter2"})
    patchworks.inbound("anything").assert_received(json={"order": name, "lines": [{"qty": 3}], "password": "hunter2"})

def test_good(patchworks):
    push(patchworks, {"order": "1001"})

def test_without():
    assert False
"""


def traces(pytester: pytest.Pytester, folder: str = "patchworks-traces") -> dict[str, str]:
    """Return the traces of a session by their titles."""
    files = sorted(Path(pytester.path, folder).glob("*.html"))
    return {re.search("<title>(.*)</title>", html)[1]: html for html in (file.read_text("utf-8") for file in files)}  # type: ignore[index]


def test_failing_tests_have_a_trace_that_marks_the_nearest_request(pytester: pytest.Pytester) -> None:
    result = run(pytester, TESTS, "--patchworks-trace=retain-on-failure", "--junitxml=report.xml")

    result.assert_outcomes(passed=1, failed=4)
    found = traces(pytester)
    assert sorted(found)[:2] == ["test_it.py::test_push[a/b]", "test_it.py::test_push[a:b]"]
    assert len(found) == 3
    html = found["test_it.py::test_push[a/b]"]
    assert "NotReceivedError" in html
    assert re.search(r'class="line wrong"[^>]*><span class="key">[^<]*qty', html)
    assert html.count('<section class="pane"') == 2
    assert "hunter2" not in "".join(found.values())
    files = sorted(Path(pytester.path, "patchworks-traces").iterdir())
    assert all(re.fullmatch(r"[\w.-]{1,120}", file.name, re.ASCII) for file in files)
    named = [f"patchworks-traces/{file.name}" for file in files]
    summary = result.stdout.str().partition("= patchworks traces =")[2]
    assert all(name in summary for name in named)
    report = ET.parse(Path(pytester.path, "report.xml"))
    properties = {each.get("value") for each in report.iter("property") if each.get("name") == "patchworks_trace"}
    assert properties == {*named}


def test_every_test_that_uses_the_sandbox_has_one_where_all_are_asked_for(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\npatchworks_trace = on\npatchworks_trace_dir = build/traces")

    result = run(pytester, TESTS)

    assert len(traces(pytester, "build/traces")) == 4
    assert "passed" in traces(pytester, "build/traces")["test_it.py::test_good"]
    result.stdout.fnmatch_lines(["4 traces in build/traces"])


def test_option_wins_over_the_configuration_file(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\npatchworks_trace = on")

    run(pytester, TESTS, "--patchworks-trace=off")

    assert traces(pytester) == {}


def test_trace_has_the_failures_of_setup_and_teardown(pytester: pytest.Pytester) -> None:
    run(
        pytester,
        """
@pytest.fixture
def early(patchworks):
    push(patchworks, {"order": "early"})
    raise RuntimeError("in setup")

@pytest.fixture
def late(patchworks):
    yield
    push(patchworks, {"order": "late"})
    raise RuntimeError("in teardown")

def test_early(early): pass

def test_late(late):
    raise RuntimeError("in the test itself")
""",
        "--patchworks-trace=retain-on-failure",
    )

    found = traces(pytester)
    assert "Failed in setup" in found["test_it.py::test_early"]
    assert ">early<" in found["test_it.py::test_early"]
    late = found["test_it.py::test_late"]
    assert re.findall(r"Failed in ([\w ]+)", late) == ["the test", "teardown"]
    assert ">late<" in late


def test_trace_of_a_test_that_runs_again_has_its_last_run(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for _ in range(2):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        item._initrequest()
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""
    )
    options = "--patchworks-trace=on", "--junitxml=report.xml"
    run(pytester, "def test_push(patchworks):\n    push(patchworks, {'order': 'once'})\n    assert False\n", *options)

    (html,) = traces(pytester).values()
    assert html.count("Failed in the test") == html.count('<h2 id="recording-') == 1
    properties = ET.parse(Path(pytester.path, "report.xml")).iter("property")
    assert [each.get("name") for each in properties].count("patchworks_trace") == 1


def test_session_keeps_no_requests_of_the_tests_that_are_over(pytester: pytest.Pytester) -> None:
    code = """
import gc

def test_first(patchworks):
    push(patchworks, {"order": "1001"})

def test_second(patchworks):
    kept = [each for each in gc.get_objects() if type(each).__name__ == "Recording"]
    assert kept == []
"""

    run(pytester, code, "--patchworks-trace=on").assert_outcomes(passed=2)


def test_every_sandbox_of_a_test_is_in_its_trace(pytester: pytest.Pytester) -> None:
    run(
        pytester,
        """
def test_two(patchworks, patchworks_factory):
    push(patchworks, {"order": "here"})
    push(patchworks_factory(), {"order": "there"})

@pytest.mark.patchworks(settings={"token_path": "/t"})
def test_own(patchworks, patchworks_server):
    push(patchworks, {"order": "own"})
    requests.get(patchworks_server.base_url + "/nothing", timeout=10)
""",
        "--patchworks-trace=on",
    )

    found = traces(pytester)
    for test, names in (("test_two", (">here<", ">there<")), ("test_own", (">own<", "/nothing"))):
        html = found[f"test_it.py::{test}"]
        assert html.count('<h2 id="recording-') == 2
        assert all(name in html for name in names)


def test_sandbox_of_the_session_shows_the_requests_of_the_test(pytester: pytest.Pytester) -> None:
    run(
        pytester,
        """
def test_reset(patchworks):
    push(patchworks, {"order": "before"})

def test_first(patchworks_session):
    push(patchworks_session, {"order": "first"})

def test_second(patchworks_session):
    push(patchworks_session, {"order": "second"})
""",
        "--patchworks-trace=on",
    )

    found = traces(pytester)
    orders = {title: re.findall(r'<b class="name"><bdi>(\w+)<', html) for title, html in found.items()}
    assert orders == {
        "test_it.py::test_reset": ["before"],
        "test_it.py::test_first": ["first"],
        "test_it.py::test_second": ["second"],
    }


def test_session_removes_the_traces_of_an_earlier_one_and_no_other_file(pytester: pytest.Pytester) -> None:
    folder = Path(pytester.path, "patchworks-traces")
    run(pytester, TESTS, "--patchworks-trace=on")
    old = next(folder.iterdir())
    old.rename(folder / "test_gone-0123abcd.html")
    (folder / "mine.html").write_text(old.name)
    (folder / "mine-0123abcd.html").write_text("<!DOCTYPE html>")

    run(pytester, TESTS, "--patchworks-trace=on", "--collect-only")
    assert (folder / "test_gone-0123abcd.html").exists()
    run(pytester, TESTS, "--patchworks-trace=retain-on-failure")

    assert len([*folder.iterdir()]) == 3 + 2
    assert (folder / "mine.html").exists()
    assert (folder / "mine-0123abcd.html").exists()


def test_folder_that_cannot_be_written_fails_no_test(pytester: pytest.Pytester) -> None:
    Path(pytester.path, "traces").write_text("a file")

    result = run(pytester, TESTS, "--patchworks-trace=on", "--patchworks-trace-dir=traces")

    result.assert_outcomes(passed=1, failed=4)
    result.stdout.fnmatch_lines(["test_it.py::test_push*: not written: *"])


def test_defect_of_the_trace_fails_no_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("a defect")

    monkeypatch.setattr("sandbox.testing.traces.as_html", broken)

    result = run(pytester, TESTS, "--patchworks-trace=on")

    result.assert_outcomes(passed=1, failed=4)
    result.stdout.fnmatch_lines(["test_it.py::test_push*: not written: RuntimeError: a defect"])


def test_sandbox_that_cannot_be_asked_is_named_in_the_trace(pytester: pytest.Pytester) -> None:
    run(
        pytester,
        """
from sandbox.foundation.errors import UnreachableError
from sandbox.journal.journal import Journal

def test_lost(monkeypatch, patchworks):
    def newest_first(*_, **__):
        raise UnreachableError("no sandbox answers at http://sandbox")

    monkeypatch.setattr(Journal, "newest_first", newest_first)
""",
        "--patchworks-trace=on",
    )

    assert (
        "The journal cannot be read: no sandbox answers at http://sandbox" in traces(pytester)["test_it.py::test_lost"]
    )


def test_session_without_traces_imports_nothing_for_them(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["sandbox.testing.traces", "sandbox.testing.trace_recording", "sandbox.web.dashboard.trace"]
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    code = f"""
import sys

def test_it(patchworks, pytestconfig):
    push(patchworks, {{"order": "1001"}})
    assert not [name for name in {names} if name in sys.modules]
    assert pytestconfig.pluginmanager.get_plugin("patchworks_traces") is None
"""

    run(pytester, code).assert_outcomes(passed=1)


def test_unknown_mode_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\npatchworks_trace = always")
    pytester.makepyfile(test_it=PUSH)

    result = run(pytester, "")

    result.stderr.fnmatch_lines(["*patchworks_trace: 'always' is not allowed; use on, retain-on-failure or off*"])


@pytest.mark.parametrize(
    "nodeid",
    [
        "tests/a/test_x.py::TestA::test_b[1-2]",
        "tests/test_x.py::test_b[" + 'ä/\\:*?"<>|\0\n' * 50 + "]",
        "::",
        "../../etc/passwd::..",
        "test_x.py::test_\udcff",
        "CON",
    ],
)
def test_name_of_a_trace_suits_every_file_system(nodeid: str) -> None:
    name = file_name(nodeid)

    assert re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,100}-[0-9a-f]{8}\.html", name, re.ASCII)
    assert name != file_name(nodeid + " ")
    assert name.lower() != file_name(nodeid.swapcase()).lower() or nodeid == nodeid.swapcase()


def test_path_in_a_junit_report_is_relative_to_the_root_folder(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\npatchworks_trace = on")
    pytester.mkdir("below")
    monkeypatch.chdir(pytester.path / "below")

    test = "def test_push(patchworks):\n    push(patchworks, {'order': 'once'})\n    assert False\n"
    result = run(pytester, test, "--rootdir=..", "-c=../tox.ini", "--junitxml=report.xml", "..")

    (file,) = Path(pytester.path, "patchworks-traces").iterdir()
    properties = ET.parse(Path(pytester.path, "below", "report.xml")).iter("property")
    assert [each.get("value") for each in properties if each.get("name") == "patchworks_trace"] == [
        f"patchworks-traces/{file.name}"
    ]
    assert file.as_posix() in result.stdout.str()
