"""The part of the pytest plugin that fails or reports tests whose requests do not conform to the published contract.

The mode of a test is that of its marker, of ``--patchworks-contract``, or of the ini option ``patchworks_contract``,
in this order. It imports nothing heavy before a test has a sandbox and a mode other than ``off``.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from sandbox.testing.handle import Patchworks

HANDLES: Final[pytest.StashKey[list[Patchworks]]] = pytest.StashKey()
"""The handles of the sandboxes that a test uses."""

MODES: Final = ("fail", "report", "off")
_PROBLEM: Final = pytest.StashKey[str]()
_REPORTED: Final = "patchworks_contract"
"""Attribute of a test's report with what was found; xdist carries it to the terminal."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    meaning = (
        "Fail a test whose requests to the sandbox do not conform to the published contract, report them at the end of "
        "the session, or do not look at them."
    )
    group = parser.getgroup("patchworks", "Patchworks Sandbox")
    group.addoption("--patchworks-contract", choices=MODES, help=meaning)
    parser.addini("patchworks_contract", f"{meaning} One of {', '.join(MODES)}; default: off.", default="off")
    parser.addini("patchworks_contract_allow", "Codes of contract violations that fail no test.", type="args")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse an ini option that makes no sense."""
    if (given := config.getini("patchworks_contract")) not in MODES:
        raise pytest.UsageError(f"patchworks_contract: {given!r} is not allowed; allowed: {', '.join(MODES)}")
    if codes := config.getini("patchworks_contract_allow"):
        from sandbox.foundation.errors import InvalidValueError
        from sandbox.testing.contract import read_codes

        try:
            read_codes(codes)
        except InvalidValueError as error:
            raise pytest.UsageError(f"patchworks_contract_allow: {error}") from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Hold the requests of a test that has passed against the contract."""
    __tracebackhide__ = True
    result = yield
    if HANDLES in item.stash and (mode := contract_mode(item)) != "off":
        from sandbox.testing.contract import read_codes

        allow = read_codes(_of_marker(item, "allow", ())) | read_codes(item.config.getini("patchworks_contract_allow"))
        problems = [found for handle in item.stash[HANDLES] if (found := handle.contract_problem(allow=allow))]
        if problems and mode == "fail":
            pytest.fail("\n".join(problems), pytrace=False)
        item.stash[_PROBLEM] = "\n".join(problems)
    return result


def contract_mode(item: pytest.Item) -> str:
    """Return how contract violations count in a test: ``fail``, ``report`` or ``off``."""
    of_session = item.config.getoption("--patchworks-contract") or item.config.getini("patchworks_contract")
    mode: str = _of_marker(item, "contract", None) or of_session
    return mode


def shows_violations(item: pytest.Item, call: pytest.CallInfo[None]) -> bool:
    """Return whether the requests of a failed test are shown with their violations."""
    if contract_mode(item) != "off":
        return True
    return call.excinfo is not None and type(call.excinfo.value).__name__ == "NotConformingError"


def _of_marker(item: pytest.Item, name: str, default: Any) -> Any:
    found = (marker.kwargs[name] for marker in item.iter_markers("patchworks") if name in marker.kwargs)
    return next(found, default)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what was found into the report of the test, so that it reaches the terminal from each worker."""
    report = yield
    if call.when == "call" and (problem := item.stash.get(_PROBLEM, "")):
        setattr(report, _REPORTED, problem)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was found in tests that report it and do not fail."""
    reports = [report for kind in terminalreporter.stats.values() for report in kind if hasattr(report, _REPORTED)]
    if reports:
        terminalreporter.section("contract violations")
    for report in reports:
        terminalreporter.write_line(f"{report.nodeid}\n{getattr(report, _REPORTED)}")
