"""The log of ``serve``: a thread of its own writes it, so that no request waits for it.

A request leaves its journal entry in a queue; any other message leaves its log record there. The thread writes all
lines that are there, at any rate of requests. The queue becomes full only where the stream takes no lines for seconds:
further lines are then counted, and the log says how many. ``stop`` writes the lines that are left, however many, as
long as the stream takes them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Final, TextIO, TypeAlias

from msgspec.structs import replace

from sandbox.cli.log_lines import Lines, Redact, lines_for
from sandbox.journal.entry import Entry
from sandbox.journal.log_line import EntryHandler
from sandbox.journal.redaction import redact_text

QUEUE_LENGTH: Final = 50_000
"""Lines that may wait: several seconds of the fastest traffic."""

PATIENCE_S: Final = 1.0
"""Seconds for which ``stop`` waits for a stream that takes no line."""

OWN_LOGGERS: Final = ("patchworks_sandbox", "sandbox")
"""Loggers that have the level of the settings; those of other libraries log warnings only."""

_BATCH: Final = 100
"""Lines that are written at once: while they are made, requests wait."""

GATHER_S: Final = 0.05
"""Seconds for which a line may wait for others: a thread that takes each as it comes slows the server down."""

_WHOLE_ENTRIES: Final = 1_000
"""Entries that wait as they are. Further ones wait without their bodies, so that a full queue takes about 20 MB."""

_LARGE_BODY: Final = 4_096
"""Bytes of a body that does not wait with its entry in any case."""

Message: TypeAlias = Entry | logging.LogRecord


class LineQueue(EntryHandler):
    """Leaves entries and records in a queue. It never blocks, and counts those for which there is no room."""

    def __init__(self, length: int = QUEUE_LENGTH) -> None:
        super().__init__()
        self.messages: SimpleQueue[Message | None] = SimpleQueue()
        self._length = length
        self._dropped = 0
        self._counting = threading.RLock()

    def take(self, entry: Entry) -> None:
        """Put an entry into the queue; no line shows its headers and bodies."""
        if entry.body_size > _LARGE_BODY or self.messages.qsize() >= _WHOLE_ENTRIES:
            entry = replace(entry, headers=(), body=b"", response_headers=(), response_body=b"")
        self._put(entry)

    def emit(self, record: logging.LogRecord) -> None:
        """Put a record into the queue as it is; the thread that writes formats it."""
        self._put(record)

    def _put(self, message: Message) -> None:
        if self.messages.qsize() < self._length:
            self.messages.put(message)
            return
        with self._counting:
            self._dropped += 1

    def take_dropped(self) -> int:
        """Return how many lines were dropped since the last call."""
        with self._counting:
            dropped, self._dropped = self._dropped, 0
        return dropped


class LogWriter:
    """The thread that writes. ``write`` takes whole lines and may block; ``patience_s`` is how long in ``stop``."""

    def __init__(self, queue: LineQueue, lines: Lines, write: Callable[[str], object], patience_s: float) -> None:
        self._queue = queue
        self._lines = lines
        self._write = write
        self._patience_s = patience_s
        self._batches = 0
        # A daemon: a log that is not read must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._ending = threading.Event()

    def start(self) -> None:
        """Write from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Write the lines that are left, and end; give up when the stream takes none for ``patience_s``."""
        self._ending.set()
        self._queue.messages.put(None)
        written = -1
        while self._thread.is_alive() and written != self._batches:
            written = self._batches
            self._thread.join(self._patience_s)

    def _run(self) -> None:
        messages = self._queue.messages
        ended = False
        while not ended:
            batch = [messages.get()]
            self._ending.wait(GATHER_S)
            ended = self._ending.is_set()
            left = messages.qsize()  # those that come meanwhile wait for others again
            while batch:
                taken = min(left, _BATCH - len(batch))
                batch += [messages.get() for _ in range(taken)]
                left -= taken
                self._write_batch(batch)
                batch = [messages.get()] if left else []
                left -= len(batch)

    def _write_batch(self, batch: list[Message | None]) -> None:
        lines = [self._line(message) for message in batch if message is not None]
        if dropped := self._queue.take_dropped():
            lines.append(self._line(_notice("%d lines were dropped: the log is read too slowly", dropped)))
        with suppress(OSError, ValueError):  # the reader is gone, or the disk is full
            self._write("".join(lines))
        self._batches += 1

    def _line(self, message: Message) -> str:
        try:
            line = self._lines.entry(message) if isinstance(message, Entry) else self._lines.format(message)
        except Exception as error:  # noqa: BLE001 - one bad message must not be the end of the log
            where = message.id if isinstance(message, Entry) else f"{message.pathname}:{message.lineno}"
            notice = _notice("a line could not be written: %s at %s", type(error).__name__, where)
            line = self._lines.format(notice)
        return f"{line}\n"


@contextmanager
def logged(
    stream: TextIO,
    level: str,
    form: str,
    *,
    queue_length: int = QUEUE_LENGTH,
    patience_s: float = PATIENCE_S,
    redact: Redact = redact_text,
) -> Iterator[None]:
    """Write the log of this process to a stream while the context lasts. ``level`` and ``form`` are settings."""
    handler = LineQueue(queue_length)
    writer = LogWriter(handler, lines_for(form, stream, redact), _unbuffered(stream), patience_s)
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
