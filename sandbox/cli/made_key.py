"""The control key that a sandbox made for itself, kept where commands of the same user on this machine find it.

So ``docker exec CONTAINER patchworks-sandbox requests`` needs no key: a user who may run a command there as the user of
the sandbox could read its memory as well. The file is in a folder that only its owner can enter, in memory where the
machine has such a place, and is gone when the sandbox stops.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sandbox.foundation import atomic_file
from sandbox.foundation.loopback import is_loopback

_MAX_BYTES: Final = 1024
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@contextmanager
def kept(key: str | None, urls: Iterable[str]) -> Iterator[None]:
    """Keep the key of the sandbox at the URLs while the context lasts; without a key remove one that was left behind.

    Where no folder can be written, as in a container without any, the key is not kept.
    """
    ports = [port for url in urls if (port := _port(url)) is not None]
    _remove(ports)
    for folder in _folders() if key is not None else ():
        with suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
            if _is_own(folder):
                for port in ports:
                    atomic_file.write(folder / f"{port}.key", [str(key).encode()])
                break
    try:
        yield
    finally:
        _remove(ports)


def find(url: str) -> str | None:
    """Return the key that a sandbox of this user at a URL of loopback made for itself, or ``None``."""
    port = _port(url)
    if port is not None and not is_loopback(urlsplit(url).hostname or ""):
        return None
    for folder in _folders() if port is not None else ():
        with suppress(OSError, UnicodeDecodeError):
            if _is_own(folder):
                return (folder / f"{port}.key").read_bytes()[:_MAX_BYTES].decode("ascii") or None
    return None


def _folders() -> list[Path]:
    """Return the folders that may hold keys, the best first; none on Windows, where nothing shows whose a folder is."""
    if not hasattr(os, "getuid"):
        return []
    places = (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm", os.environ.get("TMPDIR"), "/tmp")  # noqa: S108 - owned
    return [Path(place, f"patchworks-sandbox-{os.getuid()}") for place in places if place]


def _is_own(folder: Path) -> bool:
    """Return whether a folder is this user's own and no other can enter it; it may be a trap of another user."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _remove(ports: Iterable[int]) -> None:
    for folder in _folders():
        with suppress(OSError):
            if _is_own(folder):
                for port in ports:
                    (folder / f"{port}.key").unlink(missing_ok=True)
                folder.rmdir()  # unless another sandbox keeps a key there


def _port(url: str) -> int | None:
    try:
        parts = urlsplit(url)
        return parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
