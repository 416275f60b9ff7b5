"""The journal file: whole lines, with the system before `append` returns, whatever happens to the file."""

from __future__ import annotations

import errno
import io
import json
import os
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.foundation.errors import NotKeptError, SettingError
from sandbox.journal.file import JournalFile

NO_SPACE = os.strerror(errno.ENOSPC)


class Disk:
    """A disk that has room for so many bytes; files on it are written in part where the rest does not fit."""

    def __init__(self) -> None:
        self.room = sys.maxsize
        self.truncates = True
        self.writes = 0

    def open(self, path: str) -> io.FileIO:
        return _File(path, self)


class _File(io.FileIO):
    def __init__(self, path: str, disk: Disk) -> None:
        super().__init__(path, "ab+")
        self._disk = disk

    def write(self, data: Any) -> int:
        self._disk.writes += 1
        fits = min(len(data), self._disk.room)
        if not fits:
            raise OSError(errno.ENOSPC, NO_SPACE)
        self._disk.room -= fits
        return super().write(bytes(data[:fits]))

    def truncate(self, size: int | None = None) -> int:
        if not self._disk.truncates:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().truncate(size)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "requests.ndjson"


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def file(path: Path, disk: Disk) -> Any:
    file = JournalFile(str(path), disk.open)
    yield file
    file.close()


def test_line_is_in_the_file_when_append_returns_and_took_one_write(file: JournalFile, path: Path, disk: Disk) -> None:
    file.append(b"one\n")
    file.append(b"two\n")

    assert path.read_bytes() == b"one\ntwo\n"
    assert disk.writes == 2


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_new_file_is_for_its_owner_only(path: Path) -> None:
    file = JournalFile(str(path))
    file.open()
    file.close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b"new\n"), (b"old\n", b"old\nnew\n"), (b'old\n{"id": "a-', b'old\n{"id": "a-\nnew\n')],
    ids=["empty", "whole", "torn"],
)
def test_file_of_before_goes_on_and_a_torn_line_is_ended(
    file: JournalFile, path: Path, before: bytes, after: bytes
) -> None:
    path.write_bytes(before)
    file.open()
    opened = path.read_bytes()
    file.append(b"new\n")

    assert opened == after.removesuffix(b"new\n")
    assert path.read_bytes() == after


def test_line_that_does_not_fit_is_refused_and_nothing_of_it_stays(file: JournalFile, path: Path, disk: Disk) -> None:
    file.append(b"one\n")
    disk.room = 5
    with pytest.raises(NotKeptError) as refused:
        file.append(b"too long\n")

    assert str(refused.value) == f"journal_file: {NO_SPACE} ({path})"
    assert path.read_bytes() == b"one\n"


def test_next_line_that_fits_is_kept_and_the_failure_is_over(
    file: JournalFile, path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.room = 0
    for _ in range(3):
        with pytest.raises(NotKeptError):
            file.append(b"one\n")
    failure = file.failure()
    disk.room = 100
    file.append(b"two\n")

    assert (failure, file.failure()) == (NO_SPACE, None)
    assert path.read_bytes() == b"two\n"
    assert [record.getMessage() for record in caplog.records] == [
        f"journal_file: {NO_SPACE} ({path}); until it can be written, requests are refused",
        f"journal_file: {path} can be written again",
    ]


def test_write_that_does_not_return_holds_up_neither_a_look_nor_the_end(
    file: JournalFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes, goes_on = threading.Event(), threading.Event()

    def blocked(opened: io.FileIO, data: bytes) -> None:
        writes.set()
        assert goes_on.wait(60)
        opened.write(data)

    monkeypatch.setattr("sandbox.journal.file._write", blocked)
    monkeypatch.setattr("sandbox.journal.file._PATIENCE_S", 0)
    thread = threading.Thread(target=file.append, args=(b"one\n",))
    thread.start()
    assert writes.wait(60)
    others = [
        threading.Thread(target=act, daemon=True) for act in (file.close, lambda: failures.append(file.failure()))
    ]
    failures: list[str | None] = []
    for other in others:
        other.start()
        other.join(60)
    still = [other for other in others if other.is_alive()]
    goes_on.set()
    thread.join(60)

    assert (still, failures) == ([], ["a write has not returned"])
    assert (path.read_bytes(), file.failure()) == (b"one\n", None)


def test_failure_is_over_as_soon_as_the_line_would_fit_without_anybody_sending_one(
    file: JournalFile, path: Path, disk: Disk
) -> None:
    file.append(b"one\n")
    disk.room = 4
    with pytest.raises(NotKeptError):
        file.append(b"too long\n")
    disk.room = 8
    too_early = file.failure()
    disk.room = 9

    assert (too_early, file.failure()) == (NO_SPACE, None)
    assert path.read_bytes() == b"one\n"


def test_part_of_a_line_that_cannot_be_taken_away_is_ended_before_the_next(
    file: JournalFile, path: Path, disk: Disk
) -> None:
    disk.room, disk.truncates = 3, False
    for _ in range(2):  # the second attempt writes nothing, and leaves the part of the first where it is
        with pytest.raises(NotKeptError):
            file.append(b"too long\n")
    disk.room = 100
    file.append(b"next\n")

    assert path.read_bytes() == b"too\nnext\n"


def test_torn_line_that_cannot_be_ended_at_the_start_is_ended_before_the_next(
    file: JournalFile, path: Path, disk: Disk
) -> None:
    path.write_bytes(b"torn")
    disk.room = 0
    file.open()
    disk.room = 100
    file.append(b"next\n")

    assert path.read_bytes() == b"torn\nnext\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps an open file where it is")
@pytest.mark.parametrize(
    "rotate", [lambda path: path.unlink(), lambda path: path.rename(f"{path}.1")], ids=["rm", "mv"]
)
def test_file_that_was_taken_away_is_made_anew(file: JournalFile, path: Path, rotate: Any) -> None:
    file.append(b"one\n")
    rotate(path)
    file.append(b"two\n")

    assert path.read_bytes() == b"two\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps an open file where it is")
