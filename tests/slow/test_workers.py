"""Sessions of pytest-xdist: two workers with a sandbox each, or with one that they share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import Sandbox, SandboxServer
from tests import ROOT
from tests.slow.test_examples import passes
from tests.testing.plugin.running import OPTIONS, PUSH
from tests.testing.plugin.test_elsewhere import ANYWHERE

pytest_plugins = ["pytester"]


@pytest.fixture
def elsewhere(sandbox: Sandbox) -> Iterator[SandboxServer]:
    with SandboxServer(sandbox) as server:
        yield server


def run_by_two(pytester: pytest.Pytester, code: str, *options: str) -> pytest.RunResult:
    """Run tests in two workers of pytest-xdist."""
    pytester.makepyfile(test_it=PUSH + code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        return pytester.runpytest_subprocess(*OPTIONS, "-n", "2", *options)


def test_each_worker_has_a_sandbox_of_its_own(pytester: pytest.Pytester) -> None:
    run_by_two(pytester, ANYWHERE, "--patchworks-log=requests.log").assert_outcomes(passed=3)

    assert Path(pytester.path, "requests.log").read_text(encoding="utf-8").count(" passed\n") == 3


def test_workers_write_a_trace_for_each_failed_test(pytester: pytest.Pytester) -> None:
    code = """
@pytest.mark.parametrize("number", range(4))
def test_push(patchworks, number):
    push(patchworks, {"order": number})
    assert number < 2
"""
    Path(pytester.path, "patchworks-traces").mkdir()
    result = run_by_two(pytester, code, "--patchworks-trace=retain-on-failure")

    result.assert_outcomes(passed=2, failed=2)
    names = [file.name for file in Path(pytester.path, "patchworks-traces").iterdir()]
    assert len(names) == 2
    assert all(f"patchworks-traces/{name}" in result.stdout.str() for name in names)


def test_workers_that_would_reset_each_other_are_refused(pytester: pytest.Pytester, elsewhere: SandboxServer) -> None:
    result = run_by_two(pytester, ANYWHERE, f"--patchworks-url={elsewhere.base_url}")

    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["*2 workers would reset the sandbox at http://* under each other: *isolate=True*"])


def test_isolated_tests_share_a_sandbox_in_parallel(pytester: pytest.Pytester, elsewhere: SandboxServer) -> None:
    result = run_by_two(
        pytester,
        """
@pytest.mark.patchworks(isolate=True)
@pytest.mark.parametrize("number", range(8))
def test_push(patchworks, number):
    for _ in range(3):
        assert push(patchworks, {"order": number}) == 200
    patchworks.inbound("anything").assert_received(json={"order": number}, times=3)
    assert len(patchworks.requests) == 6
""",
        f"--patchworks-url={elsewhere.base_url}",
    )

    result.assert_outcomes(passed=8)
    assert len(elsewhere.sandbox.journal) == 48


def test_example_passes_in_two_workers() -> None:
    passes("-n", "2")
