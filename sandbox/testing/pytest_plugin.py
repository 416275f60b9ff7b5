"""The pytest plugin: ``patchworks``, a sandbox that is fresh for every test.

The module imports nothing heavy before a test asks for a fixture. For a server of your own define ``patchworks_server``
in your ``conftest.py``, with the scope of the session.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from sandbox.testing.contract_plugin import HANDLES, shows_violations

if TYPE_CHECKING:
    from sandbox.testing.handle import Patchworks
    from sandbox.testing.local import SandboxServer
    from sandbox.testing.marker import MarkerOptions
    from sandbox.testing.remote.remote_sandbox import RemoteSandbox

pytest_plugins = ("sandbox.testing.contract_plugin",)

_URL_VARIABLE = "PATCHWORKS_SANDBOX_URL"
_KEY_VARIABLE = "PATCHWORKS_SANDBOX_CONTROL_KEY"
_CA_FILE_VARIABLE = "PATCHWORKS_SANDBOX_CA_FILE"
_MARKER = (
    "patchworks(seed=None, settings={}, faults=(), isolate=False, intercept=False, contract=None, allow=()): what the "
    "sandbox of this test holds, how it is set, what fails in it from the start, whether the test has a company of its "
    "own in a sandbox that others share, whether the sandbox takes the place of the real platform, and whether "
    "requests that do not conform to the contract fail the test."
)
_OUTCOME = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("patchworks", "Patchworks Sandbox")
    group.addoption(
        "--patchworks-url",
        metavar="URL",
        help=f"Base URL of a running sandbox to use instead of one in this process (or {_URL_VARIABLE}).",
    )
    group.addoption(
        "--patchworks-control-key",
        metavar="KEY",
        help=f"Key of that sandbox's control API (or {_KEY_VARIABLE}, which no list of processes shows).",
    )
    group.addoption(
        "--patchworks-ca-file",
        metavar="FILE",
        help=f"PEM file with the authority to trust where that URL is one of https (or {_CA_FILE_VARIABLE}).",
    )
    group.addoption(
        "--patchworks-seed-file",
        metavar="FILE",
        action="append",
        default=[],
        help="Seed file of the sandbox; may be given several times. Default: the demo seed.",
    )
    group.addoption(
        "--patchworks-log",
        metavar="FILE",
        help="Write every test and the requests that the sandbox received during it to this file.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and empty the log."""
    config.addinivalue_line("markers", _MARKER)
    log = config.getoption("--patchworks-log")
    if log is not None and not hasattr(config, "workerinput"):
        Path(log).write_text("", encoding="utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure the requests that the sandbox received during the test.

    The terminal prints sections. A JUnit report has none of them, but the properties of the test, also of a setup or
    teardown that fails.
    """
    report = yield
    if call.when == "call":
        item.stash[_OUTCOME] = report.outcome
    if report.failed:
        for patchworks in item.stash.get(HANDLES, []):
            story = _story(patchworks, contract=shows_violations(item, call))
            section = (f"requests to {patchworks.base_url}", story)
            report.sections.append(section)
            _add_property(item, report, *section)
    return report


def _add_property(item: pytest.Item, report: pytest.TestReport, name: str, text: str) -> None:
    """Add a property to a report and to the later reports of the test; the last one goes into the JUnit report."""
    for properties in (item.user_properties, report.user_properties):
        properties[:] = [each for each in properties if each[0] != name]
        properties.append((name, text))


def _story(patchworks: Patchworks, *, contract: bool) -> str:
    from sandbox.foundation.errors import SandboxError

    try:
        return patchworks.story(contract=True) if contract else patchworks.story()
    except SandboxError as error:
        return f"the journal cannot be read: {error}"


@pytest.fixture(scope="session")
def patchworks_server(pytestconfig: pytest.Config) -> Iterator[SandboxServer | RemoteSandbox]:
    """The sandbox of the session: served from a thread on a free port, or the one at ``--patchworks-url``."""
    from sandbox import RemoteSandbox, Sandbox, SandboxServer, load_seed

    url = pytestconfig.getoption("--patchworks-url") or os.environ.get(_URL_VARIABLE)
    files = pytestconfig.getoption("--patchworks-seed-file")
    if url and files:
        _refuse(
            f"--patchworks-seed-file cannot be used with the sandbox at {url}: "
            "start that one with patchworks-sandbox serve --seed-file"
        )
    if url:
        control_key = pytestconfig.getoption("--patchworks-control-key")
        ca_file = pytestconfig.getoption("--patchworks-ca-file") or os.environ.get(_CA_FILE_VARIABLE)
        with RemoteSandbox(url, control_key=control_key, ca_file=ca_file or None) as remote:
            yield remote
    else:
        with SandboxServer(Sandbox(load_seed(*files) if files else None)) as server:
            yield server


@pytest.fixture
def patchworks(
    request: pytest.FixtureRequest, patchworks_server: SandboxServer | RemoteSandbox
) -> Iterator[Patchworks]:
    """The sandbox, reset before this test; a failure of the sandbox itself fails the test."""
    from sandbox.testing.marker import apply

    options = _options(request)
    _refuse_to_interfere(request, options, patchworks_server)
    with apply(options, patchworks_server) as (handle, server):
        known = len(server.errors) if server else 0
        _remember(request, handle)
        yield handle
        _log(request, handle)
        _fail_with_the_sandbox([handle], server.errors[known:] if server else [])


@pytest.fixture
def patchworks_factory(
    request: pytest.FixtureRequest, patchworks_server: SandboxServer | RemoteSandbox
) -> Iterator[Callable[..., Patchworks]]:
    """Make further sandboxes: ``patchworks_factory(seed=…, wire_profile="legacy")`` returns the handle of a new one.

    Each is served from a thread of this process, even if the session uses one at a URL, and stops after the test.
    """
    from sandbox.state.sandbox import Sandbox
    from sandbox.testing.local import SandboxServer
    from sandbox.testing.marker import MarkerOptions

    key = patchworks_server.sandbox.keys.current() if isinstance(patchworks_server, SandboxServer) else None
    servers: list[SandboxServer] = []
    with ExitStack() as stack:

        def make(seed: Any = None, **settings: object) -> Patchworks:
            sandbox = Sandbox(MarkerOptions(seed=seed).read_seed(), settings=settings, signing_key=key)
            servers.append(stack.enter_context(SandboxServer(sandbox)))
            handle = servers[-1].patchworks
            _remember(request, handle)
            return handle

        yield make
        for server in servers:
            _log(request, server.patchworks)
        _fail_with_the_sandbox([s.patchworks for s in servers], [error for s in servers for error in s.errors])


def _options(request: pytest.FixtureRequest) -> MarkerOptions:
    """Return the options of the markers; where several have the same one, that nearest to the test counts."""
    from sandbox.foundation.errors import InputError
    from sandbox.testing.marker import MarkerOptions

    arguments: dict[str, Any] = {}
    for marker in request.node.iter_markers("patchworks"):
        if marker.args:
            _refuse(f"the arguments of the patchworks marker have names: {_MARKER}")
        arguments = {**marker.kwargs, **arguments}
    try:
        return MarkerOptions.of(arguments)
    except InputError as error:
        _refuse(str(error))


def _refuse_to_interfere(
    request: pytest.FixtureRequest, options: MarkerOptions, server: SandboxServer | RemoteSandbox
) -> None:
    from sandbox.testing.handle import Patchworks

    workers = getattr(request.config, "workerinput", {}).get("workercount", 1)
    if isinstance(server, Patchworks) and workers > 1 and not options.isolate:
        _refuse(
            f"{workers} workers would reset the sandbox at {server.base_url} under each other: mark tests with "
            "@pytest.mark.patchworks(isolate=True), run them without -n, or leave the URL out and give each worker "
            "a sandbox of its own"
        )


def _remember(request: pytest.FixtureRequest, handle: Patchworks) -> None:
    request.node.stash.setdefault(HANDLES, []).append(handle)


def _log(request: pytest.FixtureRequest, handle: Patchworks) -> None:
    path = request.config.getoption("--patchworks-log")
    if path is not None:
        outcome = request.node.stash.get(_OUTCOME, "not run")
        text = f"{request.node.nodeid} {outcome}\n{handle.story(max_entries=None)}\n\n"
        with Path(path).open("a", encoding="utf-8") as file:  # one write a test: workers may share the file
            file.write(text)


def _fail_with_the_sandbox(handles: list[Patchworks], errors: list[BaseException]) -> None:
    """Fail the test if the sandbox itself failed, in a thread of its server or while it answered a request."""
    found = [repr(error) for error in errors]
    found += [
        f"request {entry.seq}: {entry.reason}"
        for handle in handles
        for entry in handle.rejected
        if (entry.reason or "").startswith("internal_error")
    ]
    if found:
        pytest.fail(f"the sandbox itself failed during this test, please report it: {'; '.join(found)}")


def _refuse(message: str) -> NoReturn:
    """Fail with a message about the session or the test, without a traceback."""
    pytest.fail(message, pytrace=False)
