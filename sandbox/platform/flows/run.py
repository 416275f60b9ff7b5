"""A run of a process flow as a frozen value, which a saved state keeps (FLOWS 6). Times are Unix seconds."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from sandbox.foundation.bounds import Count, Number, Seconds

Trigger = Literal["API", "Manual", "Webhook", "Callback", "Retry"]
"""The cause of a run, those that the sandbox has of the documented ones."""

STARTED: Final = 1
SUCCESS: Final = 2
FAILURE: Final = 3
STOPPED: Final = 4
"""The statuses of the Core API that runs of the sandbox have; 5 is partial success."""

STATUSES: Final = {STARTED: "started", SUCCESS: "success", FAILURE: "failure", STOPPED: "stopped"}
"""Their names."""

LOG_LIFETIME_S: Final = 7 * 86_400
"""Seconds for which the platform keeps the log of a run (FLOWS 7)."""

PAYLOAD_LIFETIME_S: Final = 72 * 3_600
"""Seconds for which the platform keeps the payload of a run (FLOWS 7)."""


class FlowRun(Struct, frozen=True, kw_only=True, gc=False):
    """A run of a flow, begun by a request.

    ``ends_at`` and ``failed`` are its outcome, which is known from the beginning; a run without an end never ends.
    """

    id: str
    number: Count = 0
    """Counts the runs that were accepted; the integer ids of its payload, log and place in the queue are made of it."""
    flow_id: Number
    flow: str
    company: str
    version: Number
    trigger: Trigger
    started_at: Seconds
    environment: str | None = None
    """The virtual environment that the request named."""
    variables: str | None = None
    """The flow variables that the request gave, a JSON object as text."""
    user_id: Number | None = None
    """The user that started it; ``None`` for an API key, a webhook or a callback."""
    entry: str | None = None
    """Id of the journal entry of its request."""
    ends_at: Seconds | None = None
    failed: bool = False
    stopped: bool = False
    """Whether it was taken out of the queue."""
    message: str | None = None
    """The message of its log about the failure."""
    retries: str | None = None
    """Id of the run that it repeats."""

    def status(self, now: float) -> int:
        """Return its status at a time."""
        if self.ends_at is None or now < self.ends_at:
            return STARTED
        if self.stopped:
            return STOPPED
        return FAILURE if self.failed else SUCCESS


class FlowRunsSnapshot(Struct, frozen=True, kw_only=True):
    """Runs. ``read`` is the number of the newest journal entry that was taken."""

    read: Count
    runs: tuple[FlowRun, ...]
    begun: tuple[FlowRun, ...]
    """Those whose journal entry was not taken yet."""
