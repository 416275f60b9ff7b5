"""The part of the pytest plugin that writes a trace of each test: one HTML file with its requests and its failure.

A sandbox is recorded before the fixture of the test ends, as it may not be there afterwards. The file is written after
the teardown, so that it has the failure of any fixture.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from jinja2 import Environment

from sandbox.foundation.errors import SandboxError
from sandbox.journal.assertions.view import NotReceivedError
from sandbox.testing.contract_plugin import HANDLES, handles_of
from sandbox.testing.session import add_property
from sandbox.testing.trace_recording import of_sandbox, title_of
from sandbox.web.dashboard.one_file import templates_of_files
from sandbox.web.dashboard.trace import Failure, Recording, Trace, as_html, is_trace

if TYPE_CHECKING:
    from sandbox.testing.handle import Patchworks

PLUGIN: Final = "patchworks_traces"
REPORTED: Final = "patchworks_trace"
"""Attribute of a test's report and property of the test in a JUnit report: the path of the trace."""

_TRACE: Final = pytest.StashKey[Trace]()
_OURS: Final = re.compile(r"[\w.-]+-[0-9a-f]{8}\.html", re.ASCII)
_NOT_IN_A_NAME: Final = re.compile(r"[^\w.-]+", re.ASCII)
_MAX_NAME: Final = 100
"""Characters of a file's name before the eight that tell it from others: a path on Windows has 260 at most."""


class Traces:
    """A plugin that writes the traces of a session; each worker has its own."""

    def __init__(self, folder: Path, *, keeps_all: bool) -> None:
        self._folder = folder
        self._keeps_all = keeps_all
        self._began = 0
        """How far the journal of the session was when a test first asked for it."""

    @cached_property
    def _templates(self) -> Environment:
        return templates_of_files()

    def record(self, item: pytest.Item, handle: Patchworks, note: str = "", after: int = 0) -> None:
        """Record a sandbox as the test leaves it; only the requests above ``after``."""
        try:
            recording = of_sandbox(handle.backend, note, after)
        except SandboxError as error:
            recording = Recording(title_of(handle.backend) + note, problem=f"The journal cannot be read: {error}")
        item.stash[_TRACE].recordings.append(recording)

    def begin(self, handle: Patchworks) -> None:
        """Note how far the journal of the session is, whose requests a test shows from then on."""
        self._began = handle.backend.journal.last_seq

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Forget an earlier run of the test, and note how far the journal of the session is."""
        item.stash[_TRACE] = Trace(item.nodeid, [], "not run")
        for handle in handles_of(item):
            self.begin(handle)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Record the sandbox of the session, where the test uses no other."""
        for handle in () if HANDLES in item.stash else handles_of(item):
            self.record(item, handle, after=self._began)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note a failure. After the teardown write the trace, and name it in the report."""
        report = yield
        trace = item.stash.get(_TRACE, None)
        if trace is None:  # another plugin ended the setup before
            return report
        if report.when == "call":
            trace = item.stash[_TRACE] = replace(trace, outcome=report.outcome)
        if report.failed:
            near = call.excinfo.value.near if call.excinfo and isinstance(call.excinfo.value, NotReceivedError) else {}
            trace.failures.append(Failure(report.when or "call", report.longreprtext, near))
        if report.when == "teardown":
            del item.stash[_TRACE]  # the session keeps its items
            if trace.recordings and (trace.failures or self._keeps_all):
                path, problem = self._write(trace)
                setattr(report, REPORTED, problem or _named(path, Path.cwd()))
                add_property(item, report, REPORTED, problem or _named(path, item.config.rootpath))
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """List the traces of the tests that failed, and count all."""
        reports = [each for kind in terminalreporter.stats.values() for each in kind if hasattr(each, REPORTED)]
        failed = {each.nodeid for name in ("failed", "error") for each in terminalreporter.stats.get(name, ())}
        if reports:
            terminalreporter.section("patchworks traces")
            for report in reports:
                if report.nodeid in failed:
                    terminalreporter.write_line(f"{report.nodeid}: {getattr(report, REPORTED)}")
            many = "1 trace" if len(reports) == 1 else f"{len(reports)} traces"
            terminalreporter.write_line(f"{many} in {_named(self._folder, Path.cwd())}")

    def _write(self, trace: Trace) -> tuple[Path, str]:
        """Write a trace; return its path, and why it is not written."""
        path = self._folder / file_name(trace.title)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_text(as_html(trace, self._templates), encoding="utf-8", newline="\n")
        except Exception as error:  # noqa: BLE001 - a full disk, or a defect: neither may end the session
            return path, f"not written: {type(error).__name__}: {error}"
        return path, ""


def _named(path: Path, base: Path) -> str:
    """Return a path relative to a folder that holds it: that of the terminal, or the root of the project."""
    with suppress(ValueError):
        return path.relative_to(base).as_posix()
    return path.as_posix()


def file_name(nodeid: str) -> str:
    """Return the name of the trace of a test: a part that reads as the test does, and one that no other test has."""
    path, colons, test = nodeid.partition("::")
    said = _NOT_IN_A_NAME.sub("-", path.rpartition("/")[2] + colons + test)[:_MAX_NAME].strip("-.")
    return f"{said or 'test'}-{hashlib.sha256(nodeid.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}.html"


def prepare(config: pytest.Config, *, keeps_all: bool) -> None:
    """Let a session write traces. The session itself, and no worker of it, removes those of an earlier one."""
    given = config.getoption("--patchworks-trace-dir")
    root = config.rootpath if config.inipath is None else config.inipath.parent
    folder = config.invocation_params.dir / given if given else root / config.getini("patchworks_trace_dir")
    if not hasattr(config, "workerinput") and not config.getoption("collectonly"):
        clear(folder)
    config.pluginmanager.register(Traces(folder, keeps_all=keeps_all), PLUGIN)


def clear(folder: Path) -> None:
    """Remove the traces in a folder, and no other file."""
    for file in folder.glob("*.html"):
        with suppress(OSError):
            if _OURS.fullmatch(file.name) and not file.is_symlink() and is_trace(file):
                file.unlink()
