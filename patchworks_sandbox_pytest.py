"""The pytest plugin of Patchworks Sandbox: ``patchworks``, a sandbox that is fresh for every test.

It is a module of its own, and imports the package ``sandbox`` when a fixture or a setting asks for the sandbox, not
before: a project may have a ``sandbox`` of its own, which its tests must be able to import. There the plugin stands
aside with a warning. For a server of your own define ``patchworks_server`` in your ``conftest.py``, with the scope of
the session.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox.testing.handle import Patchworks
    from sandbox.testing.local import SandboxServer
    from sandbox.testing.remote.remote_sandbox import RemoteSandbox
    from sandbox.testing.session import PatchworksFactory

_PACKAGE = Path(__file__).resolve().parent / "sandbox"
_MARKER = (
    "patchworks(seed=None, settings={}, faults=(), isolate=False, intercept=False, contract=None, allow=(), "
    "keep_tokens=False): what the sandbox of this test holds, how it is set, what fails in it from the start, whether "
    "the test has a company of its own in a sandbox that others share, whether the sandbox takes the place of the real "
    "platform, whether requests that do not conform to the contract fail the test, and whether it is cleared in place "
    "of reset. It brings the fixture along."
)
_MODES = ("fail", "report", "off")
_TRACE_MODES = ("on", "retain-on-failure", "off")
_REPORTED = "patchworks_contract"
"""Attribute of a test's report with what was found; xdist carries it to the terminal."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the settings of the configuration file."""
    group = parser.getgroup("patchworks", "Patchworks Sandbox")
    group.addoption(
        "--patchworks-url",
        metavar="URL",
        help="Base URL of a running sandbox to use instead of one in this process (or PATCHWORKS_SANDBOX_URL).",
    )
    group.addoption(
        "--patchworks-control-key",
        metavar="KEY",
        help="Key of that sandbox's control API (or PATCHWORKS_SANDBOX_CONTROL_KEY, which no list of processes shows).",
    )
    group.addoption(
        "--patchworks-ca-file",
        metavar="FILE",
        help="PEM file with the authority to trust where that URL is one of https (or PATCHWORKS_SANDBOX_CA_FILE).",
    )
    group.addoption(
        "--patchworks-seed-file",
        metavar="FILE",
        action="append",
        default=[],
        help="Seed file of the sandbox; may be given several times. Default: patchworks_seed_file, or the demo seed.",
    )
    group.addoption(
        "--patchworks-log",
        metavar="FILE",
        help="Write every test and the requests that the sandbox received during it to this file.",
    )
    meaning = (
        "Fail a test whose requests to the sandbox do not conform to the published contract, report them at the end of "
        "the session, or do not look at them."
    )
    group.addoption("--patchworks-contract", choices=_MODES, help=meaning)
    traced = "Write an HTML file for each test that uses the sandbox, for those that fail only, or for none."
    group.addoption("--patchworks-trace", choices=_TRACE_MODES, help=traced)
    group.addoption(
        "--patchworks-trace-dir", metavar="DIR", help="Folder of these files. Default: patchworks_trace_dir."
    )
    parser.addini("patchworks_trace", f"{traced} One of {', '.join(_TRACE_MODES)}; default: off.", default="off")
    parser.addini("patchworks_trace_dir", "Folder of these files, relative to this file.", default="patchworks-traces")
    parser.addini("patchworks_contract", f"{meaning} One of {', '.join(_MODES)}; default: off.", default="off")
    parser.addini("patchworks_contract_allow", "Codes of contract violations that fail no test.", type="args")
    parser.addini("patchworks_seed_file", "Seed files of the sandbox, relative to this file.", "paths", [])
    parser.addini("patchworks_settings", "Settings of the sandbox, one a line: name = value.", "linelist", [])
    parser.addini(
        "patchworks_intercept",
        'Let the sandbox take the place of the real platform in every test: true, or "strict" to refuse other hosts.',
        default="",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, empty the log, and prepare what the options and the configuration file ask for."""
    config.addinivalue_line("markers", _MARKER)
    log = config.getoption("--patchworks-log")
    if log is not None and not hasattr(config, "workerinput"):
        Path(log).write_text("", encoding="utf-8")
    for name, modes in (("patchworks_contract", _MODES), ("patchworks_trace", _TRACE_MODES)):
        if (given := config.getini(name)) not in modes:
            raise pytest.UsageError(f"{name}: {given!r} is not allowed; use {', '.join(modes[:-1])} or {modes[-1]}")
    trace = config.getoption("--patchworks-trace") or config.getini("patchworks_trace")
    asked = any(map(config.getini, ("patchworks_contract_allow", "patchworks_intercept")))
    if not asked and trace == "off":
        return
    if (place := _foreign_sandbox()) is not None:
        raise pytest.UsageError(_said_of(place))
    if asked:
        from sandbox.testing.session import prepare

        prepare(config)
    if trace != "off":
        from sandbox.testing import traces

        traces.prepare(config, keeps_all=trace == "on")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Warn of another ``sandbox``, which the tests may have imported by now, once among the workers of a session."""
    if getattr(session.config, "workerinput", {}).get("workerid", "gw0") == "gw0":
        _warn_of_a_clash(session.config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the fixture to every test that has the marker: what it asks for must not be left out in silence."""
    for item in items:
        names: list[str] | None = getattr(item, "fixturenames", None)
        if names is not None and "patchworks" not in names and item.get_closest_marker("patchworks") is not None:
            item.fixturenames = ["patchworks", *names]  # type: ignore[attr-defined]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Hold the requests of a test that has passed against the contract."""
    __tracebackhide__ = True
    result = yield
    if (contract := sys.modules.get("sandbox.testing.contract_plugin")) is not None:
        contract.judge(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure the requests that the sandbox received during the test."""
    report = yield
    if (session := sys.modules.get("sandbox.testing.session")) is not None:
        session.complete(report, item, call)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the contract violations of tests that report them and do not fail."""
    reports = [report for kind in terminalreporter.stats.values() for report in kind if hasattr(report, _REPORTED)]
    if reports:
        terminalreporter.section("contract violations")
    for report in reports:
        terminalreporter.write_line(f"{report.nodeid}\n{getattr(report, _REPORTED)}")


@pytest.fixture(scope="session")
def patchworks_server(pytestconfig: pytest.Config) -> Iterator[SandboxServer | RemoteSandbox]:
    """The sandbox of the session: a server in this process, or the one at ``--patchworks-url``.

    The server opens a free port when a URL is first asked for.
    """
    _refuse_a_clash()
    from sandbox.testing.session import server_of

    with server_of(pytestconfig) as server:
        yield server


@pytest.fixture(scope="session")
def patchworks_session(
    pytestconfig: pytest.Config, patchworks_server: SandboxServer | RemoteSandbox
) -> Iterator[Patchworks]:
    """The handle of the sandbox for fixtures of a module, class or session, and for classes of ``unittest``.

    It is of one type, wherever the sandbox is. Nothing resets it: ``patchworks_session.clear()`` empties the journal
    and removes the faults, ``reset()`` returns to the seed. A test that uses ``patchworks`` resets the same sandbox.
    """
    from sandbox.testing.session import session_handle

    with session_handle(pytestconfig, patchworks_server) as handle:
        yield handle


@pytest.fixture
def patchworks(
    request: pytest.FixtureRequest, patchworks_server: SandboxServer | RemoteSandbox
) -> Iterator[Patchworks]:
    """The sandbox, reset before this test; a failure of the sandbox itself fails the test."""
    _refuse_a_clash()
    from sandbox.testing.session import fresh

    with fresh(request, patchworks_server) as handle:
        yield handle


@pytest.fixture
def patchworks_factory(
    request: pytest.FixtureRequest, patchworks_server: SandboxServer | RemoteSandbox
) -> Iterator[PatchworksFactory]:
    """Make further sandboxes: ``patchworks_factory(seed=…, wire_profile="legacy")`` returns the handle of a new one.

    Each is served from a thread of this process, even if the session uses one at a URL, and stops after the test.
    """
    _refuse_a_clash()
    from sandbox.testing.session import factory

    with factory(request, patchworks_server) as make:
        yield make


# --- a project with a `sandbox` of its own ----------------------------------------------------------------------------


def _foreign_sandbox() -> str | None:
    """Return the place of a ``sandbox`` that is not the one beside this module; it is not imported."""
    module = sys.modules.get("sandbox")
    spec = find_spec("sandbox") if module is None else getattr(module, "__spec__", None)
    places = [] if spec is None else [spec.origin, *(spec.submodule_search_locations or ())]
    found = [Path(place) for place in places if place is not None]
    if not found:
        return None if module is None else repr(module)
    ours = (_PACKAGE / "testing" / "session.py").exists()  # else another distribution has overwritten the package
    return None if ours and _PACKAGE in (found[0].resolve().parent, found[0].resolve()) else str(found[0])


def _said_of(place: str) -> str:
    return (
        f"the name `sandbox` belongs to {place} here, and patchworks-sandbox needs it for its own package: its "
        "fixtures cannot be used in this session. Rename the other one, run the sandbox as a process "
        "(patchworks-sandbox serve), or switch the plugin and this warning off by -p no:patchworks_sandbox"
    )


def _warn_of_a_clash(config: pytest.Config) -> None:
    place = _foreign_sandbox()
    if place is None:
        return
    try:
        config.issue_config_time_warning(pytest.PytestWarning(_said_of(place)), stacklevel=2)
    except pytest.PytestWarning as warning:  # where warnings are errors, a project must run all the same
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"warning: {warning}")


def _refuse_a_clash() -> None:
    place = _foreign_sandbox()
    if place is not None:
        pytest.fail(_said_of(place), pytrace=False)
