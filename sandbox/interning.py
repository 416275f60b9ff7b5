"""Keeping once what comes again and again.

Requests of one client differ in little but their body. Sharing the rest makes the difference between a journal of
100 MB and one of 300 MB.
"""

from __future__ import annotations

from collections.abc import Hashable
from sys import getsizeof
from typing import Final, Generic, TypeVar

_T = TypeVar("_T", bound=Hashable)
_Text = TypeVar("_Text", str, "str | None")

CAPACITY: Final = 4_096
"""Values a pool holds. A full one starts anew, so what never comes again is not kept for ever."""


class Pool(Generic[_T]):
    """Values of one type of which equal ones are kept once; not safe by itself."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[_T, _T] = {}

    def find(self, value: _T) -> _T | None:
        """Return the value that is kept and equals the one given."""
        return self._values.get(value)

    def keep(self, value: _T) -> _T:
        """Return the value that is kept and equals the one given, which is the one given if there is none."""
        if len(self._values) >= CAPACITY:
            self._values.clear()
        return self._values.setdefault(value, value)


class SharedTexts:
    """Texts of which equal ones are kept once, unless they are long; not safe by itself."""

    _LONG: Final = 512
    """Characters beyond which a text is taken for one of its kind."""

    def __init__(self) -> None:
        self._pool: Pool[str] = Pool()
        self.added = 0
        """Bytes of all texts that had no equal when they came."""

    def share(self, text: _Text) -> _Text:
        """Return a text that is kept and equals the one given."""
        if text is None:
            return text
        known = self._pool.find(text)
        if known is not None:
            return known
        self.added += getsizeof(text)
        return self._pool.keep(text) if len(text) <= self._LONG else text


Headers = tuple[tuple[str, str], ...]


class SharedHeaders:
    """Headers of which equal ones are kept once, field by field and as a whole; not safe by itself."""

    _LONG: Final = 256
    """Characters from which a field is taken for one of its kind."""

    _LONG_HEAD: Final = 4_096

    def __init__(self) -> None:
        self._fields: Pool[tuple[str, str]] = Pool()
        self._wholes: Pool[Headers] = Pool()

    def share(self, headers: Headers) -> tuple[Headers, int]:
        """Return equal headers, and about how many bytes they take that nothing else shares."""
        known = self._wholes.find(headers)
        if known is not None:
            return known, 0
        cost, size = 56, 0
        fields = []
        for field in headers:
            length = len(field[0]) + len(field[1])
            size += length
            shared = self._fields.find(field) if length < self._LONG else None
            if shared is None:
                cost += 160 + length
                shared = self._fields.keep(field) if length < self._LONG else field
            cost += 8
            fields.append(shared)
        whole = tuple(fields)
        return (self._wholes.keep(whole) if size < self._LONG_HEAD else whole), cost
