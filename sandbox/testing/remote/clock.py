"""The clock of a sandbox behind a URL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.foundation.clock import format_instant, move_frozen_time, parse_instant, step_of
from sandbox.foundation.errors import NotInProcessError
from sandbox.testing.remote.control_api import ControlApi


@dataclass(frozen=True)
class RemoteClock:
    """A ``SandboxClock`` that asks a control API."""

    api: ControlApi

    def now(self) -> datetime:
        """Return the sandbox time as an aware UTC datetime."""
        return _now(self.api.get("/clock"))

    def timestamp(self) -> float:
        """Return the sandbox time in Unix seconds."""
        return self.now().timestamp()

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return bool(self.api.get("/clock")["frozen"])

    @property
    def rate(self) -> float:
        """Sandbox seconds a real second; kept while the clock is frozen."""
        return float(self.api.get("/clock")["rate"])

    def advance(self, duration: object = None, **units: float) -> datetime:
        """Move by a duration (``"24h"``, ``90``) or by timedelta's units (``hours=24``); return the new time."""
        step = step_of(duration, units)
        return _now(self.api.call("POST", "/clock/advance", {"seconds": step.total_seconds()}))

    def travel_to(self, instant: object) -> datetime:
        """Set the clock to an instant with a zone; it runs on from there, or stands still if frozen."""
        return self._change(now=format_instant(parse_instant(instant)))

    def freeze(self) -> datetime:
        """Stop the clock; ``advance`` and ``travel_to`` still move it."""
        return self._change(frozen=True)

    def unfreeze(self) -> datetime:
        """Let the clock run on from where it stands."""
        return self._change(frozen=False)

    def set_rate(self, rate: object) -> datetime:
        """Run at ``rate`` sandbox seconds a real second."""
        return self._change(rate=rate)

    def follow(self) -> datetime:
        """Refuse: raise ``NotInProcessError``."""
        raise NotInProcessError(
            "a clock behind a URL cannot follow the time that freezegun freezes here; move both with travel()"
        )

    def travel(self, duration: object = None, **units: float) -> datetime:
        """Move the time that freezegun freezes in this process, if it does, and the sandbox clock as far."""
        step = step_of(duration, units)
        move_frozen_time(step)
        return self.advance(step)

    def reset(self) -> datetime:
        """Return to the machine's time, the sandbox's machine."""
        return _now(self.api.call("DELETE", "/clock"))

    def _change(self, **change: object) -> datetime:
        return _now(self.api.call("PUT", "/clock", change))


def _now(answer: Any) -> datetime:
    return parse_instant(answer["now"])
