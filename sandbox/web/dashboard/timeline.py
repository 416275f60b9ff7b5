"""The picture of the last minutes: how many requests by outcome, and how long their answers took.

It uses the clock of the machine: the sandbox clock may jump a day between two requests.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import ClassVar, Final

from sandbox.journal.journal import Entry, Outcome

BUCKET_S: Final = 10
BUCKETS: Final = 60
BAR_WIDTH: Final = 8
GAP: Final = 2
OUTCOMES: Final[tuple[Outcome, ...]] = ("accepted", "rejected", "faulted")


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of time: counts by outcome, and the median and the slowest duration in milliseconds."""

    start: float
    counts: tuple[int, ...]
    median_ms: float | None
    slowest_ms: float | None

    @property
    def total(self) -> int:
        """The number of requests in it."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of the picture; ``style`` is its class in the style sheet."""

    style: str
    x: int
    y: float
    width: int
    height: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """The bars, oldest first, and their totals."""

    width: ClassVar[int] = BUCKETS * (BAR_WIDTH + GAP) - GAP
    bars: tuple[Bar, ...]
    totals: tuple[tuple[Outcome, int], ...]
    median_ms: float | None
    slowest_ms: float | None

    @property
    def peak(self) -> int:
        """The most requests of one bar; at least 1, so that it can be divided by."""
        return max(1, *(bar.total for bar in self.bars))

    @property
    def total(self) -> int:
        """The number of all requests."""
        return sum(count for _, count in self.totals)

    def count_blocks(self, height: int) -> list[Block]:
        """Return the blocks of the counts in a picture of that height: a stack of outcomes for each bar."""
        blocks: list[Block] = []
        for index, bar in enumerate(self.bars):
            top = float(height)
            for outcome, count in zip(OUTCOMES, bar.counts, strict=True):
                tall = count / self.peak * height
                top -= tall
                if count:
                    blocks.append(_block(outcome, index, top, tall))
        return blocks

    def latency_blocks(self, height: int) -> list[Block]:
        """Return the blocks of the latency: the slowest answer of each bar, and the median in front of it."""
        scale = height / (self.slowest_ms or 1)
        return [
            _block(style, index, height - max(1.5, value * scale), max(1.5, value * scale))
            for index, bar in enumerate(self.bars)
            for style, value in (("slowest", bar.slowest_ms), ("median", bar.median_ms))
            if value is not None
        ]

    @property
    def minutes(self) -> int:
        """The minutes that the picture covers."""
        return BUCKETS * BUCKET_S // 60


def _block(style: str, index: int, y: float, height: float) -> Block:
    return Block(style, index * (BAR_WIDTH + GAP), round(y, 2), BAR_WIDTH, round(height, 2))


def timeline(newest_first: Iterable[Entry], wall_now: float) -> Timeline:
    """Return the picture of the minutes before ``wall_now``; it stops reading at the first older entry."""
    first = (int(wall_now) // BUCKET_S - BUCKETS + 1) * BUCKET_S
    counts = [[0] * len(OUTCOMES) for _ in range(BUCKETS)]
    durations: list[list[float]] = [[] for _ in range(BUCKETS)]
    for entry in newest_first:
        index = int(entry.wall_time - first) // BUCKET_S
        if entry.wall_time < first:
            break
        if index < BUCKETS:
            counts[index][OUTCOMES.index(entry.outcome)] += 1
            durations[index].append(entry.answered_ms)
    bars = tuple(
        Bar(first + i * BUCKET_S, tuple(counts[i]), median(times) if times else None, max(times, default=None))
        for i, times in enumerate(durations)
    )
    everything = [duration for times in durations for duration in times]
    return Timeline(
        bars,
        tuple((outcome, sum(bar.counts[i] for bar in bars)) for i, outcome in enumerate(OUTCOMES)),
        median(everything) if everything else None,
        max(everything, default=None),
    )
