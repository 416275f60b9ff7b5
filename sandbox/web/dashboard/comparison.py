"""Two requests side by side: the places where they differ, as an assertion says it, and the requests to choose from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.assertions.difference import Difference, differences, show
from sandbox.journal.entry import Entry
from sandbox.journal.filter import EntryFilter
from sandbox.journal.journal import Journal

MAX_COMPARED: Final = 256 * 1024
"""Bytes of the larger of two bodies that are compared place by place."""

_SHOWN: Final = 100
_FACTS: Final = ("method", "path", "query", "client_id", "status", "reason", "fault")
_EARLIER: Final = 10
_LATER: Final = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences of a request from another one, which is what assertions call expected."""

    other: Entry
    parts: dict[str, list[Difference]]
    """The differences under their headings."""
    more: int
    """Differences that are left out."""


def compare(other: Entry, entry: Entry) -> Comparison:
    """Return where a request, its payload and its answer differ from another one."""
    facts = [
        Difference(name, f"expected {show(was)}, got {show(now)}")
        for name in _FACTS
        if (was := getattr(other, name)) != (now := getattr(entry, name))
    ]
    bodies = {
        "Payload": _bodies(other.body, entry.body),
        "Answer": _bodies(other.response_body, entry.response_body),
    }
    more = sum(max(0, len(found) - _SHOWN) for found in bodies.values())
    return Comparison(other, {"Request": facts, **{name: found[:_SHOWN] for name, found in bodies.items()}}, more)


def _bodies(expected: bytes, actual: bytes) -> list[Difference]:
    if expected == actual:
        return []
    if max(len(expected), len(actual)) > MAX_COMPARED:
        return [Difference("$", f"the bytes differ; more than {MAX_COMPARED:,} bytes are not compared place by place")]
    try:
        return differences(parse_json(expected), parse_json(actual)) or [
            Difference("$", "the same JSON in other bytes")
        ]
    except NotJsonError:
        return differences(expected.decode("utf-8", "replace"), actual.decode("utf-8", "replace"))


def comparable(journal: Journal, entry: Entry) -> Iterator[Entry]:
    """Iterate over the requests to the same address around a request, newest first."""
    yield from [*islice(journal.entries(alike(entry), entry.seq), _LATER)][::-1]
    yield from islice(journal.newest_first(alike(entry), entry.seq), _EARLIER)


def alike(entry: Entry) -> EntryFilter:
    """Return the filter of the requests to the address of a request."""
    names = ("kind", "company", "vanity_url", "flow", "hook")
    return EntryFilter(**{name: getattr(entry, name) for name in names})
