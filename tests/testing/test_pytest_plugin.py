"""The pytest plugin, as the tests of its users meet it."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from tests import ROOT

pytest_plugins = ["pytester"]

IS_INSTALLED = any(point.value == "patchworks_sandbox_pytest" for point in entry_points(group="pytest11"))
PLUGIN = [] if IS_INSTALLED else ["-p", "patchworks_sandbox_pytest"]


def run(pytester: pytest.Pytester, code: str, conftest: str = "") -> pytest.RunResult:
    pytester.makeconftest(conftest)
    pytester.makepyfile(code)
    return pytester.runpytest_inprocess(*PLUGIN, "-p", "no:randomly", "-p", "no:cacheprovider")


def test_fixture_is_all_that_a_test_needs(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import requests

        def token(patchworks):
            credentials = {"client_id": patchworks.client_id, "client_secret": patchworks.client_secret}
            form = {"grant_type": "client_credentials", **credentials}
            with requests.Session() as session:
                return session.post(patchworks.token_url, data=form).json()["access_token"]

        def push(url, token, order):
            with requests.Session() as session:
                return session.post(url, json=order, headers={"Authorization": f"Bearer {token}"}).status_code

        def test_push(patchworks):
            orders = patchworks.inbound("anything")
            access_token = token(patchworks)

            assert push(orders.url, access_token, {"order": "1001"}) == 200
            patchworks.clock.advance(hours=24)
            assert push(orders.url, access_token, {"order": "1002"}) == 401

            assert orders.payloads == [{"order": "1001"}]
            assert [entry.status for entry in orders] == [200, 401]
            assert patchworks.rejected[0].reason.startswith("token_expired")
            assert len(patchworks.token_requests) == 1
            assert requests.get(f"{patchworks.control_url}/health/ready").status_code == 200

        def test_settings(patchworks):
            patchworks.configure(success_status=201)
            assert push(patchworks.inbound("anything").url, token(patchworks), {"a": 1}) == 201
        """,
    )

    result.assert_outcomes(passed=2)


def test_sandbox_is_reset_before_each_test_and_served_by_one_server(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest, requests

        seen = []

        @pytest.mark.parametrize("number", [1, 2])
        def test_fresh(patchworks, number):
            seen.append((patchworks.base_url, patchworks.client_secret))
            assert patchworks.rejected == []
            assert not patchworks.clock.moved
            assert patchworks.sandbox.settings.success_status == 200

            requests.get(patchworks.token_url)
            patchworks.clock.freeze()
            patchworks.configure(success_status=201)

        def test_same_server():
            assert len(seen) == 2
            assert len(set(seen)) == 1
        """,
    )

    result.assert_outcomes(passed=3)


def test_server_may_hold_a_seed_of_its_own(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_own(patchworks):
            assert patchworks.inbound("returns").url.endswith("/v1/beta/returns")
            assert patchworks.client_secret == "a-secret-of-ours"
        """,
        conftest="""
        import pytest
        from sandbox import Sandbox, SandboxServer, parse_seed

        @pytest.fixture(scope="session")
        def patchworks_server():
            connector = {
                "name": "Shop",
                "entities": [{"type": "orders", "name": "orders"}],
                "oauth_clients": [{"name": "Tests", "client_secret": "a-secret-of-ours"}],
                "services": [{"vanity_url": "returns", "entity": "orders"}],
            }
            seed = parse_seed({"companies": [{"name": "Beta", "connectors": [connector]}]})
            with SandboxServer(Sandbox(seed)) as server:
                yield server
        """,
    )

    result.assert_outcomes(passed=1)


def test_failure_of_the_sandbox_itself_fails_the_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_unlucky(patchworks, patchworks_server):
            patchworks_server.errors.append(RuntimeError("a defect"))

        def test_innocent(patchworks):
            pass
        """,
    )

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*the sandbox itself failed during this test*a defect*"])


def test_unknown_service_is_refused_naming_those_there_are(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_typo(patchworks): patchworks.inbound('oders')")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*there is no service 'acme/oders'; did you mean 'acme/orders'? known: acme/orders, *"]
    )


def test_server_is_gone_after_the_session(pytester: pytest.Pytester) -> None:
    run(
        pytester,
        """
        from pathlib import Path

        def test_note(patchworks):
            Path("port").write_text(patchworks.base_url.rpartition(":")[2])
        """,
    )

    code = "import socket, sys; sys.exit(socket.socket().connect_ex(('127.0.0.1', int(open('port').read()))) == 0)"
    assert subprocess.run([sys.executable, "-c", code], cwd=pytester.path, check=False).returncode == 0


@pytest.mark.parametrize("module", ["sandbox", "patchworks_sandbox_pytest", "sandbox.cli"])
def test_import_costs_nothing_heavy(module: str) -> None:
    heavy = ["flask", "jwt", "werkzeug", "marshmallow", "cryptography", "requests", "trustme"]
    heavy += ["sandbox.state.sandbox", "sandbox.server", "sandbox.testing.handle"]
    if module != "sandbox.cli":  # which declares an option for every setting
        heavy += ["yaml", "sandbox.foundation.settings", "sandbox.foundation.errors"]
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "[]\n"


def test_importing_the_package_imports_next_to_nothing() -> None:
    code = "import sys; before = {*sys.modules}; import sandbox; print(sorted({*sys.modules} - before))"

    done = subprocess.run(  # without the site packages, whose start files import what they like
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    imported = ast.literal_eval(done.stdout)
    expected = {"__future__", "importlib", "importlib._bootstrap", "importlib._bootstrap_external", "warnings"}
    assert {*imported} - expected == {"sandbox", "sandbox._version"}


def test_errors_are_public_under_a_short_name() -> None:
    code = """if True:
        import sys
        from sandbox import errors, faults
        import sandbox.errors
        from sandbox.errors import NotFoundError
        assert errors is sandbox.errors is sys.modules["sandbox.errors"]
        assert errors.NotFoundError is NotFoundError is sys.modules["sandbox.foundation.errors"].NotFoundError
        assert faults is sys.modules["sandbox.faults"]
        from sandbox.errors import Nonsense"""

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.stderr.splitlines()[-1].startswith("ImportError: cannot import name 'Nonsense' from 'sandbox.errors'")


def test_start_imports_nothing_that_the_first_token_does_without() -> None:
    rarely = ["flask", "werkzeug", "marshmallow", "requests", "trustme", "prometheus_client", "jsonpath"]
    rarely += [
        "statistics",
        "sandbox.web.control",
        "sandbox.web.dashboard",
        "sandbox.testing.handle",
        "sandbox.state.snapshot",
    ]
    code = f"""if True:
        import sys
        from sandbox.cli.serve import serve
        from sandbox.state.sandbox import Sandbox
        from sandbox.testing.local import SandboxServer
        with SandboxServer(Sandbox()) as server:
            print([name for name in {rarely} if name in sys.modules])"""

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "name",
    [
        "Entry",
        "NotReceivedError",
        "Patchworks",
        "RemoteSandbox",
        "Sandbox",
        "SandboxServer",
        "__version__",
        "errors",
        "faults",
        "load_seed",
        "parse_seed",
    ],
)
def test_public_names_are_there(name: str) -> None:
    import sandbox

    assert getattr(sandbox, name)
    assert name in sandbox.__all__


def test_unknown_name_is_an_attribute_error() -> None:
    import sandbox

    with pytest.raises(AttributeError, match="module 'sandbox' has no attribute 'Sandbocks'"):
        _ = sandbox.Sandbocks
