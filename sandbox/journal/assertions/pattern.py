"""A pattern: conditions on an entry, each of which can explain why it does not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from numbers import Number
from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import replace as replace_fields
from typing_extensions import TypedDict

from sandbox.foundation.errors import InvalidValueError, did_you_mean
from sandbox.foundation.json_path import Query, compile_json_path, select
from sandbox.foundation.json_value import MEANT, equal, first_unequalled
from sandbox.foundation.strict_json import NotJsonError, parse_json, write_json
from sandbox.journal.assertions.difference import Difference, contains, differences, leaves, show
from sandbox.journal.entry import OUTCOMES, Entry
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.journal.reasons import REASONS
from sandbox.journal.redaction import is_redacted_from, redact_body, redact_header, redact_value

MAX_COMPARED: Final = 512 * 1024
"""Bytes of a body beyond which a difference has no place."""


class PatternFields(TypedDict, total=False):
    """The conditions of a ``Pattern`` as keyword arguments."""

    json: Any
    json_contains: Any
    json_path: str | Mapping[str, Any]
    text: Any
    headers: Mapping[str, Any]
    method: str
    client_id: str
    status: int
    outcome: str
    reason: str
    fault: str


_PLAIN: Final = ("method", "client_id", "status", "outcome", "fault")
"""Conditions on an attribute of the same name."""

_OF_JSON: Final = ("json", "json_contains")
_KINDS: Final[Mapping[str, tuple[Any, str]]] = {
    "json_path": ((str, Mapping), "an RFC 9535 JSONPath, or an object of those and the values that they select"),
    "headers": (Mapping, "an object of names and values"),
    "method": (str, "a method as text"),
    "client_id": (str, "an id as text"),
    "status": (int, "a whole number from 0 to 599"),
    "outcome": (str, f"an outcome: {', '.join(OUTCOMES)}"),
    "reason": (str, "a reason as text"),
    "fault": (str, "the name of a rule as text"),
}
"""The type of each condition that has one, and the words for it."""

_NAME: Final = re.compile(r"[\w$-]+")
_REASONS: Final = (*REASONS, "fault")
_ABOUT_THE_ANSWER: Final = ("status", "outcome", "reason", "fault")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Conditions on an entry; those left out always hold.

    - ``json``: the body is this JSON. Numbers are equal by value; of a repeated key the last counts.
    - ``json_contains``: the body holds this, and may hold more: objects more keys, lists more items in any order.
      Each expected item needs an item of its own.
    - ``json_path``: an RFC 9535 query that selects something, or queries with the value one selected node must equal.
    - ``text``: the body is this text.
    - ``headers``: each is there with this value (``None``: is not there); names know no case. Credentials may be given
      as they were sent, although the journal has only their fingerprints.
    - ``method``, ``client_id``, ``status``, ``outcome``, ``fault``: are equal.
    - ``reason``: is this, or begins with it: ``token_expired``.

    In place of a value of ``json``, ``json_contains``, ``json_path``, ``text`` and ``headers``, at any depth, may stand
    a compiled regular expression, which must be found in a text; a function, which gets the value and returns whether
    it is good; and any object whose ``==`` decides, such as ``unittest.mock.ANY``.
    """

    json: Any = UNSET  # None is JSON's null
    json_contains: Any = UNSET
    json_path: str | Mapping[str, Any] | None = None
    text: Any = None
    headers: Mapping[str, Any] | None = None
    method: str | None = None
    client_id: str | None = None
    status: int | None = None
    outcome: str | None = None
    reason: str | None = None
    fault: str | None = None
    _queries: tuple[tuple[str, Query, Any], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._check()
        paths = {self.json_path: UNSET} if isinstance(self.json_path, str) else dict(self.json_path or {})
        queries = tuple((path, compile_json_path(path), wanted) for path, wanted in paths.items())
        object.__setattr__(self, "_queries", queries)
        if self.outcome not in (None, *OUTCOMES):
            raise InvalidValueError("outcome", self.outcome, f"an outcome; {did_you_mean(self.outcome, OUTCOMES)}")
        if self.reason is not None:
            code = str(self.reason).partition(":")[0]
            if not any(known.startswith(code) for known in _REASONS):
                raise InvalidValueError(
                    "reason", self.reason, f"a reason, or its beginning; {did_you_mean(code, _REASONS)}"
                )

    def _check(self) -> None:
        """Raise ``InvalidValueError`` for a condition that no entry can meet. It has no header and no payload."""
        for name, (kind, allowed) in _KINDS.items():
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
                raise InvalidValueError(name, type(value) if name == "headers" else value, allowed)
        if self.status is not None and not 0 <= self.status <= 599:
            raise InvalidValueError("status", self.status, _KINDS["status"][1])
        if self.method is not None and self.method != self.method.upper():
            raise InvalidValueError("method", self.method, f"a method as clients send it: {self.method.upper()}")
        paths = self.json_path if isinstance(self.json_path, Mapping) else {}
        for name, value in {"json": self.json, "json_contains": self.json_contains, **paths}.items():
            if value is not UNSET and (found := first_unequalled(value, name)):
                raise InvalidValueError(*found, MEANT)
        for name, value in {"text": self.text, **(self.headers or {})}.items():
            if not isinstance(name, str) or name.strip(" \t:") != name:
                raise InvalidValueError("headers", name, "names of header fields, without a colon")
            if isinstance(value, (Number, Mapping, list, tuple)) or first_unequalled(value, name):
                raise InvalidValueError(name, type(value), f"text; or {MEANT.partition(', ')[2]}")

    @property
    def is_about_the_answer(self) -> bool:
        """Whether a condition is about the answer to the request."""
        return any(getattr(self, name) is not None for name in _ABOUT_THE_ANSWER)

    @property
    def conditions(self) -> Mapping[str, Any]:
        """The given conditions by name."""
        values = ((known.name, getattr(self, known.name)) for known in fields(self) if known.init)
        return {name: value for name, value in values if value is not UNSET and (value is not None or name in _OF_JSON)}

    def matches(self, entry: Entry) -> bool:
        """Return whether every condition holds."""
        return not self._unequal(entry) and next(self._differences(entry, exact=False), None) is None

    def differences(self, entry: Entry) -> list[Difference]:
        """Return why an entry does not match; an empty list when it does."""
        plain = [
            Difference(name, f"expected {show(getattr(self, name))}, got {show(getattr(entry, name))}")
            for name in self._unequal(entry)
        ]
        return [*plain, *self._differences(entry, exact=True)]

    def describe(self) -> list[str]:
        """Return the conditions, one a line."""
        return [f"{name}: {show(value, 300)}" for name, value in self.conditions.items()]

    def without_secrets(self, secrets: KnownSecrets) -> Pattern:
        """Return the pattern as a report may show it, which matches entries ``without_secrets``."""
        given = {name: redact_value(value, secrets) for name, value in self.conditions.items()}
        if self.headers is not None:
            given["headers"] = {name: _redacted(name, wanted, secrets) for name, wanted in self.headers.items()}
        if isinstance(self.json_path, Mapping):
            given["json_path"] = {
                redact_value(path, secrets): redact_value(wanted, secrets, name=_NAME.findall(path)[-1])
                for path, wanted in self.json_path.items()
            }
        return replace(self, **given)

    # --- one kind of condition after the other ----------------------------------------------------------------------

    def _unequal(self, entry: Entry) -> list[str]:
        return [name for name in _PLAIN if getattr(self, name) not in (None, getattr(entry, name))]

    def _differences(self, entry: Entry, *, exact: bool) -> Iterator[Difference]:
        """Yield why an entry does not match; without ``exact`` the caller only needs to know whether it does."""
        if self.reason is not None and (entry.reason is None or not entry.reason.startswith(self.reason)):
            yield Difference("reason", f"expected {show(self.reason)}, got {show(entry.reason)}")
        if self.headers is not None:
            yield from self._of_headers(entry)
        if self.text is not None and not equal(self.text, entry.text):
            got = "a body that is no UTF-8" if entry.text is None else None
            yield Difference("text", f"expected {show(self.text)}, got {got or show(entry.text)}")
        if self.json is not UNSET or self.json_contains is not UNSET or self.json_path is not None:
            yield from self._of_json(entry, exact=exact)

    def _of_headers(self, entry: Entry) -> Iterator[Difference]:
        assert self.headers is not None
        for name, wanted in self.headers.items():
            given = [value for key, value in entry.headers if key.lower() == name.lower()]
            place = f"headers.{name}"
            if wanted is None:
                if given:
                    yield Difference(place, f"expected none, got {show(given[-1])}")
            elif not given:
                yield Difference(place, f"missing, expected {show(wanted)}")
            elif not any(
                is_redacted_from(value, name, wanted) if isinstance(wanted, str) else equal(wanted, value)
                for value in given
            ):
                yield Difference(place, f"expected {show(wanted)}, got {show(given[-1])}")

    def _of_json(self, entry: Entry, *, exact: bool) -> Iterator[Difference]:
        expected = [value for value in (self.json, self.json_contains) if value is not UNSET]
        try:
            document = parse_json(entry.body)
        except NotJsonError as error:
            got = "it is empty" if not entry.body else f"{show(entry.text or entry.body, 80)} ({error})"
            yield Difference("body", f"expected JSON, got {got}", max([1, *map(leaves, expected)]))
            return
        if not exact or len(entry.body) > MAX_COMPARED:
            same = (self.json is UNSET or equal(self.json, document)) and (
                self.json_contains is UNSET or contains(self.json_contains, document)
            )
            if not same:
                yield Difference("$", f"differs; {len(entry.body)} bytes are too many to say where", 1_000)
                return
        else:
            if self.json is not UNSET:
                yield from differences(self.json, document)
            if self.json_contains is not UNSET:
                yield from differences(self.json_contains, document, subset=True)
        for path, query, wanted in self._queries:
            yield from _of_path(path, select(query, document), wanted)


def without_secrets(entry: Entry, secrets: KnownSecrets) -> Entry:
    """Return an entry as a report may show it: its payload, which the journal keeps byte for byte, redacted too."""
    try:
        document = parse_json(entry.body)
    except NotJsonError:
        return replace_fields(entry, body=redact_body(entry.body, secrets))
    redacted = redact_value(document, secrets)
    return entry if redacted == document else replace_fields(entry, body=write_json(redacted).encode())


def _of_path(path: str, selected: list[Any], wanted: Any) -> Iterator[Difference]:
    if not selected:
        yield Difference(path, "selects nothing" if wanted is UNSET else f"selects nothing, expected {show(wanted)}")
    elif wanted is UNSET or any(equal(wanted, value) for value in selected):
        return
    elif len(selected) == 1:
        yield from differences(wanted, selected[0], path=path)
    else:
        yield Difference(path, f"expected {show(wanted)} among {show(selected)}")


def _redacted(name: str, wanted: Any, secrets: KnownSecrets) -> Any:
    """Return the wanted value of a header as a report may show it."""
    is_text = isinstance(wanted, str) and wanted
    return redact_header((name, wanted), secrets)[1] if is_text else redact_value(wanted, secrets)
