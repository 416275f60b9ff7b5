"""The selection of journal entries: a filter, one frozen value for every listing and assertion, and a cursor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.instants import format_timestamp
from sandbox.foundation.json_path import Query, compile_json_path, selects
from sandbox.journal.entry import Entry

INDEXED: Final = ("kind", "company", "vanity_url", "client_id", "outcome")
"""Attributes of an entry that it can be found by without looking at the others."""


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Every condition given must hold; ``since`` and ``until`` are Unix seconds on the sandbox clock, both inclusive.

    ``accepted`` is whether the sandbox did what the request asked for, also where a fault hid that from the client.
    ``reason`` is the code of a reason, ``fault`` the name of the fault rule that acted, or its id.
    ``json_path`` is an RFC 9535 query; it holds when it selects at least one node of a JSON body.
    """

    kind: str | None = None
    company: str | None = None
    vanity_url: str | None = None
    flow: str | None = None
    hook: str | None = None
    client_id: str | None = None
    outcome: str | None = None
    status: int | None = None
    accepted: bool | None = None
    reason: str | None = None
    fault: str | None = None
    since: float | None = None
    until: float | None = None
    json_path: str | None = None
    _equal: tuple[tuple[str, Any], ...] = field(init=False, repr=False)
    _query: Query | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        names = ("kind", "company", "vanity_url", "flow", "hook", "client_id", "outcome", "status", "accepted", "fault")
        equal = tuple((name, getattr(self, name)) for name in names if getattr(self, name) is not None)
        object.__setattr__(self, "_equal", equal)
        object.__setattr__(self, "_query", None if self.json_path is None else compile_json_path(self.json_path))

    @property
    def is_indexed(self) -> bool:
        """Whether it is a single condition on an indexed attribute."""
        others = (self.reason, self.since, self.until, self.json_path)
        return len(self._equal) == 1 and self._equal[0][0] in INDEXED and others == (None,) * 4

    @property
    def conditions(self) -> Mapping[str, object]:
        """The given conditions by name."""
        names = (field.name for field in fields(self) if field.init)
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    @property
    def document(self) -> Mapping[str, object]:
        """The given conditions as the control API takes them."""
        times = {"since": self.since, "until": self.until}
        written = {name: format_timestamp(value) for name, value in times.items() if value is not None}
        return {**self.conditions, **written}

    def matches(self, entry: Entry) -> bool:
        """Return whether an entry meets every condition."""
        if any(getattr(entry, name) != value for name, value in self._equal):
            return False
        if self.reason is not None and code_of(entry.reason) != self.reason:
            return False
        if self.since is not None and entry.received_at < self.since:
            return False
        if self.until is not None and entry.received_at > self.until:
            return False
        return self._query is None or selects(self._query, entry.json)


def code_of(reason: str | None) -> str:
    """Return the code of a reason: ``token_expired`` of ``token_expired: 12 s ago``; empty where there is none."""
    return (reason or "").partition(":")[0]


EVERY_ENTRY: Final = EntryFilter()
"""The filter without conditions."""

CURSOR: Final = "([0-9a-z]+-)?[0-9]{1,19}"
"""The pattern of a cursor: the seq of an entry or its id."""


def parse_cursor(value: object) -> int:
    """Read the ``after`` cursor: a sequence number or an entry's id."""
    if not re.fullmatch(CURSOR, str(value)):
        raise InvalidValueError("after", value, "the seq or id of an entry")
    return int(str(value).rpartition("-")[2])
