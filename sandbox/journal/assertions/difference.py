"""The differences between two JSON values, written for people.

A value matches when there is no difference; ``equal`` says which values are the same. Items of lists are aligned, so
that one more at the front is one difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher, get_close_matches
from itertools import islice, zip_longest
from typing import Any, Final

from sandbox.foundation.errors import cut
from sandbox.foundation.json_value import JsonValue, canonical, equal, key_text
from sandbox.foundation.strict_json import number_of, write_json

_SHOWN: Final = 60
_MAX_LEAVES: Final = 1_000
_MAX_DEPTH: Final = 100
"""Levels below which a difference has no details."""

_MAX_ALIGNED: Final = 400
"""Items of a list beyond which they are compared by position only."""

_MAX_PAIRED: Final = 64
"""Pairs of changed items that are compared at most to find the most similar ones."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where a value is not as expected. ``weight`` is about how many values it concerns."""

    path: str
    """A JSONPath, or the name of what is no part of a body: ``status``, ``headers.Accept``."""
    message: str
    weight: int = 1

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def contains(expected: Any, actual: JsonValue) -> bool:
    """Return whether a value holds all that is expected; it may hold more.

    Objects may have more keys, and lists more items in any order. Each expected item must be contained in an item of
    its own: two that are expected are not met by one.
    """
    if isinstance(expected, Mapping):
        if not isinstance(actual, dict):
            return False
        for key, value in expected.items():
            name = key if type(key) is str else key_text(key)
            if name not in actual or not contains(value, actual[name]):
                return False
        return True
    if isinstance(expected, (list, tuple)):
        if not isinstance(actual, list) or len(expected) > len(actual):
            return False
        found = _Assignment(expected, actual)
        for number, item in enumerate(expected):
            for place in found.free_from(number):
                if contains(item, actual[place]):  # called here, and not by a method: as above
                    found.put(number, place)
                    break
                found.fits[number][place] = False
            else:
                if not found.find_place(number):
                    return False
        return True
    return equal(expected, actual)


class _Assignment:
    """Gives each expected item of a list an item of its own that contains it."""

    def __init__(self, expected: Sequence[Any], actual: Sequence[JsonValue]) -> None:
        self._expected = expected
        self._actual = actual
        self._places: dict[int, int] = {}
        self._owners: dict[int, int] = {}
        self.fits: defaultdict[int, dict[int, bool]] = defaultdict(dict)
        """For each expected item the items it was compared with: in nested lists each comparison must be made once."""

    def free_from(self, start: int) -> Iterator[int]:
        """Iterate over the items that are given to none, from the one at the same position on."""
        size = len(self._actual)
        return (place for at in range(start, start + size) if (place := at % size) not in self._owners)

    def put(self, number: int, place: int) -> None:
        """Give an item of the list to an expected one."""
        self._places[number], self._owners[place] = place, number
        self.fits[number][place] = True

    def find_place(self, number: int) -> bool:
        """Give an expected item a place, moving others where they have a choice; return whether there is one.

        This is Kuhn's algorithm: where no assignment is found there is none.
        """
        reached: dict[int, int] = {}
        """The expected item for which each place was found."""
        waiting = [number]
        while waiting:
            mover = waiting.pop()
            for place in range(len(self._actual)):
                if place in reached or not self._fits(mover, place):
                    continue
                reached[place] = mover
                if place in self._owners:
                    waiting.append(self._owners[place])
                    continue
                while True:
                    mover = reached[place]
                    left = self._places.get(mover)
                    self.put(mover, place)
                    if left is None:
                        return True
                    place = left  # noqa: PLW2901 - its place is taken by the one for which it was found
        return False

    def _fits(self, number: int, place: int) -> bool:
        known = self.fits[number]
        if place not in known:
            known[place] = contains(self._expected[number], self._actual[place])
        return known[place]


def differences(expected: Any, actual: JsonValue, *, subset: bool = False, path: str = "$") -> list[Difference]:
    """Return where a value differs from what is expected; none when it is equal, or with ``subset`` contains it."""
    return list(_compare(expected, actual, path, _contained_items if subset else _aligned_items, 0))


