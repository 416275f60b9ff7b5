"""The emulated platform between two resets, as a value of a saved state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.faults.book import FaultsSnapshot
from sandbox.journal.journal import JournalSnapshot
from sandbox.platform.flows.model import FlowRunsSnapshot, FlowsSnapshot
from sandbox.platform.flows.records import RecordsSnapshot
from sandbox.platform.model import StoreSnapshot
from sandbox.platform.processing.values import ProcessingSnapshot
from sandbox.platform.throttle import Window
from sandbox.platform.tokens import IssuedToken


@dataclass(frozen=True, slots=True)
class PlatformSnapshot:
    """The emulated platform between two resets."""

    settings: Mapping[str, Any]
    store: StoreSnapshot
    tokens: tuple[IssuedToken, ...]
    throttle: tuple[Window, ...]
    faults: FaultsSnapshot
    journal: JournalSnapshot
    processing: ProcessingSnapshot | None = None
    """Null where no request asked for it."""
    flows: FlowsSnapshot | None = None
    """Null where there are none."""
    runs: FlowRunsSnapshot | None = None
    """The runs of flows; null where no request asked for them."""
    records: RecordsSnapshot | None = None
    """The records that clients of the Core API created; null where they created none."""
