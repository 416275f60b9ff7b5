"""HAR files in, entry by entry: those of browsers and proxies, and the export of the journal.

A file is read in one piece and kept as bytes. One entry at a time is parsed, so a file of many pages and pictures takes
little more memory than its own size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from sandbox.foundation.errors import DocumentError

MAX_BYTES: Final = 256 * 1024 * 1024
"""Size of the largest file that is read."""

_BOM: Final = b"\xef\xbb\xbf"


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

    def addresses(self) -> Iterator[tuple[Raw, str, str] | None]:
        """Return each entry with its method and URL; ``None`` for one without them."""
        return map(_address, self.entries)


def _address(entry: Raw) -> tuple[Raw, str, str] | None:
    try:
        request = _ADDRESS.decode(entry).request
    except msgspec.DecodeError:
        return None
    return entry, request.method, request.url


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
    """Return the HAR that bytes are; raise ``DocumentError``."""
    try:
        log = msgspec.json.decode(content.removeprefix(_BOM), type=_Log).log
        entries = msgspec.json.decode(log.pop("entries"), type=tuple[Raw, ...])
        others = {key: msgspec.json.decode(value) for key, value in log.items()}
    except msgspec.ValidationError as error:
        raise DocumentError(name, 0, f"is no HAR ({error}); export one with 'log' and 'entries' in it") from None
    except KeyError:
        raise DocumentError(name, 0, "is no HAR: its log has no entries; export the recording again") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DocumentError(name, 0, f"{_why(content, str(error))}; export the recording again") from None
    return Har(name, entries, others)


def _why(content: bytes, problem: str) -> str:
    if not content.strip():
        return "is empty"
    return "is cut off: its JSON ends too early" if "truncated" in problem else f"is no JSON ({problem})"
