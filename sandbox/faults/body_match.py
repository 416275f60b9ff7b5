"""Whether a request's body meets a JSONPath condition; each path is looked up once for a request, whoever asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, cast

from sandbox.matching import compile_json_path
from sandbox.model import JsonValue
from sandbox.payload import NotJsonError

_PLAIN: Final = re.compile(r"\$(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
Select: TypeAlias = Callable[[JsonValue], "list[JsonValue]"]
BodyCondition: TypeAlias = "tuple[tuple[str, Select, tuple[JsonValue, ...]], ...]"
"""For each path its text, the way to what it selects, and the value wanted; no value: anything will do."""


def compile_condition(json_path: str | Mapping[str, JsonValue] | None) -> BodyCondition:
    """Prepare a condition so that a request only has to look."""
    if json_path is None:
        return ()
    if isinstance(json_path, str):
        return ((json_path, _compiled(json_path), ()),)
    return tuple((path, _compiled(path), (value,)) for path, value in json_path.items())


def _compiled(path: str) -> Select:
    if _PLAIN.fullmatch(path):  # no need for an interpreter: most paths are names and nothing else
        names = path.split(".")[1:]
        return lambda document: _walk(document, names)
    query = compile_json_path(path)

    def select(document: JsonValue) -> list[JsonValue]:
        return cast("list[JsonValue]", query.findall(document)) if isinstance(document, (dict, list)) else []

    return select


def _walk(document: JsonValue, names: list[str]) -> list[JsonValue]:
    for name in names:
        if not isinstance(document, dict) or name not in document:
            return []
        document = document[name]
    return [document]


class Body:
    """The body of one request. ``json`` parses it, or raises ``NotJsonError``; it is called when a rule first asks."""

    __slots__ = ("_json", "_selected")

    def __init__(self, json: Callable[[], JsonValue]) -> None:
        self._json = json
        self._selected: dict[str, list[JsonValue]] = {}

    def meets(self, condition: BodyCondition) -> bool:
        """Return whether every path selects what is wanted."""
        for path, select, wanted in condition:
            selected = self._selected.get(path)
            if selected is None:
                selected = self._selected[path] = self._select(select)
            if not selected or (wanted and not any(_same(value, wanted[0]) for value in selected)):
                return False
        return True

    @property
    def document(self) -> JsonValue:
        """The body parsed, ``None`` if it is not JSON."""
        try:
            return self._json()
        except NotJsonError:
            return None

    def _select(self, select: Select) -> list[JsonValue]:
        return [] if self.document is None else select(self.document)


def _same(value: JsonValue, wanted: JsonValue) -> bool:
    """As JSON has it: ``true`` is not 1."""
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)
