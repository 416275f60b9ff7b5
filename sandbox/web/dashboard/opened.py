"""One request in full: its explanation, wrong fields, token, bodies (cut to a length that a page can show) and code.

Beside another one it has the places where they differ, as an assertion says it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sandbox.foundation.json_value import equal
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.assertions.difference import Difference, differences, show
from sandbox.journal.endpoint_kind import ISSUERS, PAYLOADS
from sandbox.journal.entry import Entry
from sandbox.journal.export.code import Snippet, snippets
from sandbox.journal.export.curl import MAX_INLINE
from sandbox.journal.filter import EntryFilter
from sandbox.journal.journal import Journal
from sandbox.journal.reasons import explain
from sandbox.web.dashboard.formats import pretty
from sandbox.web.dashboard.token_life import TokenLife
from sandbox.web.dashboard.tree import Tree, tree_of

SHOWN: Final = 48 * 1024
"""Characters of a body that are shown unless the page asks for all of it."""

MAX_EDITED: Final = 200_000
"""Characters of a body that a form may change."""

MAX_WRONG: Final = 100
"""Wrong fields that are shown."""

_SAID: Final = 3
"""Missing fields of which a line says more than their names."""

_NAMED: Final = 10
"""Missing fields that a line names."""

_ROW: Final = 16
_DUMPED: Final = 64 * _ROW


@dataclass(frozen=True, slots=True)
class Text:
    """A body as text: shown to a limit, with its whole length in characters."""

    shown: str
    length: int

    @property
    def is_cut(self) -> bool:
        """Whether there is more."""
        return len(self.shown) < self.length


@dataclass(frozen=True, slots=True)
class Wrong:
    """A field that the answer complains of; ``line`` is its line in the tree of the payload, if that is one."""

    field: str
    message: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Opened:
    """The parts of a request in full."""

    id: str
    """The id of its element."""
    entry: Entry
    explanation: str
    wrong: list[Wrong]
    client_name: str | None
    life: TokenLife | None
    code: list[Snippet]
    tree: Tree | None
    stored: Text | None
    """An accepted payload as the platform probably stores it, where that is not what came."""
    raw: Text | None
    dump: str | None
    answer: Text
    answer_tree: Tree | None

    @property
    def is_issue(self) -> bool:
        """Whether the request was answered with the access token."""
        return self.entry.kind in ISSUERS

    @property
    def is_editable(self) -> bool:
        """Whether the body is a text of a size that a form takes."""
        return self.raw is not None and self.raw.length <= MAX_EDITED

    @property
    def is_body_apart(self) -> bool:
        """Whether the code reads the body from a file."""
        return len(self.entry.body) > MAX_INLINE

    @property
    def parts(self) -> list[tuple[str, str]]:
        """Key and title of the parts, in their order: the answer is the first where it is not 2xx."""
        request, answer, code = ("request", "Request"), ("answer", "Answer"), ("code", "As code")
        parts = [request, answer] if 200 <= self.entry.status < 300 else [answer, request]
        return [*parts, code] if self.code else parts

    @property
    def marked(self) -> dict[int, str]:
        """The notes on wrong fields by line; the line that holds the place of a missing field names it."""
        notes: dict[int, list[str]] = {}
        missing: dict[int, list[tuple[str, str]]] = {}
        for wrong in self.wrong:
            if self.tree is None or wrong.line is None:
                continue
            if rest := self.tree.find(wrong.field)[1]:
                missing.setdefault(wrong.line, []).append((rest, wrong.message))
            else:
                notes.setdefault(wrong.line, []).append(wrong.message)
        for line, found in missing.items():
            said = [f"{name}: {message}" for name, message in found]
            if len(found) > _SAID:
                more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
                said = [f"not here: {', '.join(name for name, _ in found[:_NAMED])}{more}"]
            notes.setdefault(line, []).extend(said)
        return {line: "; ".join(each) for line, each in notes.items()}


def opened(
    entry: Entry, base_url: str, *, whole: bool = False, client_name: str | None = None, life: TokenLife | None = None
) -> Opened:
    """Return a request in full; with ``whole`` bodies are shown to their end."""
    text = entry.text
    tree, answer = _tree(entry.body, whole=whole), entry.response_body
    return Opened(
        id=f"e{entry.seq}",
        entry=entry,
        explanation=explain(entry),
        wrong=_wrong(entry, tree),
        client_name=client_name,
        life=life,
        code=snippets(entry, base_url),
        tree=tree,
        stored=_stored(entry, whole=whole),
        raw=None if text is None else _cut(text, whole=whole),
        dump=_hex_dump(entry.body) if text is None else None,
        answer=_cut(answer.decode("utf-8", "replace"), whole=whole),
        answer_tree=_tree(answer, whole=whole),
    )


def _wrong(entry: Entry, tree: Tree | None) -> list[Wrong]:
    """Return the fields and messages in the ``errors`` of an answer; the reason has one only."""
    try:
        answer = parse_json(entry.response_body)
    except NotJsonError:
        return []
    errors = answer.get("errors") if isinstance(answer, dict) else None
    named = errors.items() if isinstance(errors, dict) else ()
    return [
        Wrong(
            name,
            " ".join(map(str, said)) if isinstance(said, list) else str(said),
            None if tree is None else tree.line_of(name),
        )
        for name, said in islice(named, MAX_WRONG)
    ]


def _tree(body: bytes, *, whole: bool) -> Tree | None:
    try:
        value = parse_json(body, in_doubles=True)
    except NotJsonError:
        return None
    return tree_of(value, whole=whole) if isinstance(value, (dict, list)) else None


def _stored(entry: Entry, *, whole: bool) -> Text | None:
    if entry.kind not in PAYLOADS or not entry.accepted:
        return None
    stored = entry.as_stored
    return None if equal(entry.json, stored) else _cut(pretty(stored), whole=whole)


def _cut(text: str, *, whole: bool) -> Text:
    return Text(text if whole else text[:SHOWN], len(text))


def _hex_dump(body: bytes) -> str:
    """Return the first bytes of a body that is not text, in hex and in printable ASCII."""
    lines = []
    for offset in range(0, min(len(body), _DUMPED), _ROW):
        row = body[offset : offset + _ROW]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{offset:06x}  {row.hex(' '):<{_ROW * 3}} {letters}")
    return "\n".join(lines)


# --- beside another request -------------------------------------------------------------------------------------------

MAX_COMPARED: Final = 256 * 1024
"""Bytes of the larger of two bodies that are compared place by place."""

_MOST: Final = 100
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
    more = sum(max(0, len(found) - _MOST) for found in bodies.values())
    return Comparison(other, {"Request": facts, **{name: found[:_MOST] for name, found in bodies.items()}}, more)


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
