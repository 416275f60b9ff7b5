"""The measures, in the order in which a report tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measures import (
    clients,
    engine,
    faults,
    fixture,
    growth,
    image,
    imports,
    inbound,
    memory,
    mounted,
    processing,
    profile,
    start,
    tls,
    tokens,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.plan import Measure

MEASURES: Sequence[Measure] = (
    inbound,
    engine,
    tokens,
    tls,
    start,
    imports,
    fixture,
    mounted,
    memory,
    image,
    growth,
    clients,
    faults,
    processing,
    profile,
)
