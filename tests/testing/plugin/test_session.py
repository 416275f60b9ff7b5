"""The handle of a session, and what a configuration file says for all of its tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import Sandbox, SandboxServer
from tests.testing.plugin.running import run

pytest_plugins = ["pytester"]

SHARED = """
import unittest

class Client:
    token = None

    def push(self, sandbox, payload):
        if self.token is None:
            self.token = bearer(sandbox)
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.post(sandbox.inbound("anything").url, json=payload, headers=headers, timeout=10).status_code

def bearer(sandbox):
    form = {"grant_type": "client_credentials", "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret}
    return requests.post(sandbox.token_url, form, timeout=10).json()["access_token"]

client = Client()

@pytest.fixture(scope="module")
def sandbox(patchworks_session):
    return patchworks_session

@pytest.fixture(autouse=True)
def _empty(sandbox):
    sandbox.clear()

@pytest.mark.parametrize("number", range(3))
def test_token_is_kept(sandbox, number):
    sandbox.faults.add({"kind": "status", "code": 503}, endpoint="inbound", times=1, name=f"once {number}")
    assert client.push(sandbox, {"order": number}) == 503
    assert client.push(sandbox, {"order": number}) == 200
    assert (len(sandbox.inbound("anything")), len(sandbox.faults)) == (2, 1)
    assert sandbox.inbound("anything").payloads == [{"order": number}]

@pytest.mark.usefixtures("_given")
class TestOfUnittest(unittest.TestCase):
    @pytest.fixture(scope="class")
    def _given(self, request, patchworks_session):
        request.cls.sandbox = patchworks_session

    def test_push(self):
        assert client.push(self.sandbox, {}) == 200
        self.sandbox.inbound("anything").assert_received(times=1)
"""


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_session_has_one_handle_of_one_type(pytester: pytest.Pytester, where: str, sandbox: Sandbox) -> None:
    with SandboxServer(sandbox) as server:
        options = [f"--patchworks-url={server.base_url}"] if where == "elsewhere" else []
        result = run(pytester, SHARED, *options)

    result.assert_outcomes(passed=4)


def test_report_shows_the_requests_to_the_sandbox_of_a_session(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
@pytest.fixture(scope="module")
def url(patchworks_session):
    return patchworks_session.token_url

def test_push(url):
    requests.post(url, timeout=10)
    pytest.fail("on purpose")

def test_something_else():
    pytest.fail("on purpose, too")
""",
    )

    result.assert_outcomes(failed=2)
    assert result.stdout.str().count("requests to http://127.0.0.1:") == 1
    result.stdout.fnmatch_lines(["[#]1 POST /oauth/token -> 400 *"])


def test_marker_keeps_the_tokens_of_earlier_tests(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        SHARED.partition("@pytest.fixture(scope")[0]
        + """
pytestmark = pytest.mark.patchworks(keep_tokens=True)

@pytest.mark.parametrize("number", range(2))
def test_push(patchworks, number):
    patchworks.faults.add({"kind": "latency", "seconds": 0.001}, name=f"rule {number}")
    assert client.push(patchworks, {"order": number}) == 200
    assert patchworks.inbound("anything").payloads == [{"order": number}]
    assert [state.rule.name for state in patchworks.faults] == [f"rule {number}"]

@pytest.mark.patchworks(settings={"success_status": 201})
def test_nonsense(patchworks):
    pass
""",
    )

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*keep_tokens: True is not allowed; use nothing together with seed, settings *"])


@pytest.mark.parametrize(
    "test",
    [
        "@MARK\ndef test_push(): called()",
        "@MARK\nclass TestIt:\n    def test_push(self): called()",
        "pytestmark = MARK\ndef test_push(): called()",
        "import unittest\n@MARK\nclass TestIt(unittest.TestCase):\n    def test_push(self): called()",
        "@pytest.mark.parametrize('_', [pytest.param(1, marks=MARK)])\ndef test_push(_): called()",
    ],
    ids=["function", "class", "module", "unittest", "parameter"],
)
def test_marker_alone_brings_the_fixture(pytester: pytest.Pytester, test: str) -> None:
    result = run(
        pytester,
        f"""
MARK = pytest.mark.patchworks(intercept="strict")

def called():
    assert requests.post("https://inbound.pwks.co/oauth/token", timeout=10).status_code == 400

{test}
""",
    )

    result.assert_outcomes(passed=1)