_Items = Callable[[Sequence[Any], list[JsonValue], str, int], Iterator[Difference]]


def _compare(expected: Any, actual: JsonValue, path: str, items: _Items, depth: int) -> Iterator[Difference]:
    subset = items is _contained_items
    if (contains if subset else equal)(expected, actual):
        return
    if depth < _MAX_DEPTH and isinstance(expected, Mapping) and isinstance(actual, dict):
        wanted = {key_text(key): value for key, value in expected.items()}
        for key, value in wanted.items():
            place = f"{path}{step(key)}"
            if key in actual:
                yield from _compare(value, actual[key], place, items, depth + 1)
            else:
                near = get_close_matches(str(key), [name for name in actual if name not in wanted], 1, 0.8)
                hint = f"; there is {show(near[0])}" if near else ""
                yield Difference(place, f"missing, expected {show(value)}{hint}", leaves(value))
        for key in actual if not subset else ():
            if key not in wanted:
                yield Difference(f"{path}{step(key)}", f"unexpected {show(actual[key])}", leaves(actual[key]))
    elif depth < _MAX_DEPTH and isinstance(expected, (list, tuple)) and isinstance(actual, list):
        yield from items(expected, actual, path, depth)
    else:
        yield Difference(path, _changed(expected, actual), max(leaves(expected), leaves(actual)))


def _aligned_items(expected: Sequence[Any], actual: list[JsonValue], path: str, depth: int) -> Iterator[Difference]:
    """Yield missing, unexpected and changed items; items that moved because of them do not count."""
    was, now = [_aligned_by(item) for item in expected], [_aligned_by(item) for item in actual]
    if len(was) == len(now) and sorted(was) == sorted(now):
        yield Difference(path, f"the same {len(was)} items in another order")
        return
    if max(len(was), len(now)) > _MAX_ALIGNED:
        blocks: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(was), 0, len(now))]
    else:
        blocks = SequenceMatcher(None, was, now, autojunk=False).get_opcodes()
    for kind, start, end, first, last in blocks:
        if kind == "equal":
            continue
        for index, other in _paired(expected[start:end], actual[first:last]):
            if other is None:
                assert index is not None
                item = expected[start + index]
                yield Difference(f"{path}[{start + index}]", f"missing, expected {show(item)}", leaves(item))
            elif index is None:
                extra = actual[first + other]
                yield Difference(f"{path}[{first + other}]", f"unexpected {show(extra)}", leaves(extra))
            else:
                place = f"{path}[{first + other}]"
                yield from _compare(expected[start + index], actual[first + other], place, _aligned_items, depth + 1)


def _paired(expected: Sequence[Any], actual: Sequence[JsonValue]) -> list[tuple[int | None, int | None]]:
    """Pair changed items, in order, with the most similar ones."""
    rows, columns = len(expected), len(actual)
    if rows == columns or rows * columns > _MAX_PAIRED:
        return list(zip_longest(range(rows), range(columns)))
    missing, extra = [leaves(item) for item in expected], [leaves(item) for item in actual]
    # best[i][j]: the least weight with which the items from i and j on can be paired, and the first step to it
    best: list[list[tuple[int, int, int]]] = [[(0, 0, 0)] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows, -1, -1):
        for j in range(columns, -1, -1):
            steps = []
            if i < rows and j < columns:
                changed = sum(found.weight for found in differences(expected[i], actual[j]))
                steps.append((changed + best[i + 1][j + 1][0], 1, 1))
            if i < rows:
                steps.append((missing[i] + best[i + 1][j][0], 1, 0))
            if j < columns:
                steps.append((extra[j] + best[i][j + 1][0], 0, 1))
            if steps:
                best[i][j] = min(steps, key=lambda step: step[0])
    pairs: list[tuple[int | None, int | None]] = []
    i = j = 0
    while i < rows or j < columns:
        _, down, right = best[i][j]
        pairs.append((i if down else None, j if right else None))
        i, j = i + down, j + right
    return pairs


