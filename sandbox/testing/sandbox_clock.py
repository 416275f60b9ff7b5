"""The clock of a sandbox as a test moves it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.foundation.instants import parse_instant, step_of
from sandbox.testing import verbs
from sandbox.testing.backend import Backend

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from sandbox.testing.keywords import DurationFields


class SandboxClock:
    """The sandbox clock: the only time that the emulated platform knows."""

    def __init__(self, backend: Backend) -> None:
        self._do = backend.do

    def __repr__(self) -> str:
        state = self._do(verbs.clock())
        return f"<SandboxClock {state.now.isoformat()}{', frozen' if state.frozen else ''}>"

    def now(self) -> datetime:
        """Return the sandbox time as an aware UTC datetime."""
        return self._do(verbs.clock()).now

    def timestamp(self) -> float:
        """Return the sandbox time in Unix seconds."""
        return self.now().timestamp()

    @property
    def frozen(self) -> bool:
        """Whether the clock is frozen."""
        return self._do(verbs.clock()).frozen

    @property
    def rate(self) -> float:
        """Sandbox seconds a real second; kept while the clock is frozen."""
        return self._do(verbs.clock()).rate

    @property
    def moved(self) -> bool | None:
        """Whether it shows another time than the machine's; ``None`` of a sandbox behind a URL."""
        return self._do(verbs.clock()).moved

    def advance(self, duration: object = None, **units: Unpack[DurationFields]) -> datetime:
        """Move by a duration (``"24h"``, ``90``) or by timedelta's units (``hours=24``); return the new time."""
        return self._do(verbs.advance(step_of(duration, units)))

    def travel_to(self, instant: object) -> datetime:
        """Set the clock to an instant with a zone; it runs on from there, or is frozen there."""
        return self._do(verbs.change_clock(now=parse_instant(instant)))

    def freeze(self) -> datetime:
        """Stop the clock; ``advance`` and ``travel_to`` still move it."""
        return self._do(verbs.change_clock(frozen=True))

    def unfreeze(self) -> datetime:
        """Let the clock run on from the time it shows."""
        return self._do(verbs.change_clock(frozen=False))

    def set_rate(self, rate: object) -> datetime:
        """Run at ``rate`` sandbox seconds a real second."""
        return self._do(verbs.change_clock(rate=rate))

    def follow(self) -> datetime:
        """Run beside the time of freezegun or time-machine here; raise ``NotInProcessError`` behind a URL."""
        return self._do(verbs.follow())

    def travel(self, duration: object = None, **units: Unpack[DurationFields]) -> datetime:
        """Move the time of freezegun or time-machine in this process, if there is one, and the sandbox clock as far."""
        return self._do(verbs.travel(step_of(duration, units)))

    def reset(self) -> datetime:
        """Return to the time of the sandbox's machine."""
        return self._do(verbs.reset_clock())
