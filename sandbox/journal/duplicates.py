"""Duplicates: payloads that were accepted more than once.

A client that loses an answer and sends again makes a duplicate, unless it prevents that. Only accepted payloads count,
and only payloads of the same service are compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.foundation.json_path import compile_json_path
from sandbox.foundation.json_value import JsonValue, canonical
from sandbox.journal.attempts import Likeness, alike_payloads, key_of
from sandbox.journal.entry import Entry

if TYPE_CHECKING:
    from jsonpath import JSONPath


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
    groups = alike_payloads((entry for entry in entries if entry.accepted), by, json_path)
    query = None if json_path is None else compile_json_path(json_path)
    by = by or ("json" if query is None else "json_path")
    return [_group(group, by, query) for group in groups if len(group) > 1]


def _group(entries: list[Entry], by: Likeness, query: JSONPath | None) -> Duplicates:
    key = key_of(entries[0], query)
    if len({entry.body for entry in entries}) == 1:
        return Duplicates("bytes", key, tuple(entries))
    if by == "json_path" and len({canonical(entry.json) for entry in entries}) == 1:
        return Duplicates("json", key, tuple(entries))
    return Duplicates(by, key, tuple(entries))
