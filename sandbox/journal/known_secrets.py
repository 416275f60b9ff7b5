"""The client secrets that the sandbox has issued, as far as they are needed to find them in a text again.

Redaction by names and shapes misses a secret in an unexpected place. ``KnownSecrets`` finds each issued secret and each
access token in any text: plain, percent-encoded, escaped as in JSON or HTML, in UTF-16, in base64, in hexadecimal,
quoted-printable, wrapped over lines, and several of these within each other.
It does not keep a secret. It keeps the last four characters, which the control API shows too, and a function that
compares a text with a salted hash.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from sandbox.foundation.rng import SECRET_LENGTH, Rng
from sandbox.journal.encodings import ESCAPES, LEGIBLE, LINES, LONG_WORD, MARKED, WORD, decode, encoded_words, unwrapped

Recognises: TypeAlias = Callable[[str], bool]
"""Returns whether a text is the secret."""

TOKEN: Final = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){1,2}", re.ASCII)
"""A JSON Web Token, whole or cut."""

MAX_KNOWN: Final = 10_000
"""Secrets that are known; beyond it the oldest is forgotten."""

_END: Final = 4
"""Characters at the end of a secret that are kept."""

_LENGTHS: Final = (SECRET_LENGTH, *(length for length in range(8, 256) if length != SECRET_LENGTH))
"""The lengths that a secret may have, the usual one first."""

_MAX_CLEAN: Final = 4_096
_LONG: Final = 128
_LEVELS: Final = 3
"""Encodings within each other that are undone."""


class Found(NamedTuple):
    """The place of a secret in a text; ``said`` is the secret, or the encoded word that holds it."""

    start: int
    end: int
    said: str


@dataclass(frozen=True, slots=True)
class _Known:
    recognises: Recognises
    lengths: Sequence[int]


def fingerprint(secret: str) -> str:
    """Return the first 12 hex digits of a secret's SHA-256, which lists and the journal show in its place."""
    return fingerprint_of(digest_of(secret))