def test_marker_that_a_conftest_adds_brings_the_fixture(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.patchworks(seed={"companies": [{"name": "Beta"}]}))
        """
    )
    result = run(pytester, "def test_it(request): assert request.getfixturevalue('patchworks').company == 'beta'\n")

    result.assert_outcomes(passed=1)


def test_configuration_file_names_seed_files_and_settings(pytester: pytest.Pytester) -> None:
    Path(pytester.mkdir("seeds"), "own.yaml").write_text("companies: [{name: Gamma}]")
    pytester.makeini(
        """
        [pytest]
        patchworks_seed_file = seeds/own.yaml
        patchworks_settings =
            success_status = 201
            threads = 2
            token_methods = POST
        """
    )
    result = run(
        pytester,
        """
def test_own(patchworks):
    settings = patchworks.sandbox.settings
    assert (patchworks.company, settings.success_status, settings.token_methods) == ("gamma", 201, ("POST",))

@pytest.mark.patchworks(seed={"companies": [{"name": "Beta"}]}, settings={"success_message": "Yes."})
def test_marker(patchworks):
    settings = patchworks.sandbox.settings
    assert (patchworks.company, settings.success_status, settings.success_message) == ("beta", 201, "Yes.")
""",
    )

    result.assert_outcomes(passed=2)


def test_settings_of_a_configuration_file_reach_a_sandbox_elsewhere(
    pytester: pytest.Pytester, sandbox: Sandbox
) -> None:
    pytester.makeini("[pytest]\npatchworks_settings = success_status = 201\n")
    with SandboxServer(sandbox) as server:
        result = run(
            pytester,
            "def test_it(patchworks): assert push(patchworks, {}) == 201\n",
            f"--patchworks-url={server.base_url}",
        )

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("patchworks_settings = succes_status = 201", "*succes_status: there is no such setting; did you mean *"),
        ("patchworks_settings = success_status", "*patchworks_settings: *use lines such as: rate_limit = true*"),
        ("patchworks_settings = success_status = 300", "*success_status: *300* is not allowed; use 200 or 201*"),
        ("patchworks_seed_file = nowhere.yaml", "*nowhere.yaml: there is no such file; *"),
        (
            "patchworks_intercept = loosely",
            "*patchworks_intercept: 'loosely' is not allowed; use true, false *",
        ),
    ],
    ids=["unknown setting", "no value", "wrong value", "missing seed", "wrong interception"],
)
def test_configuration_file_that_makes_no_sense_is_refused(pytester: pytest.Pytester, line: str, message: str) -> None:
    pytester.makeini(f"[pytest]\n{line}\n")
    result = run(pytester, "def test_it(patchworks): pass\n")

    assert result.ret != 0
    (result.stdout if result.stdout.lines else result.stderr).fnmatch_lines([message])


WHOLE = """
import socket

def name_is_refused():
    with pytest.raises(OSError, match="patchworks_intercept refuses inbound.pwks.co outside of tests"):
        socket.getaddrinfo("inbound.pwks.co", 443)

name_is_refused()

@pytest.fixture(autouse=True)
def _undoes(monkeypatch):  # as pytest-socket does it
    yield
    socket.socket.connect = socket.socket.__base__.connect

def test_no_fixture():
    assert requests.post("https://inbound.pwks.co/oauth/token", timeout=10).status_code == 400
    with pytest.raises(requests.ConnectionError, match="refuses api.shop.example"):
        requests.get("https://api.shop.example", timeout=10)

def test_fixture(patchworks):
    requests.post("https://inbound.pwks.co/oauth/token", timeout=10)
    patchworks.token_requests.assert_received(times=1)

