"""The sandbox of a pytest session: what the fixtures of the plugin do, and what a report shows of the requests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol

import pytest

from sandbox.foundation.errors import InputError, InvalidValueError, SandboxError
from sandbox.foundation.settings import setting_specs
from sandbox.state.sandbox import Sandbox
from sandbox.state.seed import SeedSource, load_seed, read_seed
from sandbox.testing.contract import read_codes
from sandbox.testing.contract_plugin import HANDLES, OF_SESSION, forget, handles_of, note, shows_violations
from sandbox.testing.handle import Patchworks
from sandbox.testing.intercept import intercepted, refused_outside_of_tests
from sandbox.testing.local import SandboxServer
from sandbox.testing.marker import MarkerOptions, apply
from sandbox.testing.remote.remote_sandbox import RemoteSandbox

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from sandbox.testing.keywords import SettingFields
    from sandbox.testing.traces import Traces

_URL_VARIABLE = "PATCHWORKS_SANDBOX_URL"
_CA_FILE_VARIABLE = "PATCHWORKS_SANDBOX_CA_FILE"


class PatchworksFactory(Protocol):
    """Makes a sandbox of a seed and settings, and returns its handle."""

    def __call__(self, seed: SeedSource | None = None, **settings: Unpack[SettingFields]) -> Patchworks:
        """Return the handle of a new sandbox; a relative seed file is looked for beside the test's file first."""


class _Told(NamedTuple):
    """A handle whose requests a report shows, from a request on."""

    handle: Patchworks
    note: str = ""
    after: int = 0

    @property
    def title(self) -> str:
        return f"requests to {self.handle.known_url or 'the sandbox, of which no URL was asked for'}{self.note}"

    def text(self, *, contract: bool) -> str:
        try:
            idle = [f"the fault {rule.describe()} never acted" for rule in self.handle.faults.idle()]
            return "\n".join([self.handle.story(contract=contract, after=self.after), *idle])
        except SandboxError as error:
            return f"the journal cannot be read: {error}"


_BESIDE = pytest.StashKey[_Told]()
_OUTCOME = pytest.StashKey[str]()


# --- the fixtures -----------------------------------------------------------------------------------------------------


@contextmanager
def server_of(config: pytest.Config) -> Iterator[SandboxServer | RemoteSandbox]:
    """Yield the sandbox of the session: one in this process, or the one at a URL."""
    url = config.getoption("--patchworks-url") or os.environ.get(_URL_VARIABLE)
    option, named = config.getoption("--patchworks-seed-file"), config.getini("patchworks_seed_file")
    if url and (option or named):
        name = "--patchworks-seed-file" if option else "patchworks_seed_file"
        undone = "" if option else ", and leave the setting out by -o patchworks_seed_file="
        _refuse(
            f"{name} cannot be used with the sandbox at {url}: "
            f"start that one with patchworks-sandbox serve --seed-file{undone}"
        )
    if url:
        control_key = config.getoption("--patchworks-control-key")
        ca_file = config.getoption("--patchworks-ca-file") or os.environ.get(_CA_FILE_VARIABLE)
        with RemoteSandbox(url, control_key=control_key, ca_file=ca_file or None) as remote:
            yield remote
    else:
        files = option or named
        sandbox = Sandbox(load_seed(*files) if files else None, settings=_settings(config))
        with SandboxServer(sandbox).on_demand() as server:
            yield server


@contextmanager
def session_handle(config: pytest.Config, server: SandboxServer | Patchworks) -> Iterator[Patchworks]:
    """Yield the handle of the session's sandbox; reports of tests that use it show its requests."""
    handle = server.patchworks
    config.stash[OF_SESSION] = handle
    if (traces := _traces(config)) is not None:
        traces.begin(handle)
    try:
        yield handle
    finally:
        del config.stash[OF_SESSION]


