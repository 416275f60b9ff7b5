"""The conditions of a rule, prepared once and compared with many requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sandbox.faults.rules import ANY, SUBJECT, Match
from sandbox.foundation.json_path import compile_json_path, select
from sandbox.foundation.json_value import JsonValue, equal
from sandbox.foundation.strict_json import NotJsonError

Select: TypeAlias = Callable[[JsonValue], "list[JsonValue]"]

_NAMES_ONLY: Final = re.compile(r"\$(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_UNKNOWN: Final[Any] = object()


@dataclass(slots=True, eq=False)
class Faultable:
    """A request, or an item or run in processing, as rules look at it.

    Each header, the body and each JSONPath is looked up once, however many rules ask for it.
    """

    kind: str
    """The name of its endpoint or stage, or ``OTHER``."""
    method: str
    subject: Mapping[str, str]
    """The values in its path, such as the company."""
    client_id: str | None
    """The OAuth client, once authenticated."""
    json: Callable[[], JsonValue]
    """Returns the body parsed as JSON; ``None``, or raises ``NotJsonError``, where it is none."""
    find_header: Callable[[str], str | None]
    """Returns the value of a header."""
    _document: JsonValue = field(default=_UNKNOWN, init=False)
    _headers: dict[str, str | None] = field(default_factory=dict, init=False)
    _selected: dict[str, list[JsonValue]] = field(default_factory=dict, init=False)

    def header(self, name: str) -> str | None:
        """Return the value of a header."""
        if name not in self._headers:
            self._headers[name] = self.find_header(name)
        return self._headers[name]

    def selected(self, path: str, find: Select) -> list[JsonValue]:
        """Return the values that a path selects in the body: none if the body is not JSON."""
        found = self._selected.get(path)
        if found is None:
            if self._document is _UNKNOWN:
                try:
                    self._document = self.json()
                except NotJsonError:
                    self._document = None
            found = self._selected[path] = [] if self._document is None else find(self._document)
        return found


class Matcher:
    """A ``Match`` that is ready to be compared: cheap conditions first, JSONPaths compiled."""

    __slots__ = ("_client_id", "_headers", "_kind", "_method", "_paths", "_subject", "searches")

    def __init__(self, match: Match) -> None:
        self._kind = None if match.endpoint == ANY else match.endpoint
        self._method = match.method
        self._client_id = match.client_id
        self._subject = [(name, value) for name in SUBJECT if (value := getattr(match, name, None)) is not None]
        self._headers = list(match.headers.items())
        wanted = {match.json_path: _UNKNOWN} if isinstance(match.json_path, str) else match.json_path or {}
        self._paths = [(path, compiled(path), value) for path, value in wanted.items()]
        self.searches = not all(_NAMES_ONLY.fullmatch(path) for path in wanted)
        """Whether a JSONPath may have to look through the whole body."""

    def matches(self, request: Faultable) -> bool:
        """Return whether a request meets every condition."""
        if self._kind is not None and request.kind != self._kind:
            return False
        for name, value in self._subject:
            if request.subject.get(name) != value:
                return False
        if self._client_id is not None and request.client_id != self._client_id:
            return False
        if self._method is not None and request.method != self._method:
            return False
        for name, content in self._headers:
            found = request.header(name)
            if found is None or (content is not None and found != content):
                return False
        for path, find, value in self._paths:
            selected = request.selected(path, find)
            if not selected or (value is not _UNKNOWN and not _is_among(value, selected)):
                return False
        return True


def _is_among(value: JsonValue, selected: list[JsonValue]) -> bool:
    if type(value) is str:  # most values: a third of the time
        return value in selected
    return any(equal(value, one) for one in selected)


def compiled(path: str) -> Select:
    """Return a function that returns what a JSONPath selects in a document."""
    if _NAMES_ONLY.fullmatch(path):  # most paths, and 20 times cheaper without the library
        names = path.split(".")[1:]
        return lambda document: _walk(document, names)
    query = compile_json_path(path)
    return lambda document: select(query, document)


def _walk(document: JsonValue, names: list[str]) -> list[JsonValue]:
    for name in names:
        if not isinstance(document, dict) or name not in document:
            return []
        document = document[name]
    return [document]