def _contained_items(expected: Sequence[Any], actual: list[JsonValue], path: str, depth: int) -> Iterator[Difference]:
    """Yield the items for which no item of the list is left, and how the nearest of those left differs."""
    found = _Assignment(expected, actual)
    missing = [number for number in range(len(expected)) if not found.find_place(number)]
    for number in missing:
        item = expected[number]
        candidates = [
            list(_compare(item, actual[place], f"{path}[{place}]", _contained_items, depth + 1))
            for place in islice(found.free_from(0), _MAX_PAIRED)
        ]
        nearest = min(candidates, key=_weight, default=[])
        if nearest and _weight(nearest) < leaves(item):
            yield from nearest
        else:
            another = "other " if True in found.fits[number].values() else ""
            yield Difference(path, f"no {another}item contains {show(item)}", leaves(item))


def _weight(found: list[Difference]) -> int:
    return sum(difference.weight for difference in found)


# --- words ----------------------------------------------------------------------------------------------------------


def _changed(expected: Any, actual: JsonValue) -> str:
    if isinstance(expected, str) and isinstance(actual, str) and max(len(expected), len(actual)) > _SHOWN:
        return _changed_text(expected, actual)
    wanted, given = _kind(expected), _kind(actual)
    hint = f" ({given}, not {wanted})" if wanted and wanted != given else ""
    return f"expected {show(expected)}, got {show(actual)}{hint}"


def _changed_text(expected: str, actual: str) -> str:
    """Show two long texts around the first character that differs."""
    same = next((i for i, (a, b) in enumerate(zip(expected, actual, strict=False)) if a != b), None)
    at = min(len(expected), len(actual)) if same is None else same
    start = max(0, at - 10)
    before = "…" if start else ""
    wanted, given = (show(before + text[start : start + _SHOWN // 2]) for text in (expected, actual))
    return f"differs from character {at + 1} on: expected {wanted}, got {given}"


_KINDS: Final[Mapping[str, Any]] = {
    "null": type(None),
    "boolean": bool,
    "number": (int, float, Decimal),
    "string": str,
    "list": (list, tuple),
    "object": Mapping,
}


def _kind(value: object) -> str:
    """Return JSON's word for the type of a value; nothing for a value that is not JSON."""
    return next((word for word, types in _KINDS.items() if isinstance(value, types)), "")


def show(value: object, limit: int = _SHOWN) -> str:
    """Return a value as JSON on one line, shortened to ``limit`` characters."""
    try:
        text = write_json(value, ascii=False, default=_shown_as)
    except (TypeError, ValueError, RecursionError):  # as above
        text = _unwritable(value)
    return cut(text, limit)


def _aligned_by(item: object) -> str:
    """Return a text that is the same for equal items, as far as a text can be."""
    try:
        return canonical(item, default=_shown_as)
    except (TypeError, ValueError, RecursionError):  # keys that are no text, or nested too deep
        return _unwritable(item)


def _unwritable(value: object) -> str:
    return repr(value) if not isinstance(value, (dict, list)) else f"<{_kind(value)} of {len(value)}>"


def _shown_as(value: object) -> object:
    """Return the JSON with which an object that is no JSON is shown: a number for a ``Decimal``."""
    try:
        return number_of(value)
    except TypeError:
        return getattr(value, "__qualname__", None) or repr(value)


def step(key: object) -> str:
    """Return the segment of a JSONPath (RFC 9535 §2.5) that leads to a member of an object."""
    name = str(key)
    return f".{name}" if name.isidentifier() else f"[{write_json(name, ascii=False)}]"


def leaves(value: object) -> int:
    """Return the number of values within a value that hold no others: at least 1, at most a limit."""
    count, rest = 0, [value]
    while rest and count < _MAX_LEAVES:
        match rest.pop():
            case Mapping() as found if found:
                rest.extend(found.values())
            case list() | tuple() as found if found:
                rest.extend(found)
            case _:
                count += 1
    return count
