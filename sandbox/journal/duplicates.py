"""Duplicates: payloads that were accepted more than once.

A client that loses an answer and sends again makes a duplicate, unless it prevents that. Only accepted payloads count,
and only payloads of the same service are compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.json_path import compile_json_path, select
from sandbox.foundation.json_value import JsonValue, canonical
from sandbox.journal.endpoint import PAYLOADS
from sandbox.journal.entry import Entry

if TYPE_CHECKING:
    from jsonpath import JSONPath

Likeness = Literal["bytes", "json", "json_path"]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Entries, oldest first, that carry the same payload. ``alike`` is the strongest way in which all of them do."""

    alike: Likeness
    key: JsonValue
    """With a JSONPath what it selects in each of them, else ``None``."""
    entries: tuple[Entry, ...]


def find_duplicates(
    entries: Iterable[Entry], by: Likeness | None = None, json_path: str | None = None
) -> list[Duplicates]:
    """Return the groups of alike payloads among ``entries``, in the order in which they began.

    ``by``: ``bytes`` for the same bytes; ``json`` (the default) for the same JSON, however it is written; ``json_path``
    for the same selection by an RFC 9535 query, such as an order number. Raise ``InvalidValueError``.
    """
    if by is None:
        by = "json" if json_path is None else "json_path"
    if (by == "json_path") != (json_path is not None):
        raise InvalidValueError("json_path", json_path, "a JSONPath, with by=json_path and only there")
    query = None if json_path is None else compile_json_path(json_path)
    key_of = _key_function(by, query)
    groups: dict[object, list[Entry]] = {}
    for entry in entries:
        if entry.kind in PAYLOADS and entry.accepted and (key := key_of(entry)) is not None:
            groups.setdefault((entry.company, entry.vanity_url, key), []).append(entry)
    return [_group(group, by, query) for group in groups.values() if len(group) > 1]


def _key_function(by: Likeness, query: JSONPath | None) -> Callable[[Entry], str | None]:
    if by == "bytes":
        return _digest
    if query is None:
        return lambda entry: _digest(entry) if entry.json is None else canonical(entry.json)
    return lambda entry: None if not (selected := select(query, entry.json)) else canonical(selected)


def _group(entries: list[Entry], by: Likeness, query: JSONPath | None) -> Duplicates:
    key = None
    if query is not None:
        selected = select(query, entries[0].json)
        key = selected[0] if len(selected) == 1 else selected
    if len({_digest(entry) for entry in entries}) == 1:
        return Duplicates("bytes", key, tuple(entries))
    if by == "json_path" and len({canonical(entry.json) for entry in entries}) == 1:
        return Duplicates("json", key, tuple(entries))
    return Duplicates(by, key, tuple(entries))


def _digest(entry: Entry) -> str:
    return hashlib.sha256(entry.body).hexdigest()
