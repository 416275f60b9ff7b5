"""Comparing fairly: contestants take turns, and what counts is the median of what the rounds say.

A machine that is busy with something else disturbs all contestants of a round alike, so a ratio is taken within each
round; the median of those ratios says more than the ratio of two medians.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

_Name = TypeVar("_Name")
_Value = TypeVar("_Value")


def interleaved(rounds: int, actions: Mapping[_Name, Callable[[], _Value]]) -> dict[_Name, list[_Value]]:
    """Run every action once a round, every second round in the opposite order; return what each gave."""
    given: dict[_Name, list[_Value]] = {name: [] for name in actions}
    for number in range(rounds):
        for name in actions if number % 2 == 0 else reversed(list(actions)):
            given[name].append(actions[name]())
    return given


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the rounds' ratios ours/theirs."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
