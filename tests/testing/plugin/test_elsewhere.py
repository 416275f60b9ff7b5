"""Sessions that use a sandbox elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import Sandbox, SandboxServer
from tests.testing.plugin.running import run

pytest_plugins = ["pytester"]


@pytest.fixture
def elsewhere(sandbox: Sandbox) -> Iterator[SandboxServer]:
    with SandboxServer(sandbox) as server:
        yield server


STEERED = """
def test_steer(patchworks):
    assert patchworks.company == "acme"
"""
ANYWHERE = """
@pytest.mark.parametrize("number", range(3))
def test_push(patchworks, number):
    assert push(patchworks, {"order": number}) == 200
    patchworks.inbound("anything").assert_received(json={"order": number}, times=1)
    patchworks.clock.advance(hours=24)
    assert len(patchworks.requests) == 2
"""


@pytest.mark.parametrize("by", ["option", "environment"])
def test_tests_run_unchanged_against_a_sandbox_elsewhere(
    by: str, pytester: pytest.Pytester, elsewhere: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by == "environment":
        monkeypatch.setenv("PATCHWORKS_SANDBOX_URL", elsewhere.base_url)
    options = [f"--patchworks-url={elsewhere.base_url}"] if by == "option" else []
    result = run(pytester, ANYWHERE, *options)

    result.assert_outcomes(passed=3)
    assert len(elsewhere.sandbox.journal) == 2


@pytest.mark.parametrize("by", ["option", "environment", "file"])
def test_key_of_a_sandbox_elsewhere_is_brought_along(
    by: str, pytester: pytest.Pytester, make_sandbox: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "correct-horse-battery-staple"
    if by == "environment":
        monkeypatch.setenv("PATCHWORKS_SANDBOX_CONTROL_KEY", key)
    if by == "file":
        Path(pytester.path, "key").write_text(f"{key}\n")
        monkeypatch.setenv("PATCHWORKS_SANDBOX_CONTROL_KEY_FILE", str(Path(pytester.path, "key")))
    options = [f"--patchworks-control-key={key}"] if by == "option" else []
    with SandboxServer(make_sandbox(control_key=key)) as server:
        result = run(pytester, ANYWHERE, f"--patchworks-url={server.base_url}", *options)

    result.assert_outcomes(passed=3)


def test_seed_of_a_marker_is_planted_in_a_sandbox_elsewhere(
    pytester: pytest.Pytester, elsewhere: SandboxServer
) -> None:
    Path(pytester.path, "own.yaml").write_text("companies: [{name: Gamma}]\nsettings: {success_status: 201}")
    result = run(
        pytester,
        """
@pytest.mark.patchworks(seed="own.yaml", settings={"success_message": "Yes."})
def test_own(patchworks):
    assert patchworks.company == "gamma"
""",
        f"--patchworks-url={elsewhere.base_url}",
    )

    result.assert_outcomes(passed=1)
    assert (elsewhere.sandbox.settings.success_status, elsewhere.sandbox.settings.success_message) == (201, "Yes.")


def test_sandbox_that_does_not_answer_is_told_with_the_url(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_it(patchworks): pass", "--patchworks-url=http://127.0.0.1:9")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no sandbox answers at http://127.0.0.1:9 (*); start one with: patchworks-sandbox*"])


def test_seed_file_option_is_the_sessions_seed(pytester: pytest.Pytester) -> None:
    Path(pytester.path, "one.yaml").write_text("companies: [{name: Gamma}]")
    Path(pytester.path, "two.yaml").write_text("settings: {success_status: 201}")
    result = run(
        pytester,
        """
def test_own(patchworks):
    assert patchworks.company == "gamma"
    assert patchworks.sandbox.settings.success_status == 201
""",
        "--patchworks-seed-file=one.yaml",
        "--patchworks-seed-file=two.yaml",
    )

    result.assert_outcomes(passed=1)


def test_seed_file_cannot_be_given_to_a_sandbox_elsewhere(pytester: pytest.Pytester) -> None:
    options = ["--patchworks-url=http://127.0.0.1:9", "--patchworks-seed-file=seed.yaml"]
    result = run(pytester, "def test_it(patchworks): pass", *options)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*start that one with patchworks-sandbox serve --seed-file*"])


@pytest.mark.parametrize("by", ["option", "environment"])
def test_sandbox_is_reached_over_tls_with_its_authority(
    pytester: pytest.Pytester, make_sandbox: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    with SandboxServer(make_sandbox(tls=True)) as server:
        (pytester.path / "ca.pem").write_bytes(server.ca_pem or b"")
        if by == "environment":
            monkeypatch.setenv("PATCHWORKS_SANDBOX_CA_FILE", "ca.pem")
        options = ["--patchworks-ca-file=ca.pem"] if by == "option" else []
        result = run(pytester, STEERED, f"--patchworks-url={server.tls_base_url}", *options)

    result.assert_outcomes(passed=1)
