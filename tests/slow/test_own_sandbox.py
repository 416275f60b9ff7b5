"""A project with a ``sandbox`` of its own, where this plugin is installed too."""

from __future__ import annotations

import os

import pytest

import patchworks_sandbox_pytest
from tests import ROOT
from tests.testing.plugin.running import OPTIONS

pytest_plugins = ["pytester"]

WARNING = "*the name `sandbox` belongs to {place} here, and patchworks-sandbox needs it for its own package: *"
OWN = """
from sandbox import theirs

def test_own():
    assert theirs == 1
"""


def run(pytester: pytest.Pytester, *options: str, first: str = "") -> pytest.RunResult:
    """Run a session in a process; ``first`` is the folder in which Python looks first, as with ``python -m pytest``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [first, str(ROOT)])))
        return pytester.runpytest_subprocess(*OPTIONS, "-p", "no:xdist", *options)


@pytest.mark.parametrize("name", ["sandbox.py", "sandbox/__init__.py"])
@pytest.mark.parametrize("first", [True, False], ids=["found before the plugin", "found by the tests"])
def test_project_with_a_sandbox_of_its_own_runs_its_tests(pytester: pytest.Pytester, name: str, first: bool) -> None:
    own = pytester.path / name
    own.parent.mkdir(exist_ok=True)
    own.write_text("theirs = 1\n")
    pytester.makepyfile(test_own=OWN)
    result = run(pytester, first=str(pytester.path) if first else "")

    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines([WARNING.format(place=own)])


def test_warning_that_is_an_error_stops_no_session(pytester: pytest.Pytester) -> None:
    own = pytester.makepyfile(sandbox="theirs = 1")
    pytester.makepyfile(test_own=OWN)
    result = run(pytester, "-W", "error", first=str(pytester.path))

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"warning: {WARNING.format(place=own)}"])


def test_fixture_says_why_it_cannot_be_had(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(sandbox="raise RuntimeError('it must not even be imported')")
    pytester.makepyfile(
        test_own="import pytest\ndef test_it(patchworks): pass\n@pytest.mark.patchworks()\ndef test_marked(): pass\n"
    )
    result = run(pytester, first=str(pytester.path))

    result.assert_outcomes(errors=2, warnings=1)
    result.stdout.fnmatch_lines(["the name `sandbox` belongs to *: its fixtures cannot be used in this session. *"])
    result.stdout.no_fnmatch_line("*must not even be imported*")


@pytest.mark.parametrize("kind", ["namespace package", "half overwritten"])
def test_other_clashes_are_noticed(tmp_path: object, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    assert patchworks_sandbox_pytest._foreign_sandbox() is None

    if kind == "half overwritten":
        monkeypatch.setattr(patchworks_sandbox_pytest, "_PACKAGE", ROOT / "tests")
    else:
        monkeypatch.setitem(__import__("sys").modules, "sandbox", __import__("types").ModuleType("sandbox"))

    assert patchworks_sandbox_pytest._foreign_sandbox() is not None