@contextmanager
def fresh(request: pytest.FixtureRequest, server: SandboxServer | Patchworks) -> Iterator[Patchworks]:
    """Yield the handle of a sandbox as the markers of a test ask for it; fail the test if the sandbox itself fails."""
    options = _options(request, server)
    _refuse_to_interfere(request, options, server)
    newest = server.sandbox.journal.last_seq if isinstance(server, SandboxServer) else 0
    with apply(options, server, _settings(request.config), _folders(request)) as (handle, ours):
        known = len(ours.errors) if ours else 0
        request.node.stash.setdefault(HANDLES, []).append(handle)
        if ours is not None and ours is not server:
            where = " (the session's sandbox: the marker of this test asks for one of its own, at another address)"
            request.node.stash[_BESIDE] = _Told(server.patchworks, where, newest)
        yield handle
        _log(request, handle)
        _fail_with_the_sandbox([handle], ours.errors[known:] if ours else [])


@contextmanager
def factory(request: pytest.FixtureRequest, server: SandboxServer | Patchworks) -> Iterator[PatchworksFactory]:
    """Yield a function that makes sandboxes, which last until the end of the test."""
    key = server.sandbox.keys.current() if isinstance(server, SandboxServer) else None
    folders = _folders(request)
    servers: list[SandboxServer] = []
    with ExitStack() as stack:

        def make(seed: SeedSource | None = None, **settings: Unpack[SettingFields]) -> Patchworks:
            given = None if seed is None else read_seed(seed, folders)
            sandbox = Sandbox(given, settings=dict(settings), signing_key=key)
            servers.append(stack.enter_context(SandboxServer(sandbox).on_demand()))
            handle = servers[-1].patchworks
            request.node.stash.setdefault(HANDLES, []).append(handle)
            return handle

        yield make
        for made in servers:
            _log(request, made.patchworks)
        _fail_with_the_sandbox([made.patchworks for made in servers], [e for made in servers for e in made.errors])


def _options(request: pytest.FixtureRequest, server: SandboxServer | Patchworks) -> MarkerOptions:
    """Return the options of the markers; where several have the same one, that nearest to the test counts."""
    arguments: dict[str, Any] = {}
    for marker in request.node.iter_markers("patchworks"):
        if marker.args:
            names = ", ".join(MarkerOptions.names())
            _refuse(f"the arguments of the patchworks marker have names: {names}; given without one: {marker.args!r}")
        arguments = {**marker.kwargs, **arguments}
    try:
        options = MarkerOptions.of(arguments)
    except InputError as error:
        _refuse(str(error))
    if isinstance(server, SandboxServer) and options.needs_own_sandbox and not options.intercept:
        # The session's interception would lead to the session's sandbox.
        return replace(options, intercept=_interception(request.config))
    return options


def _folders(request: pytest.FixtureRequest) -> list[Path]:
    return [request.path.parent, request.config.rootpath]


def _settings(config: pytest.Config) -> dict[str, Any]:
    """Return the settings of the configuration file; raise ``InvalidValueError``."""
    settings: dict[str, Any] = {}
    specs = {spec.name: spec for spec in setting_specs()}
    for line in config.getini("patchworks_settings"):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            raise InvalidValueError("patchworks_settings", line, "lines such as: rate_limit = true")
        settings[name] = specs[name].read(value) if name in specs else value
    return settings


def _refuse_to_interfere(
    request: pytest.FixtureRequest, options: MarkerOptions, server: SandboxServer | Patchworks
) -> None:
    workers = getattr(request.config, "workerinput", {}).get("workercount", 1)
    if isinstance(server, Patchworks) and workers > 1 and not options.isolate:
        _refuse(
            f"{workers} workers would reset the sandbox at {server.base_url} under each other: mark tests with "
            "@pytest.mark.patchworks(isolate=True), run them without -n, or leave the URL out and give each worker "
            "a sandbox of its own"
        )


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


# --- a session that never reaches the real platform -------------------------------------------------------------------


