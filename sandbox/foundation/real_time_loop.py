"""Event loops whose clock is the machine's: libraries that freeze time do not stop it."""

from __future__ import annotations

import asyncio
import sys

from sandbox.foundation.real_time import monotonic


class RealTimeLoop(asyncio.SelectorEventLoop):
    """The standard loop by the machine's clock, which freezegun cannot stop.

    On Windows too: the other loop there shuts a connection down before it closes it, which turns a reset into an end.
    """

    def time(self) -> float:
        """Return the seconds that timers go by."""
        return monotonic()


def new_loop() -> asyncio.AbstractEventLoop:
    """Return the loop of uvloop, on Windows winloop, where the extra ``[fast]`` is installed; or the standard loop."""
    try:
        if sys.platform == "win32":
            from winloop import new_event_loop
        else:
            from uvloop import new_event_loop
    except ImportError:
        return RealTimeLoop()
    loop: asyncio.AbstractEventLoop = new_event_loop()
    return loop
