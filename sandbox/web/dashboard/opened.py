"""The pane of one request: its explanation, token, bodies (cut to a length that a page can show) and curl command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sandbox.foundation.json_value import equal
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.endpoint import ISSUERS, PAYLOADS
from sandbox.journal.entry import Entry
from sandbox.journal.export.curl import curl
from sandbox.journal.reasons import explain
from sandbox.platform.platform import Platform
from sandbox.web.dashboard.formats import pretty
from sandbox.web.dashboard.token_life import TokenLife, token_of

SHOWN: Final = 48 * 1024
"""Characters of a body that are shown unless the page asks for all of it."""

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
class Opened:
    """The parts of the pane."""

    entry: Entry
    explanation: str
    errors: list[tuple[str, str]]
    """The fields that the answer complains of, each with a message."""
    client_name: str | None
    life: TokenLife | None
    curl: str
    pretty: Text | None
    stored: Text | None
    """An accepted payload as the platform probably stores it, where that is not what came."""
    raw: Text | None
    dump: str | None
    answer: Text

    @property
    def is_issue(self) -> bool:
        """Whether the request was answered with the access token."""
        return self.entry.kind in ISSUERS


def opened(entry: Entry, platform: Platform, base_url: str, *, whole: bool) -> Opened:
    """Return the pane of an entry; with ``whole`` bodies are shown to their end."""
    text = entry.text
    client = platform.store.find_client(entry.client_id or "")
    return Opened(
        entry=entry,
        explanation=explain(entry),
        errors=_errors(entry),
        client_name=client.name if client else None,
        life=token_of(platform, entry),
        curl=curl(entry, base_url),
        pretty=_formatted(entry.body, whole=whole),
        stored=_stored(entry, whole=whole),
        raw=None if text is None else _cut(text, whole=whole),
        dump=_hex_dump(entry.body) if text is None else None,
        answer=_formatted(entry.response_body, whole=whole)
        or _cut(entry.response_body.decode("utf-8", "replace"), whole=whole),
    )


def _errors(entry: Entry) -> list[tuple[str, str]]:
    """Return the fields and messages in the ``errors`` of an answer, a few hundred at most; the reason has one only."""
    try:
        answer = parse_json(entry.response_body)
    except NotJsonError:
        return []
    errors = answer.get("errors") if isinstance(answer, dict) else None
    if not isinstance(errors, dict):
        return []
    return [(name, " ".join(map(str, said)) if isinstance(said, list) else str(said)) for name, said in errors.items()]


def _formatted(body: bytes, *, whole: bool) -> Text | None:
    try:
        value = parse_json(body, in_doubles=True)
    except NotJsonError:
        return None
    return _cut(pretty(value), whole=whole) if isinstance(value, (dict, list)) else None


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
