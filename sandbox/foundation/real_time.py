"""The machine's clocks, out of reach of libraries that freeze time.

freezegun replaces ``time.time`` and similar functions where it finds them: as attributes of modules and, in a module
that is imported while time is frozen, also among the names that the module imports. Waiting and measuring must go on,
so these functions come from another instance of the ``time`` module, which freezegun does not find.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from importlib.machinery import BuiltinImporter
from types import ModuleType


def _own_time_module() -> ModuleType:
    spec = BuiltinImporter.find_spec("time")
    assert spec is not None, "`time` is compiled into every Python"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_time = _own_time_module()

wall_time: Callable[[], float] = _time.time
"""Unix seconds on the machine's clock."""

monotonic: Callable[[], float] = _time.monotonic
"""Seconds since some moment; it never goes back."""

perf_counter: Callable[[], float] = _time.perf_counter
"""Seconds since some moment, at the finest resolution of the machine."""
