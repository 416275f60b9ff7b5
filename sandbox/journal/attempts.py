"""Requests that carry the same payload: attempts, with the time between them, and duplicates.

The times are the machine's, because a client waits in real time: from the end of an answer, or from when the client
hung up, to the next request. A client that loses an answer and sends again makes a duplicate, unless it prevents that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.json_path import Query, compile_json_path, select
from sandbox.foundation.json_value import JsonValue, canonical
from sandbox.journal.endpoint_kind import PAYLOADS
from sandbox.journal.entry import Entry

_SHOWN: Final = 10
"""Attempts of a payload that a line shows."""

Likeness = Literal["bytes", "json", "json_path"]


def ended_at(entry: Entry) -> float:
    """Return when the client had the answer, or hung up, on the machine's clock in Unix seconds."""
    return entry.wall_time + entry.answered_ms / 1000


def gap_s(before: Entry, entry: Entry) -> float:
    """Return the seconds from the end of an attempt to the next; 0 where they overlap."""
    return max(0.0, round(entry.wall_time - ended_at(before), 3))


@dataclass(frozen=True, slots=True)
class Attempts:
    """The requests, oldest first, that carry one payload to one service."""

    key: JsonValue
    """The selection of the JSONPath in each of them; ``None`` without one."""
    entries: tuple[Entry, ...]
    stored_before: int = 0
    """How many earlier ones, which are no attempts of the same sending, were accepted."""

    @property
    def alike(self) -> Likeness:
        """The strongest way in which all of them are alike."""
        if len({entry.body for entry in self.entries}) == 1:
            return "bytes"
        return "json" if len({canonical(entry.json) for entry in self.entries}) == 1 else "json_path"

    @property
    def gaps_s(self) -> tuple[float, ...]:
        """The seconds between each attempt and the next."""
        return tuple(map(gap_s, self.entries, self.entries[1:]))

    @property
    def stored(self) -> int:
        """How many of them were accepted."""
        return sum(entry.accepted for entry in self.entries)

    @property
    def marks(self) -> tuple[str, ...]:
        """The remarkable in a few words: ``duplicate``, ``gave up`` (none was accepted), ``3 tokens``."""
        tokens = len({entry.token.fingerprint for entry in self.entries if entry.token is not None})
        found = {
            "duplicate": self.stored > 0 and self.stored + self.stored_before > 1,
            "gave up": not self.stored and len(self.entries) > 1,
            f"{tokens} tokens": tokens > 1,
        }
        return tuple(mark for mark, holds in found.items() if holds)

    @property
    def line(self) -> str:
        """The attempts on one line: ``503 ·1.0 s· 503 ·2.0 s· 200 stored``; of many, the middle is counted."""
        parts = [_result(self.entries[0])]
        for gap, entry in zip(self.gaps_s, self.entries[1:], strict=True):
            parts.append(f"·{gap:.1f} s· {_result(entry)}")
        if (more := len(parts) - _SHOWN) > 0:
            parts[_SHOWN - 1 : -1] = [f"· {more} more ·"]
        return " ".join(parts)


def _result(entry: Entry) -> str:
    result = str(entry.status) if entry.status else entry.fault_kind or "no answer"
    result += "" if entry.closed_after_ms is None else f" hung up after {entry.closed_after_ms / 1000:.1f} s"
    return f"{result} stored" if entry.accepted else result


def find_attempts(
    entries: Iterable[Entry], by: Likeness | None = None, json_path: str | None = None, *, at_least: int = 2
) -> list[Attempts]:
    """Return the payloads that were sent ``at_least`` so often to a service or flow, in the order of their first.

    ``by``: ``bytes`` for the same bytes; ``json`` (the default) for the same JSON, however it is written; ``json_path``
    for the same selection by an RFC 9535 query, such as an order number. Raise ``InvalidValueError``.
    """
    by = by or ("json" if json_path is None else "json_path")
    if (by == "json_path") != (json_path is not None):
        raise InvalidValueError("json_path", json_path, "a JSONPath, with by=json_path and only there")
    query = None if json_path is None else compile_json_path(json_path)
    identity = _identity(by, query)
    groups: dict[object, list[Entry]] = {}
    for entry in entries:
        if entry.kind in PAYLOADS and (found := identity(entry)) is not None:
            groups.setdefault((*entry.target, found), []).append(entry)
    return [Attempts(_key_of(group[0], query), tuple(group)) for group in groups.values() if len(group) >= at_least]


def _key_of(entry: Entry, query: Query | None) -> JsonValue:
    """Return what a JSONPath selects in a payload; ``None`` without one."""
    selected = [] if query is None else select(query, entry.json)
    return None if query is None else selected[0] if len(selected) == 1 else selected


def _identity(by: Likeness, query: Query | None) -> Callable[[Entry], object]:
    if by == "bytes":
        return lambda entry: entry.body
    if query is None:
        return lambda entry: entry.body if (value := entry.json) is None else canonical(value)
    return lambda entry: None if not (selected := select(query, entry.json)) else canonical(selected)


def chained(entries: Iterable[Entry]) -> list[Attempts]:
    """Return all entries, oldest first, those that are attempts to send one payload as one.

    They carry the same bytes to one service, and the client was told of no success before the last. The order is that
    of the newest attempts.
    """
    groups: dict[int, list[Entry]] = {}
    last: dict[object, tuple[int, int]] = {}  # the newest group of a payload, and how often it was accepted before
    before: dict[int, int] = {}
    for entry in entries:
        payload, key = _payload(entry), entry.seq
        if payload is not None:
            known, stored = last.get(payload, (key, 0))
            group = groups.get(known, [])
            if group and group[-1].outcome != "accepted":
                key = known
            else:
                before[key] = stored = stored + sum(each.accepted for each in group)
            last[payload] = key, stored
        group = groups.pop(key, [])
        group.append(entry)
        groups[key] = group
    return [Attempts(None, tuple(group), before.get(key, 0)) for key, group in groups.items()]


def _payload(entry: Entry) -> tuple[object, ...] | None:
    """Return what makes two requests attempts of one payload; ``None`` where there is no payload."""
    # Python keeps the hash of bytes
    return (*entry.target, entry.body) if entry.kind in PAYLOADS and entry.body else None


def find_duplicates(
    entries: Iterable[Entry], by: Likeness | None = None, json_path: str | None = None
) -> list[Attempts]:
    """Return the payloads that a service accepted more than once, in the order of their first attempts.

    ``by`` and ``json_path`` are those of ``find_attempts``.
    """
    return find_attempts((entry for entry in entries if entry.accepted), by, json_path)


@dataclass(frozen=True, slots=True)
class Repetition:
    """A request whose payload an earlier request carried too, byte for byte."""

    number: int
    """Which attempt it is: 2 for the first repetition."""
    before: int
    """Number of the entry of the attempt before it."""
    gap_s: float

    def __str__(self) -> str:
        return f"attempt {self.number}, {self.gap_s:.1f} s after #{self.before}"


class Repetitions:
    """Finds repetitions in a row of entries, oldest first. Belongs to one thread."""

    def __init__(self) -> None:
        self._last: dict[object, tuple[Entry, int]] = {}

    def mark(self, entry: Entry) -> Repetition | None:
        """Return which repetition the next entry is; ``None`` for a payload that did not come before."""
        key = _payload(entry)
        if key is None:
            return None
        before, number = self._last.get(key, (None, 0))
        self._last[key] = entry, number + 1
        return None if before is None else Repetition(number + 1, before.seq, gap_s(before, entry))