def prepare(config: pytest.Config) -> None:
    """Check the configuration file, and let the sandbox take the place of the real platform where it says so."""
    try:
        read_codes(config.getini("patchworks_contract_allow"))
    except InvalidValueError as error:
        raise pytest.UsageError(f"patchworks_contract_allow: {error}") from None
    try:
        interception = _interception(config)
    except InvalidValueError as error:
        raise pytest.UsageError(str(error)) from None
    if interception:
        outside = ExitStack()
        outside.enter_context(refused_outside_of_tests())
        config.add_cleanup(outside.close)
        config.pluginmanager.register(_whole_session(strict=interception == "strict"))


def _interception(config: pytest.Config) -> Any:
    given = str(config.getini("patchworks_intercept")).strip().lower()
    known = {"": False, "false": False, "true": True, "strict": "strict"}
    if given not in known:
        raise InvalidValueError("patchworks_intercept", given, "true, false or strict")
    return known[given]


def _whole_session(*, strict: bool) -> ModuleType:
    """Return a plugin whose one fixture every test has; pytest deprecates such a fixture as a method of an instance."""

    @pytest.fixture(scope="session", autouse=True)
    def _patchworks_intercepts(patchworks_server: SandboxServer | Patchworks) -> Iterator[None]:
        if not isinstance(patchworks_server, SandboxServer):
            _refuse(
                f"patchworks_intercept needs a sandbox in this process, and that at {patchworks_server.base_url} runs "
                "elsewhere; leave the setting out by -o patchworks_intercept="
            )
        with intercepted(patchworks_server, strict=strict, outer=True) as interception:
            renewals.append(interception.renew)
            yield
            renewals.clear()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup() -> None:
        for renew in renewals:
            renew()

    renewals: list[Callable[[], None]] = []
    plugin = ModuleType("patchworks_sandbox_interception")
    vars(plugin).update(_patchworks_intercepts=_patchworks_intercepts, pytest_runtest_setup=pytest_runtest_setup)
    return plugin


# --- reports ----------------------------------------------------------------------------------------------------------


def complete(report: pytest.TestReport, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Show with a failure the requests that the sandbox received during the test.

    The terminal prints sections. A JUnit report has none of them, but the properties of the test, also of a setup or
    teardown that fails.
    """
    if call.when == "call":
        item.stash[_OUTCOME] = report.outcome
        note(report, item)
    if report.failed:
        _tell(report, item, call)
    if call.when == "teardown":
        forget(item)


def _tell(report: pytest.TestReport, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    told = [_Told(handle) for handle in handles_of(item)]
    if (beside := _beside(item)) is not None:
        told.append(beside)
    for each in told:
        text = each.text(contract=shows_violations(item, call))
        report.sections.append((each.title, text))
        add_property(item, report, each.title, text)


def _beside(item: pytest.Item) -> _Told | None:
    """Return the sandbox of the session beside that of a test, where it received requests during the test."""
    beside = item.stash.get(_BESIDE, None)
    return beside if beside is not None and beside.handle.sandbox.journal.last_seq > beside.after else None


def add_property(item: pytest.Item, report: pytest.TestReport, name: str, text: str) -> None:
    """Add a property to a report and to the later reports of the test; the last one goes into the JUnit report."""
    for properties in (item.user_properties, report.user_properties):
        properties[:] = [each for each in properties if each[0] != name]
        properties.append((name, text))


def _log(request: pytest.FixtureRequest, handle: Patchworks) -> None:
    if (traces := _traces(request.config)) is not None:
        traces.record(request.node, handle)
        if (beside := _beside(request.node)) is not None:
            traces.record(request.node, beside.handle, beside.note, beside.after)
    path = request.config.getoption("--patchworks-log")
    if path is not None:
        outcome = request.node.stash.get(_OUTCOME, "not run")
        text = f"{request.node.nodeid} {outcome}\n{handle.story(max_entries=None)}\n\n"
        with Path(path).open("a", encoding="utf-8") as file:  # one write a test: workers may share the file
            file.write(text)


def _traces(config: pytest.Config) -> Traces | None:
    traces: Traces | None = config.pluginmanager.get_plugin("patchworks_traces")
    return traces
