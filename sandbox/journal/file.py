"""The journal file: lines appended to a file, each whole and with the operating system before ``append`` returns.

It guards that the file does not lie. What could not be written is reported to whoever wants it kept, and no part of it
stays; a file that was moved or deleted is made anew; nobody else who asks first writes to it. A process that is killed
loses nothing of what was appended. A machine that loses power may: the disk is not waited for.
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

_REHEARSED: Final = 1024 * 1024
"""Bytes written at most to see whether there is room again."""


def _open_to_append(path: str) -> io.FileIO:
    return io.FileIO(path, "ab+", opener=lambda name, flags: os.open(name, flags, 0o600))


class JournalFile:
    """A file of lines; safe to use from several threads. ``opens`` opens it for reading and appending, unbuffered."""

    def __init__(self, path: str, opens: Callable[[str], io.FileIO] = _open_to_append) -> None:
        self.path = path
        self._opens = opens
        self._lock = threading.Lock()
        self._file: io.FileIO | None = None
        self._is_torn = False
        """Whether the file ends in the midst of a line."""
        self._failure: str | None = None
        self._unkept = 0
        """Size of the line that could not be written last."""

    def open(self) -> None:
        """Open the file, or make it; raise ``OSError``. What is in it stays, and a line that was cut off is ended."""
        with self._lock:
            self._opened()

    def close(self) -> None:
        """Give the file back to the system. The next line opens it again."""
        with self._lock:
            self._close()

    def append(self, line: bytes) -> None:
        """Write a line, its newline included; raise ``NotKeptError``, leaving no part of it, where that fails."""
        with self._lock:
            try:
                self._append(line)
            except OSError as error:
                self._unkept = len(line)
                raise NotKeptError(self.path, self._failed(error)) from error
            if self._failure is not None:
                self._recovered()

    def failure(self) -> str | None:
        """Return why the next line could not be written either; ``None`` when it could, as far as can be told.

        After a failure it is tried with as many spaces, which are taken away again.
        """
        with self._lock:
            if self._failure is not None:
                try:
                    if self._rehearse():
                        self._recovered()
                except OSError as error:
                    self._failed(error)
            return self._failure

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
            _write(file, b"\n" + line if self._is_torn else line)
        except OSError:
            self._cut_back(file, size)
            raise
        self._is_torn = False

    def _rehearse(self) -> bool:
        """Return whether a write that is undone went well; one that could not be undone is not tried."""
        file = self._opened()
        if not _is_regular(file):
            return False
        size = _size(file)
        try:
            _write(file, b" " * min(self._unkept, _REHEARSED))
        finally:
            self._cut_back(file, size)
        return True

    def _cut_back(self, file: io.FileIO, size: int) -> None:
        with contextlib.suppress(OSError):
            if _size(file) != size:
                file.truncate(size)
        self._is_torn = self._is_torn or _size(file) != size

    def _opened(self) -> io.FileIO:
        file = self._file
        if file is not None and _is_at(file, self.path):
            return file
        self._close()
        file = self._opens(self.path)
        try:
            if _is_regular(file):
                _claim(file)
                self._is_torn = _ends_in_a_line(file)
                if self._is_torn:
                    with contextlib.suppress(OSError):  # full: the next line that fits begins with it
                        _write(file, b"\n")
                        self._is_torn = False
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
    """Write all of it, in one call where the system lets it be one."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) or 0 :]


def _size(file: io.FileIO) -> int:
    return os.fstat(file.fileno()).st_size


def _is_regular(file: io.FileIO) -> bool:
    return stat.S_ISREG(os.fstat(file.fileno()).st_mode)


def _is_at(file: io.FileIO, path: str) -> bool:
    """Return whether a file is still the one at a path: it may have been deleted, or moved by a log rotation."""
    try:
        return os.path.samestat(Path(path).stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _ends_in_a_line(file: io.FileIO) -> bool:
    if not _size(file):
        return False
    file.seek(-1, io.SEEK_END)
    return file.read(1) != b"\n"


def _claim(file: io.FileIO) -> None:
    """Keep other sandboxes from writing to the same file, where the system has a way to."""
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
