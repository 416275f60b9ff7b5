"""Patchworks Sandbox: an emulator of the Patchworks Inbound API for tests.

The names below are imported when they are first used, so that ``import sandbox`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module

from sandbox._version import __version__

TYPE_CHECKING = False  # type checkers know the name; `typing` alone would be most of what the import costs
if TYPE_CHECKING:
    from typing import Any

    from sandbox.state.sandbox import Sandbox
    from sandbox.state.seed import load_seed, parse_seed
    from sandbox.testing.remote.remote_sandbox import RemoteSandbox
    from sandbox.testing.sandbox_server import SandboxServer

__all__ = ["RemoteSandbox", "Sandbox", "SandboxServer", "__version__", "load_seed", "parse_seed"]

_HOMES = {
    "RemoteSandbox": "sandbox.testing.remote.remote_sandbox",
    "Sandbox": "sandbox.state.sandbox",
    "SandboxServer": "sandbox.testing.sandbox_server",
    "load_seed": "sandbox.state.seed",
    "parse_seed": "sandbox.state.seed",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
