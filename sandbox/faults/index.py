"""Which rules may concern a request, found without looking at those that cannot.

Made anew when the rules change, not when a request comes. Rules are grouped by which of their conditions compare a
plain value (endpoint, company, vanity URL, client, method, headers), and within a group they are found by these values
in one look-up; what is left is told apart by the body. A thousand rules for other services, clients or order numbers
cost a request what one costs.

An index is for a stretch of time between two ends of the rules' time windows: within it the same rules are in force.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar, cast

from sandbox.faults.rules import Faultable, Match
from sandbox.foundation.json_path import compile_json_path
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.strict_json import NotJsonError

if TYPE_CHECKING:
    from sandbox.faults.book import ArmedRule

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


_Numbered: TypeAlias = "tuple[int, ArmedRule]"
_HEADER = "header:"


class _Bucket:
    """Rules with the same plain conditions."""

    __slots__ = ("by_body", "rules")

    def __init__(self) -> None:
        self.rules: list[_Numbered] = []
        self.by_body: BodyIndex[_Numbered] | None = None

    def add(self, numbered: _Numbered) -> None:
        json_path = numbered[1].rule.match.json_path
        if json_path is None:
            self.rules.append(numbered)
            return
        if self.by_body is None:
            self.by_body = BodyIndex()
        self.by_body.add(json_path, numbered)


class RuleIndex:
    """A frozen arrangement of the rules in force at ``now``, good from ``start`` until before ``end``."""

    def __init__(self, rules: Sequence[ArmedRule], now: float) -> None:
        ends = [end for armed in rules for end in (armed.start, armed.end) if end is not None]
        self.start = max((end for end in ends if end <= now), default=-math.inf)
        self.end = min((end for end in ends if end > now), default=math.inf)
        groups: dict[tuple[str, ...], dict[tuple[str | None, ...], _Bucket]] = {}
        for number, armed in enumerate(rules):
            if armed.is_in_window(now):
                conditions = _plain_conditions(armed.rule.match)
                group = groups.setdefault(tuple(conditions), {})
                group.setdefault(tuple(conditions.values()), _Bucket()).add((number, armed))
        self._groups = tuple(groups.items())

    def candidates(self, request: Faultable, body: Body) -> Sequence[_Numbered]:
        """Return the rules whose plain conditions hold and whose others may, in the order of the rules."""
        found: list[_Numbered] = []
        for names, table in self._groups:
            bucket = table.get(tuple([_value(request, name) for name in names]))
            if bucket is None:
                continue
            found += bucket.rules
            if bucket.by_body is not None and body.document is not None:
                found += bucket.by_body.find(body.document)
        if len(found) > 1:
            found.sort(key=_number)
        return found


def _number(numbered: _Numbered) -> int:
    return numbered[0]


def _plain_conditions(match: Match) -> dict[str, str]:
    conditions = {
        name: value for name in ("company", "vanity_url", "client_id", "method") if (value := getattr(match, name))
    }
    if match.endpoint != "any":
        conditions["kind"] = match.endpoint
    headers = sorted((name.lower(), value) for name, value in match.headers.items() if value is not None)
    conditions.update((_HEADER + name, value) for name, value in headers)
    return conditions


def _value(request: Faultable, name: str) -> str | None:
    if name.startswith(_HEADER):
        return request.header(name[len(_HEADER) :])
    value: str | None = getattr(request, name)
    return value
