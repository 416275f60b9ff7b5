"""JSON as the lines of a foldable tree, in which a field that an answer or a difference names has its line.

The lines are flat, so that a template needs no recursion: an ``open`` line begins the children of an object or a list,
a ``close`` line ends them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
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
    waiting: list[tuple[int, Iterator[tuple[str, str, str, Any]]]] = [(-1, iter([("", "", "", value)]))]
    limit, is_cut = MAX_LINES_WHOLE if whole else MAX_LINES, False
    while waiting:
        parent, rest = waiting[-1]
        following = None if is_cut else next(rest, None)
        if following is None:
            waiting.pop()
            if parent >= 0:
                lines.append(Line(parent, "close", text="]" if lines[parent].text == "[" else "}"))
            continue
        place, name, key, item = following
        if len(lines) >= limit:
            is_cut = True
            continue
        line = Line(len(lines), "value", place, name, key)
        if isinstance(item, (dict, list)) and item and len(waiting) <= _MAX_DEPTH:
            line = replace(line, kind="open", text="[" if isinstance(item, list) else "{", size=len(item))
            waiting.append((line.number, _items(item)))
        else:
            line = replace(line, text=_text(item, whole=whole))
        lines.append(line)
        children.setdefault(parent, []).append(line)
    return Tree(lines, is_cut, children)


def _items(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, str, str, Any]]:
    if isinstance(value, list):
        return ((f"[{index}]", str(index), "", item) for index, item in enumerate(value))
    return ((step(name), name, write_json(name, ascii=False), item) for name, item in value.items())


def _text(value: Any, *, whole: bool) -> str:
    text = write_json(value, ascii=False)
    more = 0 if whole else len(text) - _MAX_TEXT
    return text if more <= 0 else f"{text[:_MAX_TEXT]}… {more:,} more characters"
