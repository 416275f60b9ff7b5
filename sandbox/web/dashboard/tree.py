"""JSON as the lines of a foldable tree, in which a field that an answer or a difference names has its line.

The lines are flat, so that a template needs no recursion: an ``open`` line begins the children of an object or a list,
a ``close`` line ends them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sandbox.foundation.strict_json import write_json
from sandbox.journal.assertions.difference import step

MAX_LINES: Final = 1_000
"""Lines of a tree that is not asked for whole."""

MAX_LINES_WHOLE: Final = 20_000
_MAX_TEXT: Final = 2_000
"""Characters of a value on its line."""

_MAX_DEPTH: Final = 100
"""Levels that are foldable: browsers flatten HTML that is nested deeper than some hundred."""

_PUNCTUATION: Final = ".["


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``step`` is the segment of the JSONPath that leads to it from the line that holds it."""

    number: int
    kind: Literal["open", "value", "close"]
    step: str = ""
    name: str = ""
    """The name of the member, or the position in a list."""
    key: str = ""
    """The name as JSON; empty in a list."""
    text: str = ""
    size: int = 0
    """Children of an object or a list."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The lines of a JSON value; ``is_cut`` where there are more."""

    lines: list[Line]
    is_cut: bool
    _children: dict[int, list[Line]] = field(repr=False)

    def line_of(self, path: str) -> int:
        """Return the number of the line that a path leads to, or of the nearest line that holds such a place."""
        return self.find(path)[0]

    def find(self, path: str) -> tuple[int, str]:
        """Return the same, and the rest of the path that no line is for; empty where the path has one.

        The path is a JSONPath (``$.lines[0].sku``), or as Laravel names fields (``lines.0.sku``).
        """
        rest, found = path.removeprefix("$"), 0
        if rest and rest[0] not in _PUNCTUATION:
            rest = f".{rest}"
        while rest:
            steps = [
                (len(form), line)
                for line in self._children.get(found, ())
                for form in (line.step, f".{line.name}")
                if rest.startswith(form) and rest[len(form) : len(form) + 1] in ("", *_PUNCTUATION)
            ]
            if not steps:
                break
            length, line = max(steps, key=lambda each: each[0])
            rest, found = rest[length:], line.number
        return found, rest.removeprefix(".")


def tree_of(value: Any, *, whole: bool = False) -> Tree:
    """Return the tree of a JSON value."""
    lines: list[Line] = []
    children: dict[int, list[Line]] = {}
    limit = MAX_LINES_WHOLE if whole else MAX_LINES

    def add(parent: int, depth: int, child: tuple[str, str, str, Any]) -> bool:
        """Add the lines of an item while there is room; return whether all of them are there."""
        if len(lines) >= limit:
            return False
        step, name, key, item = child
        begins, ends = "[]" if isinstance(item, list) else "{}"
        is_open = isinstance(item, (dict, list)) and bool(item) and depth < _MAX_DEPTH
        text, size = (begins, len(item)) if is_open else (_text(item, whole=whole), 0)
        line = Line(len(lines), "open" if is_open else "value", step, name, key, text, size)
        lines.append(line)
        children.setdefault(parent, []).append(line)
        if not is_open:
            return True
        is_whole = all(add(line.number, depth + 1, child) for child in _items(item))
        lines.append(Line(line.number, "close", text=ends))
        return is_whole

    is_whole = add(-1, 0, ("", "", "", value))
    return Tree(lines, not is_whole, children)


def _items(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, str, str, Any]]:
    if isinstance(value, list):
        return ((f"[{index}]", str(index), "", item) for index, item in enumerate(value))
    return ((step(name), name, write_json(name, ascii=False), item) for name, item in value.items())


def _text(value: Any, *, whole: bool) -> str:
    text = write_json(value, ascii=False)
    more = 0 if whole else len(text) - _MAX_TEXT
    return text if more <= 0 else f"{text[:_MAX_TEXT]}… {more:,} more characters"
