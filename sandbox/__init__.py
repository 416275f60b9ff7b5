"""Patchworks Sandbox: an emulator of the Patchworks Inbound API for tests.

These names, ``sandbox.faults`` and ``sandbox.errors`` are public; every other module may move. Each name is imported
when it is first used: ``import sandbox`` takes about a millisecond.
"""

from __future__ import annotations

from importlib import import_module

from sandbox._version import __version__

TYPE_CHECKING = False  # type checkers know the name; `typing` alone would be most of what the import costs
if TYPE_CHECKING:
    from typing import Any

    from sandbox import errors, faults
    from sandbox.journal.assertions.view import NotReceivedError
    from sandbox.journal.entry import Entry
    from sandbox.state.sandbox import Sandbox
    from sandbox.state.seed import load_seed, parse_seed
    from sandbox.testing.handle import Patchworks
    from sandbox.testing.local import SandboxServer
    from sandbox.testing.remote.remote_sandbox import RemoteSandbox
    from sandbox.testing.sync_report import NotSyncedError

__all__ = [
    "Entry",
    "NotReceivedError",
    "NotSyncedError",
    "Patchworks",
    "RemoteSandbox",
    "Sandbox",
    "SandboxServer",
    "__version__",
    "errors",
    "faults",
    "load_seed",
    "parse_seed",
]

_HOMES = {
    "Entry": "sandbox.journal.entry",
    "NotReceivedError": "sandbox.journal.assertions.view",
    "NotSyncedError": "sandbox.testing.sync_report",
    "Patchworks": "sandbox.testing.handle",
    "RemoteSandbox": "sandbox.testing.remote.remote_sandbox",
    "Sandbox": "sandbox.state.sandbox",
    "SandboxServer": "sandbox.testing.local",
    "load_seed": "sandbox.state.seed",
    "parse_seed": "sandbox.state.seed",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in ("errors", "faults"):
        return import_module(f"sandbox.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
