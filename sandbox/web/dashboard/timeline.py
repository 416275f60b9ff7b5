"""The picture of the last minutes: how many requests by outcome, and how long their answers took.

It draws the buckets that `Recent` counts by the clock of the machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import accumulate
from statistics import median
from typing import ClassVar, Final

from sandbox.journal.entry import OUTCOMES
from sandbox.journal.metrics import BUCKET_S, BUCKETS, Bucket

BAR_WIDTH: Final = 8
GAP: Final = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of time: counts by outcome, and the median and the slowest duration in milliseconds."""

    start: float
    counts: tuple[int, ...]
    median_ms: float | None
    slowest_ms: float | None
    first: int
    """Number of the first request in it, and of the last."""
    last: int

    @property
    def title(self) -> str:
        """The figures in words."""
        at = f"{datetime.fromtimestamp(self.start, timezone.utc):%H:%M:%S}"
        counts = ", ".join(f"{count} {name}" for name, count in zip(OUTCOMES, self.counts, strict=True) if count)
        if self.slowest_ms is None:
            return f"{at}: {counts or 'no requests'}"
        return f"{at}: {counts}; median {self.median_ms:.1f} ms, slowest {self.slowest_ms:.1f} ms"


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of the picture; ``style`` is its class in the style sheet."""

    style: str
    x: int
    y: float
    height: float
    width: ClassVar[int] = BAR_WIDTH


@dataclass(frozen=True, slots=True)
class Timeline:
    """The bars, oldest first, and the durations of all of them."""

    width: ClassVar[int] = BUCKETS * (BAR_WIDTH + GAP) - GAP
    minutes: ClassVar[int] = BUCKETS * BUCKET_S // 60
    bars: tuple[Bar, ...]
    median_ms: float | None
    slowest_ms: float | None

    @property
    def totals(self) -> list[tuple[str, int]]:
        """The outcomes with the number of requests of each."""
        return [(outcome, sum(bar.counts[i] for bar in self.bars)) for i, outcome in enumerate(OUTCOMES)]

    @property
    def total(self) -> int:
        """The number of all requests."""
        return sum(count for _, count in self.totals)

    @property
    def peak(self) -> int:
        """The most requests of one bar; at least 1, so that it can be divided by."""
        return max(1, *(sum(bar.counts) for bar in self.bars))

    def counted(self, height: int) -> list[tuple[Bar, list[Block]]]:
        """Return the bars with the blocks of their counts in a picture of that height: a stack of outcomes."""
        scale = height / self.peak
        return [
            (
                bar,
                [
                    _block(outcome, index, height - up_to * scale, count * scale)
                    for outcome, count, up_to in zip(OUTCOMES, bar.counts, accumulate(bar.counts), strict=True)
                    if count
                ],
            )
            for index, bar in enumerate(self.bars)
        ]

    def timed(self, height: int) -> list[tuple[Bar, list[Block]]]:
        """Return the bars with the blocks of their latency: the slowest answer, and the median in front of it."""
        scale = height / (self.slowest_ms or 1)
        return [
            (
                bar,
                [
                    _block(style, index, height - max(1.5, value * scale), max(1.5, value * scale))
                    for style, value in (("slowest", bar.slowest_ms), ("median", bar.median_ms))
                    if value is not None
                ],
            )
            for index, bar in enumerate(self.bars)
        ]

    @property
    def ticks(self) -> list[float]:
        """The beginning, the middle and the end of the picture, in Unix seconds."""
        return [self.bars[0].start + part * BUCKETS * BUCKET_S / 2 for part in range(3)]


def _block(style: str, index: int, y: float, height: float) -> Block:
    return Block(style, index * (BAR_WIDTH + GAP), round(y, 2), round(height, 2))


def timeline(buckets: Iterable[Bucket], wall_now: float) -> Timeline:
    """Return the picture of the minutes before ``wall_now``."""
    first = int(wall_now) // BUCKET_S - BUCKETS + 1
    by_number = {bucket.number: bucket for bucket in buckets if first <= bucket.number < first + BUCKETS}
    everything = [duration for bucket in by_number.values() for duration in bucket.sample_ms]
    return Timeline(
        tuple(_bar(by_number.get(number) or Bucket(number)) for number in range(first, first + BUCKETS)),
        median(everything) if everything else None,
        max((bucket.slowest_ms for bucket in by_number.values()), default=None),
    )


def _bar(bucket: Bucket) -> Bar:
    times = bucket.sample_ms
    return Bar(
        bucket.number * BUCKET_S,
        tuple(bucket.counts),
        median(times) if times else None,
        bucket.slowest_ms if times else None,
        bucket.first_seq,
        bucket.last_seq,
    )
