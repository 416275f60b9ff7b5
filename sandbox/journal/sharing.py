"""Keeping once what comes again and again.

Requests of one client differ in little but their body. Sharing the rest makes the difference between a journal of
100 MB and one of 300 MB.
"""

from __future__ import annotations

from collections.abc import Hashable
from sys import getsizeof
from typing import Final, Generic, TypeVar

from sandbox.foundation.answer import Headers

_T = TypeVar("_T", bound=Hashable)
_Text = TypeVar("_Text", str, "str | None")
_Value = TypeVar("_Value", str, bytes)

CAPACITY: Final = 4_096
"""Values a pool holds. A full one starts anew, so what never comes again is not kept for ever."""


class Pool(Generic[_T]):
    """Values of one type of which equal ones are kept once; not safe by itself."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[_T, _T] = {}

    def clear(self) -> None:
        """Keep none any more."""
        self._values.clear()

    def find(self, value: _T) -> _T | None:
        """Return the value that is kept and equals the one given."""
        return self._values.get(value)

    def keep(self, value: _T) -> _T:
        """Return the value that is kept and equals the one given, which is the one given if there is none."""
        if len(self._values) >= CAPACITY:
            self._values.clear()
        return self._values.setdefault(value, value)


class Sharing:
    """What the entries of a journal have in common, each value kept once unless it is long; not safe by itself."""

    _LONG: Final = 512
    """Characters or bytes beyond which a value is taken for one of its kind."""

    _LONG_FIELD: Final = 256
    _LONG_HEAD: Final = 4_096

    def __init__(self) -> None:
        self._texts: Pool[str] = Pool()
        self._bodies: Pool[bytes] = Pool()
        self._fields: Pool[tuple[str, str]] = Pool()
        self._heads: Pool[Headers] = Pool()
        self.added = 0
        """About how many bytes all values take that had no equal when they came."""
        self._held = 0
        """About how many of these bytes are kept, whether or not an entry still needs them."""

    def forget_beyond(self, spare: int) -> None:
        """Keep nothing any more once that takes more than ``spare`` bytes: the entries it came with may be gone."""
        if self._held > spare:
            for pool in (self._texts, self._bodies, self._fields, self._heads):
                pool.clear()
            self._held = 0

    def text(self, text: _Text) -> _Text:
        """Return a text that is kept and equals the one given."""
        return text if text is None else self._kept(text, self._texts)

    def body(self, body: bytes) -> bytes:
        """Return a body that is kept and equals the one given."""
        return self._kept(body, self._bodies)

    def headers(self, headers: Headers) -> Headers:
        """Return header fields that are kept and equal those given, as a whole or field by field."""
        known = self._heads.find(headers)
        if known is not None:
            return known
        added_before = self.added
        self.added += getsizeof(headers)
        size = 0
        fields = []
        for field in headers:
            length = len(field[0]) + len(field[1])
            size += length
            shared = self._fields.find(field) if length < self._LONG_FIELD else None
            if shared is None:
                self.added += getsizeof(field) + getsizeof(field[0]) + getsizeof(field[1])
                shared = self._fields.keep(field) if length < self._LONG_FIELD else field
            fields.append(shared)
        whole = tuple(fields)
        self._held += self.added - added_before
        return self._heads.keep(whole) if size < self._LONG_HEAD else whole

    def _kept(self, value: _Value, pool: Pool[_Value]) -> _Value:
        known = pool.find(value)
        if known is not None:
            return known
        size = getsizeof(value)
        self.added += size
        if len(value) > self._LONG:
            return value
        self._held += size
        return pool.keep(value)
