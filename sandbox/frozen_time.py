"""The time of a test that freezes time with freezegun, if there is such a test at the moment.

freezegun is looked for among the modules a program has loaded and never imported: whoever uses it has loaded it.
"""

from __future__ import annotations

import sys
from datetime import timedelta, timezone
from typing import Any


def frozen_timestamp() -> float | None:
    """Return the frozen time in Unix seconds, ``None`` where time is not frozen."""
    factory = _factory()
    if factory is None:
        return None
    # Called, a factory that ticks by itself at each look would tick for ours too.
    now = factory.time_to_freeze if hasattr(factory, "step_width") else factory()
    timestamp: float = now.replace(tzinfo=timezone.utc).timestamp()
    return timestamp


def move_frozen_time(step: timedelta) -> bool:
    """Move the frozen time; return whether there is one."""
    factory = _factory()
    if factory is None:
        return False
    factory.tick(step)
    return True


def _factory() -> Any:
    """Return what freezegun keeps of the innermost freeze: a stack in its module, which it offers no way to."""
    api = sys.modules.get("freezegun.api")
    factories = getattr(api, "freeze_factories", None)
    try:
        return factories[-1] if factories else None
    except IndexError:  # thawed by another thread in between
        return None