def digest_of(secret: str) -> bytes:
    """Return the SHA-256 of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "backslashreplace")).digest()


def fingerprint_of(digest: bytes) -> str:
    """Return the fingerprint of the secret with this SHA-256."""
    return f"sha256:{digest[:6].hex()}"


class KnownSecrets:
    """The issued secrets of a sandbox, also those of deleted clients; safe to use from several threads."""

    def __init__(self) -> None:
        self._key = Rng().bytes(16)
        self._lock = threading.Lock()
        self._by_end: dict[str, dict[object, _Known]] = {}
        self._ends: dict[object, str] = {}  # by key, oldest first
        self._clean: set[object] = set()
        self._encoded = LEGIBLE
        """The words that are decoded: all of them once a secret is not ASCII."""
        self.added = 0
        """How many secrets were added, also those that are forgotten."""

    def add(self, key: object, end: str, recognises: Recognises, length: int | None = None) -> None:
        """Add a secret by its last four characters; a ``key`` that is known already is ignored.

        ``length`` in characters is ``None`` where it is not known. That makes the search slower.
        """
        if len(end) != _END:
            return
        with self._lock:
            if key in self._ends:
                return
            self._ends[key] = end
            alike = self._by_end.get(end, {})
            self._by_end[end] = {**alike, key: _Known(recognises, (length,) if length else _LENGTHS)}
            if len(self._ends) > MAX_KNOWN:
                self._forget(next(iter(self._ends)))
            self._clean = set()
            self.added += 1

    def note(self, secret: str) -> None:
        """Add a secret; only a digest of it is kept, under a key of this object."""

        def digest(text: str) -> bytes:
            return hashlib.blake2s(text.encode("utf-8", "surrogatepass"), key=self._key).digest()

        if not secret.isascii():
            self._encoded = WORD
        for spelt in _spellings(secret):
            own = digest(spelt)
            self.add(own, spelt[-_END:], lambda text, own=own: digest(text) == own, len(spelt))  # type: ignore[misc]

    def _forget(self, key: object) -> None:
        end = self._ends.pop(key)
        alike = {other: known for other, known in self._by_end[end].items() if other != key}
        self._by_end = {name: alike if name == end else each for name, each in self._by_end.items()}

    # --- values that redaction leaves as they are -------------------------------------------------------------------

    def is_clean(self, value: object) -> bool:
        """Return whether redaction noted a value as clean since the last secret was added."""
        return value in self._clean

    def note_clean(self, value: object, size: int, *, longest: int = _LONG) -> None:
        """Note that redaction leaves a value as it is, such as a header; ``size`` is its length. Long ones are not."""
        if size <= longest:
            if len(self._clean) >= _MAX_CLEAN:
                self._clean = set()
            self._clean.add(value)

    def keys_of(self, text: str) -> Sequence[object]:
        """Return the keys of a text that is a secret as a whole; those with its last four characters are compared."""
        return [key for key, known in self._by_end.get(text[-_END:], {}).items() if known.recognises(text)]

    # --- searching --------------------------------------------------------------------------------------------------

    def redact(self, text: str) -> str:
        """Return a text with a fingerprint in place of each issued secret and each token, however it is encoded."""
        found = self.find(text)
        if not found:
            return text
        done: list[str] = []
        position = 0
        for start, end, said in found:
            done += text[position:start], fingerprint(said)
            position = end
        return "".join((*done, text[position:]))

    def find(self, text: str) -> list[Found]:
        """Return the places of secrets in a text, in order; places that overlap are one."""
        merged: list[Found] = []
        for place in sorted(self._places(text, _LEVELS, {text})):
            if not merged or place.start >= merged[-1].end:
                merged.append(place)
                continue
            last = merged[-1]
            said = max(last, place, key=lambda each: each.end - each.start).said
            merged[-1] = Found(last.start, max(last.end, place.end), said)
        return merged

    def _places(self, text: str, levels: int, seen: set[str], words: int = _LEVELS) -> Iterator[Found]:
        """Yield the places in a text. ``seen`` are the texts that were searched already, the same secrets in them.

        ``words`` is how many words within each other are decoded.
        """
        yield from self._plain(text)
        if "eyJ" in text:
            yield from (Found(match.start(), match.end(), match[0]) for match in TOKEN.finditer(text))
        if words:
            yield from self._encoded_words(text, words - 1)
        if not levels:
            return
        if MARKED.search(text):
            yield from self._decoded_places(text, ESCAPES, levels - 1, seen, words)
        if words == _LEVELS:  # not within a word
            yield from self._decoded_places(text, LINES, 0, seen, words)

    def _decoded_places(
        self, text: str, escapes: Sequence[re.Pattern[str]], levels: int, seen: set[str], words: int
    ) -> Iterator[Found]:
        for escape in escapes:
            decoded = decode(text, escape)
            if decoded is not None and decoded.text not in seen:
                seen.add(decoded.text)
                for start, end, said in self._places(decoded.text, levels, seen, words):
                    yield Found(decoded.source(start), decoded.source_end(end), said)

    def _plain(self, text: str) -> Iterator[Found]:
        by_end = self._by_end
        for tail in _common(by_end, text):
            stop = text.find(tail) + _END
            while stop >= _END:
                for known in by_end[tail].values():
                    for length in known.lengths:
                        if length <= stop and known.recognises(text[stop - length : stop]):
                            yield Found(stop - length, stop, text[stop - length : stop])
                stop = text.find(tail, stop - _END + 1) + _END

    def _encoded_words(self, text: str, words: int) -> Iterator[Found]:
        for match in encoded_words(text, self._encoded):
            word = match[0].lstrip("/")
            levels, inside = (1, words) if len(word) <= LONG_WORD else (0, 0)
            if any(any(self._places(inner, levels, {inner}, inside)) for inner in unwrapped(word, self._encoded)):
                yield Found(match.end() - len(word), match.end(), word)


def _spellings(secret: str) -> set[str]:
    """Return the texts that stand for a secret: its bytes as a header or base64 has them, and its units of UTF-16."""
    units = secret.encode("utf-16-be", "surrogatepass")
    pairs = "".join(chr(int.from_bytes(units[at : at + 2], "big")) for at in range(0, len(units), 2))
    return {secret, secret.encode("utf-8", "surrogatepass").decode("latin-1"), pairs}


def _common(ends: Mapping[str, object], text: str) -> list[str]:
    """Return the ends that a text holds."""
    if len(ends) <= len(text):
        return [end for end in tuple(ends) if end in text]  # a copy: another thread may add one
    return [*({text[at : at + _END] for at in range(len(text) - _END + 1)} & ends.keys())]
