"""One request, opened: everything the journal knows of it, cut to what a page can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.journal import Entry, Headers
from sandbox.web.dashboard.formats import pretty
from sandbox.web.dashboard.token_life import TokenLife

SHOWN: Final = 48 * 1024
"""Characters of a body that are shown unless all of it is asked for."""

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
    """What the page of a request shows."""

    entry: Entry
    explanation: str
    client_name: str | None
    life: TokenLife | None
    curl: str
    pretty: Text | None
    raw: Text | None
    dump: str | None
    answer: Text
    headers: Headers
    response_headers: Headers


def opened(
    entry: Entry, *, explanation: str, client_name: str | None, life: TokenLife | None, curl: str, whole: bool
) -> Opened:
    """Return what to show of an entry; ``whole`` shows bodies to their end."""
    text = entry.text
    return Opened(
        entry=entry,
        explanation=explanation,
        client_name=client_name,
        life=life,
        curl=curl,
        pretty=_formatted(entry.body, whole=whole),
        raw=None if text is None else _cut(text, whole=whole),
        dump=_hex_dump(entry.body) if text is None else None,
        answer=_formatted(entry.response_body, whole=whole)
        or _cut(entry.response_body.decode("utf-8", "replace"), whole=whole),
        headers=entry.headers,
        response_headers=entry.response_headers,
    )


def _formatted(body: bytes, *, whole: bool) -> Text | None:
    try:
        value = parse_json(body)
    except NotJsonError:
        return None
    return _cut(pretty(value), whole=whole) if isinstance(value, (dict, list)) else None


def _cut(text: str, *, whole: bool) -> Text:
    return Text(text if whole else text[:SHOWN], len(text))


def _hex_dump(body: bytes) -> str:
    """Return the first bytes of a body that is not text, as hex and as ASCII where that is printable."""
    lines = []
    for offset in range(0, min(len(body), _DUMPED), _ROW):
        row = body[offset : offset + _ROW]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{offset:06x}  {row.hex(' '):<{_ROW * 3}} {letters}")
    return "\n".join(lines)
