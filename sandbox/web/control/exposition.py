"""The figures of a sandbox in the format of Prometheus. It imports prometheus-client, so import it when needed."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from sandbox._version import __version__
from sandbox.journal.metrics import BUCKETS_S
from sandbox.state.sandbox import Sandbox

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
_PREFIX: Final = "patchworks_sandbox_"
_BOUNDS: Final = (*map(floatToGoString, BUCKETS_S), "+Inf")


def exposition(sandbox: Sandbox) -> bytes:
    """Return the figures of one sandbox as they are now."""
    registry = CollectorRegistry()
    registry.register(_SandboxCollector(sandbox))
    return generate_latest(registry)


class _SandboxCollector(Collector):
    """Reads the figures when Prometheus asks for them, so that requests only count."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def collect(self) -> Iterator[Metric]:
        figures, journal = self._sandbox.metrics.read(), self._sandbox.journal

        build = InfoMetricFamily(f"{_PREFIX}build", "The sandbox that runs.")
        build.add_metric((), {"version": __version__, "python": platform.python_version()})
        yield build

        requests = CounterMetricFamily(
            f"{_PREFIX}requests",
            "Requests to the emulated API; status 0: a fault let no answer through.",
            labels=("endpoint", "status", "outcome"),
        )
        for (kind, status, outcome), count in sorted(figures.requests.items()):
            requests.add_metric((kind, str(status), outcome), count)
        yield requests

        durations = HistogramMetricFamily(
            f"{_PREFIX}request_duration_seconds",
            "From a request's arrival until its answer is ready, without what a fault adds after that.",
            labels=("endpoint",),
        )
        for kind, taken in figures.durations.items():
            buckets = list(zip(_BOUNDS, map(float, accumulate(taken.counts)), strict=True))
            durations.add_metric((kind,), buckets, sum_value=taken.sum_ms / 1000)
        yield durations

        yield CounterMetricFamily(f"{_PREFIX}tokens_issued", "Access tokens issued.", value=figures.tokens_issued)

        faults = CounterMetricFamily(
            f"{_PREFIX}faults_acted", "Requests on which a fault acted, by its kind.", labels=("kind",)
        )
        for fault_kind, count in sorted(figures.faults_acted.items()):
            faults.add_metric((fault_kind,), count)
        yield faults

        yield GaugeMetricFamily(f"{_PREFIX}journal_entries", "Entries in the journal now.", value=len(journal))
        yield GaugeMetricFamily(f"{_PREFIX}journal_bytes", "About how many bytes they take.", value=journal.bytes)
        yield CounterMetricFamily(
            f"{_PREFIX}journal_dropped",
            "Journal entries dropped because a bound was reached.",
            value=figures.entries_dropped,
        )