@pytest.mark.patchworks(seed={"companies": [{"name": "Beta"}]})
def test_sandbox_of_its_own(patchworks, patchworks_session):
    requests.post("https://inbound.pwks.co/oauth/token", timeout=10)
    patchworks.token_requests.assert_received(times=1)
    patchworks_session.token_requests.assert_received(times=1)  # of the test before

def test_interception_of_its_own(patchworks):
    with patchworks.intercept("tokens.example") as interception:
        assert requests.post("https://tokens.example/oauth/token", timeout=10).status_code == 400
        assert requests.post("https://inbound.pwks.co/oauth/token", timeout=10).status_code == 400
        with pytest.raises(requests.ConnectionError, match="refuses api.shop.example"):
            requests.get("https://api.shop.example", timeout=10)
    patchworks.token_requests.assert_received(times=2)
"""


def test_whole_session_never_reaches_the_real_platform(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\npatchworks_intercept = strict\n")
    result = run(pytester, WHOLE)

    result.assert_outcomes(passed=4, warnings=0)


def test_interception_of_a_session_needs_a_sandbox_of_this_process(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\npatchworks_intercept = true\n")
    result = run(pytester, "def test_it(): pass\n", "--patchworks-url=http://127.0.0.1:9")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["patchworks_intercept needs a sandbox in this process, *-o patchworks_intercept="])


@pytest.mark.parametrize("place", ["beside the test", "in the root", "in the working folder"])
def test_seed_of_a_marker_is_looked_for_beside_the_test_first(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    root, tests, elsewhere = pytester.path, pytester.mkdir("tests"), pytester.mkdir("elsewhere")
    folders = {"beside the test": tests, "in the root": root, "in the working folder": elsewhere}
    Path(folders[place], "own.yaml").write_text("companies: [{name: Gamma}]")
    pytester.makeini("[pytest]")
    (tests / "test_seed.py").write_text(
        'import pytest\n@pytest.mark.patchworks(seed="own.yaml")\n'
        "def test_own(patchworks, patchworks_factory):\n"
        '    assert (patchworks.company, patchworks_factory("own.yaml").company) == ("gamma", "gamma")\n'
    )
    monkeypatch.chdir(elsewhere)
    result = run(pytester, "", "--rootdir", str(root), str(tests))

    result.assert_outcomes(passed=1)


def test_missing_seed_of_a_marker_is_told_with_every_place(pytester: pytest.Pytester) -> None:
    result = run(pytester, '@pytest.mark.patchworks(seed="own.yaml")\ndef test_own(): pass\n')

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*own.yaml: there is no such file; *(looked for {pytester.path / 'own.yaml'})*"])


def test_report_names_the_requests_that_went_to_another_sandbox(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
@pytest.fixture(scope="module")
def url(patchworks_session):
    return patchworks_session.token_url

@pytest.mark.patchworks(settings={"threads": 2})
def test_push(url, patchworks):
    requests.post(url, timeout=10)
    patchworks.token_requests.assert_received()
""",
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*requests to http://*(the session's sandbox: the marker of this test asks for one of its*",
            "[#]1 POST *",
        ]
    )


def test_report_names_the_faults_that_never_acted(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
@pytest.mark.patchworks(faults=[{"fault": {"kind": "status", "code": 503}, "match": {"vanity_url": "order"}}])
def test_push(patchworks):
    assert push(patchworks, {}) == 503
""",
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the fault fault-1 (status; vanity_url=order) never acted"])


def test_test_in_a_fork_has_a_sandbox_of_its_own(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
@pytest.fixture
def forked(patchworks_server, monkeypatch):
    url = patchworks_server.base_url
    monkeypatch.setattr(patchworks_server, "_pid", 1)  # as the fork of process 1 finds it, which serves
    return url

def test_forked(forked, patchworks):
    assert patchworks.base_url != forked
    assert push(patchworks, {}) == 200
    assert len(patchworks.requests) == 2
""",
    )

    result.assert_outcomes(passed=1)
