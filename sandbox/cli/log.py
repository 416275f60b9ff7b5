"""The log of ``serve``: written by a thread of its own, so that no request ever waits for it.

Who logs leaves a record in a queue. When the queue is full, because whoever reads the log does not, further records are
dropped, and the log says how many. At the end what is left in the queue is written; that may take a second, no longer.
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
"""How long the end waits for what is still to be written."""

OWN_LOGGERS: Final = ("patchworks_sandbox", "sandbox")
"""What the level is for; of other libraries only warnings are of interest."""

_BATCH: Final = 500
"""Lines written at once, if so many are there."""

GATHER_S: Final = 0.05
"""How long a line may wait for others. Under load a thread that takes each as it comes is in the way of who serves."""


class WaitlessHandler(QueueHandler):
    """Leaves records in a queue as they are; counts those for which there is no room."""

    def __init__(self, length: int) -> None:
        self.records: SimpleQueue[logging.LogRecord | None] = SimpleQueue()
        super().__init__(self.records)
        self._length = length
        self._dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Leave the record alone: the base class would format it here, in the thread that serves."""
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Put a record into the queue, or count it; called with the handler's lock."""
        if self.records.qsize() < self._length:
            self.records.put(record)
        else:
            self._dropped += 1

    def take_dropped(self) -> int:
        """Return how many records were dropped since this was asked last."""
        self.acquire()
        try:
            dropped, self._dropped = self._dropped, 0
        finally:
            self.release()
        return dropped


class LogWriter:
    """The thread that writes. ``write`` takes whole lines, and may take its time."""

    def __init__(
        self, handler: WaitlessHandler, lines: logging.Formatter, write: Callable[[str], object], patience_s: float
    ) -> None:
        self._handler = handler
        self._lines = lines
        self._write = write
        self._patience_s = patience_s
        # A daemon: a log that nobody reads must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._ending = threading.Event()

    def start(self) -> None:
        """Write from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, and end."""
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
            except (OSError, ValueError):  # its reader is gone, or the disk is full: serving goes on
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
    """Write what this process logs to a stream while the context lasts. ``level`` and ``form`` are the settings'."""
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
    """Return how to write to a stream past its buffer, where there is a file behind it.

    A thread that hangs in a write holds the buffer's lock, and Python ends a process by flushing its buffers: one that
    nobody reads would keep it from ending. A file's own ``write`` holds no lock.
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
