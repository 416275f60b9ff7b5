"""The machine's clocks, out of reach of libraries that freeze time, and the time that those libraries show.

freezegun replaces ``time.time`` and similar functions where it finds them: as attributes of modules and, in a module
that is imported while time is frozen, also among the names that the module imports. Waiting and measuring must go on,
so these functions come from another instance of the ``time`` module, which freezegun does not find. time-machine
replaces the C function itself, for every module; its ``escape_hatch`` has the original.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from importlib.machinery import BuiltinImporter
from types import ModuleType
from typing import Any

from sandbox.foundation.errors import ConflictError


def _own_time_module() -> ModuleType:
    spec = BuiltinImporter.find_spec("time")
    assert spec is not None, "`time` is compiled into every Python"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_time = _own_time_module()
_now: Callable[[], float] = _time.time


def wall_time() -> float:
    """Return Unix seconds on the machine's clock."""
    time_machine = sys.modules.get("time_machine")
    if time_machine is not None and _is_travelling(time_machine):
        try:
            real: float = time_machine.escape_hatch.time.time()
        except ValueError:  # another thread has ended the travel in between
            pass
        else:
            return real
    return _now()


def travelled_time() -> float | None:
    """Return the Unix seconds to which time-machine has taken this process, ``None`` where it has not."""
    time_machine = sys.modules.get("time_machine")
    return _now() if time_machine is not None and _is_travelling(time_machine) else None


def _is_travelling(time_machine: ModuleType) -> bool:
    hatch = getattr(time_machine, "escape_hatch", None)  # absent while the module is being imported
    return hatch is not None and bool(hatch.is_travelling())


monotonic: Callable[[], float] = _time.monotonic
"""Seconds since some moment; it never goes back."""

perf_counter: Callable[[], float] = _time.perf_counter
"""Seconds since some moment, at the finest resolution of the machine."""


def python_datetime() -> type[datetime]:
    """Return Python's own ``datetime``, also where freezegun shows another class.

    It is no attribute of a module: freezegun would replace that.
    """
    shown: type[datetime] = sys.modules["datetime"].datetime
    return next(kind for kind in shown.__mro__ if (kind.__module__, kind.__qualname__) == ("datetime", "datetime"))


def frozen_timestamp() -> float | None:
    """Return the time that freezegun or time-machine shows, in Unix seconds; ``None`` where neither does.

    With both, the program under test sees that of freezegun, and so does the sandbox.
    """
    factory = _factory()
    if factory is None:
        return travelled_time()
    # A factory that ticks at each call must not tick for this one.
    now = factory.time_to_freeze if hasattr(factory, "step_width") else factory()
    timestamp: float = now.replace(tzinfo=timezone.utc).timestamp()
    return timestamp


def move_frozen_time(step: timedelta) -> bool:
    """Move the time that freezegun or time-machine shows; return whether one of them does.

    Raise ``ConflictError`` for a version of time-machine that cannot be moved from outside.
    """
    factory = _factory()
    if factory is not None:
        factory.tick(step)
    elif travelled_time() is not None:
        _traveller().shift(step)
    else:
        return False
    return True


def _traveller() -> Any:
    """Return the innermost traveller of time-machine: a stack in its module, which it offers no way to."""
    module = sys.modules["time_machine"]
    stack = getattr(module, "traveller_stack", None) or getattr(module, "coordinates_stack", None)
    if not stack:
        raise ConflictError(
            "this version of time-machine does not say what it travels to; move its time with the traveller that "
            "time_machine.travel() returns, and let the sandbox clock follow it (clock.follow())"
        )
    return stack[-1]


def _factory() -> Any:
    """Return what freezegun keeps of the innermost freeze: a stack in its module, which it offers no way to."""
    api = sys.modules.get("freezegun.api")
    factories = getattr(api, "freeze_factories", None)
    try:
        return factories[-1] if factories else None
    except IndexError:  # thawed by another thread in between
        return None
