"""Duplicates: payloads that were accepted more than once.

A client that loses an answer and sends again makes a duplicate, unless it prevents that. Only accepted payloads count,
and only payloads of the same service are compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.json_path import compile_json_path, select
from sandbox.foundation.json_value import JsonValue, canonical
from sandbox.journal.endpoint import PAYLOADS
from sandbox.journal.entry import Entry

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
    key_of = _key_function(by, json_path)
    groups: dict[object, list[Entry]] = {}
    for entry in entries:
        if entry.kind in PAYLOADS and entry.accepted and (key := key_of(entry)) is not None:
            groups.setdefault((entry.company, entry.vanity_url, key), []).append(entry)
    return [_group(group, by, json_path) for group in groups.values() if len(group) > 1]


def _key_function(by: Likeness, json_path: str | None) -> Callable[[Entry], str | None]:
    if by == "bytes":
        return _digest
    if json_path is None:
        return lambda entry: _digest(entry) if entry.json is None else canonical(entry.json)
    return lambda entry: None if not (selected := _selected(entry, json_path)) else canonical(selected)


def _group(entries: list[Entry], by: Likeness, json_path: str | None) -> Duplicates:
    key = None
    if json_path is not None:
        selected = _selected(entries[0], json_path)
        key = selected[0] if len(selected) == 1 else selected
    if len({_digest(entry) for entry in entries}) == 1:
        return Duplicates("bytes", key, tuple(entries))
    if by == "json_path" and len({canonical(entry.json) for entry in entries}) == 1:
        return Duplicates("json", key, tuple(entries))
    return Duplicates(by, key, tuple(entries))


def _selected(entry: Entry, json_path: str) -> list[JsonValue]:
    return select(compile_json_path(json_path), entry.json)


def _digest(entry: Entry) -> str:
    return hashlib.sha256(entry.body).hexdigest()