def test_file_in_whose_place_another_was_put_is_left_for_that(file: JournalFile, path: Path) -> None:
    file.append(b"one\n")
    other = path.with_suffix(".new")
    other.write_bytes(b"torn")
    other.replace(path)
    file.append(b"two\n")

    assert path.read_bytes() == b"torn\ntwo\n"


def test_file_that_was_emptied_goes_on_from_its_start(file: JournalFile, path: Path) -> None:
    file.append(b"one\n")
    path.write_bytes(b"")
    file.append(b"two\n")

    assert path.read_bytes() == b"two\n"


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (lambda path: os.truncate(path, 6), b"one\ntw\nthree\n"),
        (lambda path: os.truncate(path, 4), b"one\nthree\n"),
        (lambda path: path.write_bytes(b"one\ntwo\nby others"), b"one\ntwo\nby others\nthree\n"),
        (lambda path: path.write_bytes(b"one\ntwo\nby others\n"), b"one\ntwo\nby others\nthree\n"),
    ],
    ids=["cut in mid-line", "cut after a line", "continued in mid-line", "continued"],
)
def test_line_that_somebody_else_left_unfinished_is_ended(
    file: JournalFile, path: Path, change: Callable[[Path], object], after: bytes
) -> None:
    file.append(b"one\n")
    file.append(b"two\n")
    change(path)
    file.append(b"three\n")
    file.append(b"four\n")

    assert path.read_bytes() == after + b"four\n"


def test_line_after_the_end_opens_the_file_again(file: JournalFile, path: Path) -> None:
    file.append(b"one\n")
    file.close()
    file.append(b"two\n")

    assert path.read_bytes() == b"one\ntwo\n"


def test_lines_of_many_threads_do_not_mix(file: JournalFile, path: Path) -> None:
    lines = {f"{number:03}".encode() * 5_000 + b"\n" for number in range(40)}
    threads = [threading.Thread(target=file.append, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(path.read_bytes().splitlines(keepends=True)) == lines


@pytest.mark.skipif(os.name != "posix", reason="locks are POSIX")
def test_second_sandbox_may_not_write_to_the_same_file(file: JournalFile, path: Path) -> None:
    file.open()

    with pytest.raises(SettingError, match="another sandbox writes to it"):
        Sandbox(settings={"journal_file": str(path)})


def test_file_system_without_locks_will_do(file: JournalFile, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    file.append(b"one\n")

    assert path.read_bytes() == b"one\n"


def test_system_without_locks_will_do(file: JournalFile, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    file.append(b"one\n")

    assert path.read_bytes() == b"one\n"


def test_path_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"^journal_file: .*a file that can be written \(Is a directory\)"):
        Sandbox(settings={"journal_file": str(tmp_path)})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_device_without_space_is_told_and_not_tried_with_blanks() -> None:
    file = JournalFile("/dev/full")
    with pytest.raises(NotKeptError):
        file.append(b"one\n")
    failure = file.failure()
    file.close()

    assert failure == NO_SPACE


def test_closing_a_file_that_is_not_open_does_nothing(path: Path) -> None:
    JournalFile(str(path)).close()

    assert not path.exists()


def test_reset_goes_on_in_the_same_file(path: Path, make_sandbox: Any) -> None:
    from tests.conftest import Integration

    integration = Integration(make_sandbox(journal_file=str(path)))
    integration.post(b"before")
    integration.sandbox.reset()
    integration.post(b"after")
    integration.sandbox.journal_file.close()

    lines = [json.loads(line) for line in path.read_text("ascii").splitlines()]
    assert [(line["body"], line["seq"]) for line in lines if line["kind"] == "inbound"] == [("before", 2), ("after", 2)]
    assert len({line["id"] for line in lines}) == 4
