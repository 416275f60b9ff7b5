"""The journal file: a file of lines, each of them whole and handed to the operating system when ``append`` returns.

``append`` raises an error for a line that could not be written and leaves no part of it. A file that was moved or
deleted is created again. A lock keeps other sandboxes from writing to it. A killed process loses no line; a machine
that loses power may lose some, because ``append`` does not wait for the disk.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sandbox.foundation.errors import NotKeptError

_logger = logging.getLogger("patchworks_sandbox")

_PATIENCE_S: Final = 0.5
"""Seconds that ``close`` and ``failure`` wait for a write of another thread."""

_REHEARSED: Final = 1024 * 1024
"""Bytes that ``failure`` writes at most to find out whether there is room again."""


def _open_to_append(path: str) -> io.FileIO:
    return io.FileIO(path, "ab+", opener=lambda name, flags: os.open(name, flags, 0o600))


class JournalFile:
    """A file of lines; safe to use from several threads. ``opens`` opens it for reading and appending, unbuffered."""

    def __init__(self, path: str, opens: Callable[[str], io.FileIO] = _open_to_append) -> None:
        self.path = path
        self._opens = opens
        self._lock = threading.Lock()
        self._file: io.FileIO | None = None
        self._failure: str | None = None
        self._unkept = 0
        """Bytes of the last line that could not be written."""

    def open(self) -> None:
        """Open the file or create it; raise ``OSError``. Its content stays; a line that was cut off gets its end."""
        with self._lock:
            self._opened()

    def close(self) -> None:
        """Close the file, unless a write does not return. The next ``append`` opens it again."""
        if self._lock.acquire(timeout=_PATIENCE_S):
            try:
                self._close()
            finally:
                self._lock.release()

    def append(self, line: bytes) -> None:
        """Write a line that ends with a newline. Raise ``NotKeptError`` where that fails, and leave no part of it."""
        with self._lock:
            try:
                self._append(line)
            except OSError as error:
                self._unkept = len(line)
                raise NotKeptError(self.path, self._failed(error)) from error
            if self._failure is not None:
                self._recovered()

    def failure(self) -> str | None:
        """Return why the next line could not be written; ``None`` when it probably could.

        After a failure this writes as many spaces as the line had bytes, and removes them again. It does not wait for
        a write that does not return, as into a pipe that has no reader.
        """
        if not self._lock.acquire(timeout=_PATIENCE_S):
            return "a write has not returned"
        try:
            if self._failure is not None:
                try:
                    if self._rehearse():
                        self._recovered()
                except OSError as error:
                    self._failed(error)
            return self._failure
        finally:
            self._lock.release()

    def _failed(self, error: OSError) -> str:
        why = error.strerror or str(error)
        if self._failure != why:
            _logger.error("journal_file: %s (%s); until it can be written, requests are refused", why, self.path)
        self._failure = why
        return why

    def _recovered(self) -> None:
        self._failure = None
        _logger.warning("journal_file: %s can be written again", self.path)

    # --- with the lock held -----------------------------------------------------------------------------------------

    def _append(self, line: bytes) -> None:
        file = self._opened()
        size = _size(file)
        try:
            _write(file, b"\n" + line if _ends_in_mid_line(file) else line)
        except OSError:
            _cut_back(file, size)
            raise

    def _rehearse(self) -> bool:
        """Write and undo as many bytes as the last line had; return False for a file that cannot be cut back."""
        file = self._opened()
        if not _is_regular(file):
            return False
        size = _size(file)
        try:
            _write(file, b" " * min(self._unkept, _REHEARSED))
        finally:
            _cut_back(file, size)
        return True

    def _opened(self) -> io.FileIO:
        file = self._file
        if file is not None and _is_at(file, self.path):
            return file
        self._close()
        file = self._opens(self.path)
        try:
            if _is_regular(file):
                _claim(file)
                if _ends_in_mid_line(file):
                    with contextlib.suppress(OSError):  # full: the next line that fits begins with it
                        _write(file, b"\n")
        except OSError:
            file.close()
            raise
        self._file = file
        return file

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _write(file: io.FileIO, data: bytes) -> None:
    """Write all of ``data``, in one system call where possible."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) or 0 :]


def _cut_back(file: io.FileIO, size: int) -> None:
    with contextlib.suppress(OSError):
        if _size(file) != size:
            file.truncate(size)


def _size(file: io.FileIO) -> int:
    return os.fstat(file.fileno()).st_size


def _is_regular(file: io.FileIO) -> bool:
    return stat.S_ISREG(os.fstat(file.fileno()).st_mode)


def _is_at(file: io.FileIO, path: str) -> bool:
    """Return whether a path still leads to a file, which a log rotation may have moved."""
    try:
        return os.path.samestat(Path(path).stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _ends_in_mid_line(file: io.FileIO) -> bool:
    """Return whether the last line has no end: it was cut off, or somebody else wrote it."""
    if not _size(file):
        return False
    file.seek(-1, io.SEEK_END)
    return file.read(1) != b"\n"


def _claim(file: io.FileIO) -> None:
    """Lock the file against other sandboxes, where the system has such locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OSError(error.errno, "another sandbox writes to it") from None
    except OSError:  # a file system without locks
        return
