"""Finding, among rules that look into the body, those that a body may meet, without asking each.

Paths made of names only (``$.customer.email``) share a tree of names that is walked along with the body. Of any other
JSONPath its beginning is in the tree (``$.lines`` of ``$.lines[?@.sku == 'A']``), so that it is evaluated only where
the body has that much.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Generic, TypeVar

from sandbox.model import JsonValue

_BEGINNING: Final = re.compile(r"\$(?P<names>(?:\.[A-Za-z_][A-Za-z0-9_]*)*)(?P<rest>.*)", re.DOTALL)
_T = TypeVar("_T")


class _Node(Generic[_T]):
    """A name in the tree, or its root."""

    __slots__ = ("children", "equal", "here")

    def __init__(self) -> None:
        self.children: dict[str, _Node[_T]] = {}
        self.here: list[_T] = []
        """Those for whom it is enough that there is something here."""
        self.equal: dict[tuple[bool, object], list[_T]] = {}
        """Those for whom a certain value must be here."""


class BodyIndex(Generic[_T]):
    """Things by the JSONPath condition that a body must meet."""

    def __init__(self) -> None:
        self._root: _Node[_T] = _Node()

    def add(self, json_path: str | Mapping[str, JsonValue], thing: _T) -> None:
        """Put a thing where it is found for every body that meets its condition, and for few others."""
        path, wanted = (json_path, ()) if isinstance(json_path, str) else next(iter(json_path.items()))
        match = _BEGINNING.match(path)
        node = self._root
        for name in match["names"].split(".")[1:] if match else ():
            node = node.children.setdefault(name, _Node())
        if match and not match["rest"] and not isinstance(json_path, str) and _is_scalar(wanted):
            node.equal.setdefault(_key(wanted), []).append(thing)
        else:
            node.here.append(thing)

    def find(self, document: JsonValue) -> list[_T]:
        """Return the things whose condition a document may meet, in no order."""
        found: list[_T] = []
        waiting = [(self._root, document)]
        while waiting:
            node, value = waiting.pop()
            found += node.here
            if node.equal and _is_scalar(value):
                found += node.equal.get(_key(value), ())
            if node.children and isinstance(value, dict):
                # The shorter of the two is gone through.
                names = value if len(value) < len(node.children) else node.children
                waiting += [
                    (node.children[name], value[name]) for name in names if name in node.children and name in value
                ]
        return found


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float))


def _key(value: object) -> tuple[bool, object]:
    """As JSON has it: ``true`` is not 1."""
    return isinstance(value, bool), value
