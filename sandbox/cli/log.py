"""The log of ``serve``: a thread of its own writes it, so that no request waits for it.

A thread that logs puts a record into a queue. When the queue is full, because the log is read too slowly, further
records are dropped, and the log says how many. At the end the rest of the queue is written, within a second.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler
from queue import SimpleQueue
from typing import Final, TextIO

from sandbox.cli.log_lines import formatter

QUEUE_LENGTH: Final = 10_000
"""Records that may wait."""

PATIENCE_S: Final = 1.0
"""How long the end waits for the rest of the queue to be written."""

OWN_LOGGERS: Final = ("patchworks_sandbox", "sandbox")
"""Loggers that have the level of the settings; those of other libraries log warnings only."""

_BATCH: Final = 500
"""Lines written at once, if so many are there."""

GATHER_S: Final = 0.05
"""How long a line may wait for others. Under load, a thread that writes each line at once slows the server down."""


class WaitlessHandler(QueueHandler):
    """Puts records into a queue; counts those that find no room."""

    def __init__(self, length: int) -> None:
        self.records: SimpleQueue[logging.LogRecord | None] = SimpleQueue()
        super().__init__(self.records)
        self._length = length
        self._dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Return the record as it is; the base class would format it in the thread that serves."""
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Put a record into the queue, or count it; called with the handler's lock."""
        if self.records.qsize() < self._length:
            self.records.put(record)
        else:
            self._dropped += 1

    def take_dropped(self) -> int:
        """Return how many records were dropped since the last call."""
        self.acquire()
        try:
            dropped, self._dropped = self._dropped, 0
        finally:
            self.release()
        return dropped


class LogWriter:
    """The thread that writes. ``write`` takes whole lines, and may block."""

    def __init__(
        self, handler: WaitlessHandler, lines: logging.Formatter, write: Callable[[str], object], patience_s: float
    ) -> None:
        self._handler = handler
        self._lines = lines
        self._write = write
        self._patience_s = patience_s
        # A daemon: a log that is not read must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._ending = threading.Event()

    def start(self) -> None:
        """Write from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Write the rest of the queue, and end the thread."""
        self._handler.records.put(None)
        self._ending.set()
        self._thread.join(self._patience_s)

    def _run(self) -> None:
        records = self._handler.records
        ended = False
        while not ended:
            batch = [records.get()]
            self._ending.wait(GATHER_S)
            while len(batch) < _BATCH and not records.empty():
                batch.append(records.get())
            ended = None in batch
            lines = [self._line(record) for record in batch if record is not None]
            if dropped := self._handler.take_dropped():
                lines.append(self._line(_notice("%d lines were dropped: the log is read too slowly", dropped)))
            try:
                self._write("".join(lines))
            except (OSError, ValueError):  # the reader is gone, or the disk is full
                continue

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return f"{self._lines.format(record)}\n"
        except Exception as error:  # noqa: BLE001 - one bad record must not be the end of the log
            where = f"{record.pathname}:{record.lineno}"
            notice = _notice("a line could not be written: %s at %s", type(error).__name__, where)
            return f"{self._lines.format(notice)}\n"


@contextmanager
def logged(
    stream: TextIO,
    level: str,
    form: str,
    *,
    queue_length: int = QUEUE_LENGTH,
    patience_s: float = PATIENCE_S,
) -> Iterator[None]:
    """Write the log of this process to a stream while the context lasts. ``level`` and ``form`` are settings."""
    handler = WaitlessHandler(queue_length)
    writer = LogWriter(handler, formatter(form, stream), _unbuffered(stream), patience_s)
    number: int = getattr(logging, level.upper())
    levels = {"": max(number, logging.WARNING), **dict.fromkeys(OWN_LOGGERS, number)}
    loggers = {logging.getLogger(name): each for name, each in levels.items()}
    before = {logger: logger.level for logger in loggers}
    for logger, each in loggers.items():
        logger.setLevel(each)
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(True)
    writer.start()
    try:
        yield
    finally:
        logging.captureWarnings(False)
        logging.getLogger().removeHandler(handler)
        for logger, each in before.items():
            logger.setLevel(each)
        writer.stop()
        handler.close()


def _notice(message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("patchworks_sandbox", logging.WARNING, "", 0, message, arguments, None)


def _unbuffered(stream: TextIO) -> Callable[[str], object]:
    """Return a function that writes to a stream, past its buffer if the stream is a file.

    A thread that hangs in a write holds the lock of the buffer, and Python flushes its buffers when the process ends: a
    stream that is not read would keep it from ending. The ``write`` of a file holds no lock.
    """
    try:
        raw = open(stream.fileno(), "wb", buffering=0, closefd=False)  # noqa: SIM115 - no path
    except (OSError, ValueError):
        return lambda text: (stream.write(text), stream.flush())

    def write(text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        while data:
            data = data[raw.write(data) or 0 :]

    return write
