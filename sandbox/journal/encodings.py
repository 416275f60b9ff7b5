"""The encodings in which a text may hold another: escapes, quoted-printable, wrapped lines, base64, hexadecimal."""

from __future__ import annotations

import binascii
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from html import unescape
from typing import Final, NamedTuple

_SIMPLE: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
ESCAPES: Final = tuple(
    re.compile(pattern, re.ASCII | re.IGNORECASE)
    for pattern in (
        r"%(?:(?P<code>[0-9a-f]{2})|u(?P<unit>[0-9a-f]{4}))",
        r"[%+](?:(?<=%)(?:(?P<code>[0-9a-f]{2})|u(?P<unit>[0-9a-f]{4}))|(?P<plus>(?<=\+)))",  # as in a form
        r"""\\(?:x(?P<code>[0-9a-f]{2})|u(?P<unit>[0-9a-f]{4})|(?P<simple>[/"'\\bfnrt]))""",  # as in JSON
        r"(?P<entity>&(?:\#[0-9]{1,9}|\#x[0-9a-f]{1,9}|[a-z]{2,20}(?=;));?)",
        r"\0",  # UTF-16
    )
)
"""The ways to write a character otherwise. Each is undone alone: the other marks may be part of the secret.

A pattern that begins with a set of characters is found several times as fast as one of two alternatives.
"""
LINES: Final = (
    re.compile(r"=(?:(?P<code>[0-9A-F]{2})|\r?\n)"),
    re.compile(r"[\s:](?:(?<=\s)\s*|(?<=[0-9A-Fa-f]{2}:)(?=[0-9A-Fa-f]{2}))"),
)
"""Quoted-printable, and what wraps a text over lines or splits hexadecimal. These are undone last."""
MARKED: Final = re.compile(r"[%+\\&\0]")
"""How an escape begins."""

WORD: Final = re.compile(r"[A-Za-z0-9+/_-]{11,}={0,2}")
"""A word that may be base64 or hexadecimal; shorter ones cannot hold a secret of 8 characters."""

LONG_WORD: Final = 65_536
"""Characters of a word beyond which nothing else is decoded in it: its bytes are those of a file."""

_HEX: Final = re.compile(r"[0-9A-Fa-f]{16,}")
LEGIBLE: Final = re.compile(
    r"""(?:[I-Za-f][C-HS-Xi-nyz0-3][ABEFIJMNQRUVYZcdghklopstwx014589][\w+/-]){2}  # base64 of ASCII
    |[I-Za-f][AQgw][AB][\w+/-]A[C-H][AEIMQUYcgkosw048]A|A[C-H][AEIMQUYcgkosw048]A[I-Za-f][AQgw][AB]  # of UTF-16
    |(?:[2-7][0-9A-Fa-f]){8}""",
    re.ASCII | re.VERBOSE,
)
"""The part of a word that may be encoded text. Words without it are not decoded, and most words have none."""
_LEGIBLE_LENGTH: Final = 16
"""Characters of the longest such part."""

_GAP: Final = re.compile(r"[^A-Za-z0-9+/_=-]")
SLICE: Final = 65_536
"""Characters that one search looks through while no other thread can run: about a millisecond."""
_URL_SAFE: Final = str.maketrans("-_", "+/")


def encoded_words(text: str, encoded: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Yield the words that may be encoded, slice by slice: no other thread runs during a search.

    ``encoded`` is the part that such a word has; a short text without one has no such word.
    """
    if len(text) <= SLICE and not encoded.search(text):
        return
    start = 0
    while start < len(text):
        gap = _GAP.search(text, start + SLICE) if len(text) > start + SLICE else None
        end = len(text) if gap is None else gap.start()
        yield from WORD.finditer(text, start, end)
        start = end


def _occurs(encoded: re.Pattern[str], word: str) -> bool:
    if len(word) <= SLICE:
        return encoded.search(word) is not None
    return any(encoded.search(word, at, at + SLICE) for at in range(0, len(word), SLICE - _LEGIBLE_LENGTH))


def unwrapped(word: str, encoded: re.Pattern[str]) -> Iterator[str]:
    """Yield the texts that a word may stand for: base64 from each of its first four characters on, hexadecimal."""
    if not _occurs(encoded, word):
        return
    digits = word.rstrip("=").translate(_URL_SAFE)
    for begin in range(4):
        part = digits[begin:]
        yield binascii.a2b_base64(part[: -1 if len(part) % 4 == 1 else None] + "==").decode("latin-1")
    for match in _HEX.finditer(word):
        for begin in range(2):
            part = match[0][begin:]
            yield bytes.fromhex(part[: -1 if len(part) % 2 else None]).decode("latin-1")


class Decoded(NamedTuple):
    """A text without its escapes, and the places that its pieces have in it and in the source."""

    text: str
    starts: list[int]
    sources: list[int]

    def source(self, position: int) -> int:
        """Return the place in the source of the character at a place in the text."""
        piece = bisect_right(self.starts, position) - 1
        return self.sources[piece] + position - self.starts[piece]

    def source_end(self, position: int) -> int:
        """Return the place in the source behind the character before a place in the text."""
        piece = bisect_left(self.starts, position) - 1
        if piece % 2:  # an escape
            return self.sources[piece + 1]
        return self.sources[piece] + position - self.starts[piece]


def decode(text: str, escape: re.Pattern[str]) -> Decoded | None:
    """Return a text without the escapes of one kind; ``None`` where it has none."""
    parts: list[str] = []
    starts, sources = [0], [0]
    position = length = 0
    for match in escape.finditer(text):
        literal, char = text[position : match.start()], _char(match)
        parts += literal, char
        starts += length + len(literal), length + len(literal) + len(char)
        position = match.end()
        sources += match.start(), position
        length = starts[-1]
    return Decoded("".join((*parts, text[position:])), starts, sources) if parts else None


def _char(match: re.Match[str]) -> str:
    group = match.lastgroup
    if group is None:
        return ""
    said = match[group]
    match group:
        case "code" | "unit":
            return chr(int(said, 16))
        case "entity":
            return unescape(said)
        case "plus":
            return " "
        case _:
            return _SIMPLE.get(said, said)
