"""Hooks: functions that the sandbox calls with a published entry, before the answer leaves.

A hook cannot change the answer: ``call_hook`` logs its failure, and the request is answered as before. An observer gets
every entry (``Sandbox.observers``: the metrics, the log line). A stage after acceptance gets the entry of each accepted
payload (``Sandbox.after_acceptance``).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from sandbox.journal.entry import Entry, Exchange
from sandbox.journal.log_line import EmulatedRequest, log_failure

Observer: TypeAlias = Callable[[Entry, Exchange, int], None]
"""Gets an entry, the exchange that it was made of, and the number of entries that the journal dropped for it.

The thread that closes the entry calls it, without the journal's lock.
"""


def call_hook(entry: Entry, hook: Callable[..., object], *arguments: object) -> None:
    """Call a hook with ``arguments``. Log its failure, with the traceback and the request of ``entry``."""
    try:
        hook(*arguments)
    except Exception as error:  # noqa: BLE001 - a hook is anybody's code
        with suppress(Exception):  # the log may be what fails
            log_failure(EmulatedRequest(entry), error)
