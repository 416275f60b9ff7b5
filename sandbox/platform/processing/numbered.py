"""A bounded table of values with numbers from 1 on, without gaps: beyond the bound the oldest are dropped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from sandbox.foundation.errors import InvalidValueError

T = TypeVar("T")


class Numbered(Generic[T]):
    """Up to ``limit`` values. ``last`` is the highest number so far."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: dict[int, T] = {}
        self.last = 0

    def append(self, value: T) -> None:
        """Add a value with the next number."""
        self.last += 1
        self._values[self.last] = value
        if len(self._values) > self._limit:
            del self._values[self.last - self._limit]

    def find(self, number: int) -> T | None:
        """Return a value, or ``None`` where it is not held."""
        return self._values.get(number)

    def replace(self, number: int, value: T) -> None:
        """Replace a value; one that was dropped stays dropped."""
        if number in self._values:
            self._values[number] = value

    def values(self) -> list[T]:
        """Return all values, oldest first."""
        return list(self._values.values())

    @property
    def dropped(self) -> int:
        """How many were dropped."""
        return self.last - len(self._values)

    @property
    def known(self) -> list[int]:
        """The first and the last number that is held."""
        return [self.dropped + 1, self.last] if self._values else []

    def restore(self, where: str, values: Iterable[tuple[int, T]], last: int) -> None:
        """Take over values with their numbers; raise ``InvalidValueError`` where these have gaps."""
        restored = dict(values)
        numbers = list(restored)
        if numbers != list(range(last - len(numbers) + 1, last + 1)):
            raise InvalidValueError(
                where, numbers[:5], f"values with numbers without gaps, of which {last} is the last"
            )
        self._values, self.last = restored, last
        for number in numbers[: -self._limit]:
            del self._values[number]
