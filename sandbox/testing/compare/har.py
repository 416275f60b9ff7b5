"""HAR files in, entry by entry: those of browsers and proxies, and the export of the journal.

A file is read in one piece and kept as bytes. One entry at a time is parsed, so a file of many pages and pictures takes
little more memory than its own size.
"""

from __future__ import annotations

import codecs
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Raw, Struct

from sandbox.foundation.errors import DocumentError

MAX_BYTES: Final = 256 * 1024 * 1024
"""Size of the largest file that is read."""

MAX_BODY: Final = 64 * 1024 * 1024
"""Bytes of a body, unpacked."""

_BOM: Final = b"\xef\xbb\xbf"
_PACKED: Final = re.compile(rb"\x1f\x8b|\x78[\x01\x5e\x9c\xda]")
"""The beginnings of gzip and of zlib, which is called ``deflate``."""

_SURROGATES: Final = re.compile(
    rb"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""A pair of surrogates, or one of a pair; an even number of backslashes stands before it."""


class _Request(Struct):
    method: str
    url: str


class _Entry(Struct):
    request: _Request


class _Log(Struct):
    log: dict[str, Raw]


@dataclass(frozen=True, slots=True)
class Har:
    """A HAR file: its entries, not parsed yet, and the other members of its log."""

    name: str
    entries: tuple[Raw, ...]
    others: dict[str, Any]

    def addresses(self) -> list[tuple[Raw, SplitResult] | None]:
        """Return each entry with its URL; ``None`` for one without method and URL."""
        return list(map(_address, self.entries))


def _address(entry: Raw) -> tuple[Raw, SplitResult] | None:
    try:
        parts = urlsplit(_ADDRESS.decode(entry).request.url)
        parts.port  # noqa: B018 - raises ValueError
    except ValueError:
        return None
    return entry, parts


_ADDRESS: Final = msgspec.json.Decoder(_Entry)


def read_har(path: str | Path) -> Har:
    """Return a HAR file. Raise ``DocumentError`` where it cannot be read, is too large, is cut off or is no HAR."""
    name = str(path)
    try:
        if (size := Path(path).stat().st_size) > MAX_BYTES:
            limit = f"at most {MAX_BYTES // 1024 // 1024} MiB; record less, or export the requests to the platform only"
            raise DocumentError(name, 0, f"has {size / 1024 / 1024:.0f} MiB, and a recording may have {limit}")
        content = Path(path).read_bytes()
    except OSError as error:
        raise DocumentError(name, 0, f"cannot be read: {error.strerror or error}") from None
    return har_of(name, content)


def har_of(name: str, content: bytes) -> Har:
    """Return the HAR that bytes are; raise ``DocumentError``.

    Browsers write half of a pair of surrogates into texts that are none; U+FFFD replaces it.
    """
    try:
        _check_utf_8(content)
        if b"\\ud" in content or b"\\uD" in content:
            content = _SURROGATES.sub(lambda found: found[0] if len(found[2]) > 6 else found[1] + rb"\ufffd", content)
        log = msgspec.json.decode(content.removeprefix(_BOM), type=_Log).log
        entries = msgspec.json.decode(log.pop("entries"), type=tuple[Raw, ...])
        others = {key: msgspec.json.decode(value) for key, value in log.items()}
    except msgspec.ValidationError as error:
        raise DocumentError(name, 0, f"is no HAR ({error}); export one with 'log' and 'entries' in it") from None
    except KeyError:
        raise DocumentError(name, 0, "is no HAR: its log has no entries; export the recording again") from None
    except UnicodeDecodeError as error:
        raise DocumentError(name, 0, f"is not UTF-8 (byte {error.start}); export the recording again") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise DocumentError(name, 0, f"{_why(content, str(error))}; export the recording again") from None
    return Har(name, entries, others)


def parsed(entry: Raw, place: str) -> Any:
    """Return an entry as JSON values; raise ``DocumentError`` for a number that Python does not hold, and for depth."""
    try:
        return msgspec.json.decode(entry)
    except (msgspec.DecodeError, RecursionError) as error:
        raise DocumentError(place, 0, f"cannot be read ({error}); remove it from the recording") from None


def _check_utf_8(content: bytes) -> None:
    """Raise ``UnicodeDecodeError`` unless bytes are UTF-8: texts that are not parsed yet may hold anything."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(content)
    for start in range(0, len(content), 1 << 20):
        decoder.decode(view[start : start + (1 << 20)])
    decoder.decode(b"", final=True)


def unpacked(body: bytes) -> bytes:
    """Return a body that a tool recorded compressed, by gzip or zlib, as it was before; any other as it is."""
    if not _PACKED.match(body):
        return body
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, MAX_BODY)
    except zlib.error:
        return body


def _why(content: bytes, problem: str) -> str:
    if not content.strip():
        return "is empty"
    return "is cut off: its JSON ends too early" if "truncated" in problem else f"is no JSON ({problem})"
