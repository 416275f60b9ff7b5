"""The lines of the log, one for each request, without secrets and without characters that could forge a line.

``log_entry`` and ``log_control`` log an object; the thread that writes the log makes text or fields of it, so the
serving thread does not. Where an ``EntryHandler`` is the only handler, ``log_entry`` gives it the entry without a log
record. A value that a client sent is cut, and loses everything that looks like a credential and every
character that a terminal might take for a command. A line has no query, which may hold credentials.

The library uses its named loggers only. The command ``serve`` configures where the log goes; a program that uses the
library does so itself.
"""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

from sandbox.foundation.errors import cut
from sandbox.journal.entry import Entry, Exchange
from sandbox.journal.redaction import redact_text

REQUESTS: Final = "patchworks_sandbox.requests"
"""The logger of the lines."""

MAX_LENGTH: Final = 200
"""Characters of a value that a line shows."""

_PLAIN: Final = re.compile(
    r"[A-Z]{1,10}|/v1/[a-z0-9-]{1,36}/[a-z0-9_-]{1,36}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|/oauth/token"
)
"""Usual methods, paths and client ids, which need no cleaning: no part is as long as a generated secret."""

_logger = logging.getLogger(REQUESTS)
_FAILED: Final = "patchworks_sandbox"


class RequestLine(ABC):
    """A request that was answered. As text it is method, path and status."""

    __slots__ = ()

    @abstractmethod
    def fields(self) -> dict[str, object]:
        """Return the values of the line, in an order for people."""

    def __str__(self) -> str:
        fields = self.fields()
        return f"{fields['method']} {one_word(str(fields['path']))} {fields['status']}"


@dataclass(frozen=True, slots=True)
class EmulatedRequest(RequestLine):
    """A request to the emulated API. Its id is that of its journal entry."""

    entry: Entry

    def fields(self) -> dict[str, object]:
        """Return the values of the line; of the reason only its code, which holds no part of a payload."""
        entry = self.entry
        fields = {
            "request_id": entry.id,
            "api": "emulated",
            "method": printable(entry.method),
            "path": printable(entry.path),
            "status": entry.status,
            "outcome": entry.outcome,
            "reason": entry.reason and printable(entry.reason.partition(":")[0]),
            "fault": entry.fault and printable(entry.fault),
            "duration_ms": entry.duration_ms,
            "delay_ms": entry.delay_ms or None,
            "client_id": entry.client_id and printable(entry.client_id),
            "journal_seq": entry.seq,
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ControlRequest(RequestLine):
    """A request to the control API or for one of its pages."""

    request_id: str
    method: str
    path: str
    status: int
    duration_ms: float

    def fields(self) -> dict[str, object]:
        """Return the values of the line, in an order for people."""
        return {
            "request_id": self.request_id,
            "api": "control",
            "method": printable(self.method),
            "path": printable(self.path),
            "status": self.status,
            "duration_ms": self.duration_ms,
        }


class EntryHandler(logging.Handler, ABC):
    """A handler of the lines that takes journal entries too, which costs a fraction of a log record."""

    @abstractmethod
    def take(self, entry: Entry) -> None:
        """Take the entry of a request in place of a record on level INFO."""


def log_entry(entry: Entry, exchange: Exchange, dropped: int) -> None:
    """Log a request to the emulated API, with a traceback if the sandbox itself failed on it."""
    if exchange.failure is not None:
        log_failure(EmulatedRequest(entry), exchange.failure)
    elif _logger.isEnabledFor(logging.INFO):
        handler = _entry_handler()
        if handler is not None:
            handler.take(entry)
            return
        # `Logger.info` would look up the line of the source, which no log shows: half of the time of a record.
        _logger.handle(logging.LogRecord(REQUESTS, logging.INFO, "", 0, EmulatedRequest(entry), None, None))


def _entry_handler() -> EntryHandler | None:
    """Return the handler of the lines, where it is the only one and takes entries."""
    if _logger.filters:
        return None
    found = None
    logger: logging.Logger | None = _logger
    while logger is not None:
        for handler in logger.handlers:
            if found is not None or not isinstance(handler, EntryHandler):
                return None
            found = handler
        logger = logger.parent if logger.propagate else None
    return found


def log_control(line: ControlRequest, *, quiet: bool) -> None:
    """Log a request to the control API; with ``quiet``, for one that comes every few seconds, on level DEBUG."""
    _logger.log(logging.DEBUG if quiet else logging.INFO, line)


def log_failure(line: RequestLine, failure: Exception) -> None:
    """Log a request on which the sandbox itself failed, with the traceback."""
    logging.getLogger(_FAILED).error(line, exc_info=failure)


def printable(text: str) -> str:
    """Return text on one line, of bounded length, without credentials, and with nothing that moves a cursor."""
    if _PLAIN.fullmatch(text):
        return text
    text = cut(redact_text(text), MAX_LENGTH)
    return text if text.isprintable() else escaped(text)


def one_word(text: str) -> str:
    """Return a value without spaces, as a word of a line: a space could forge the words that follow."""
    return text.replace(" ", "\\x20")


def escaped(text: str) -> str:
    r"""Return text with every character that cannot be printed as an escape: ``\n``, ``\x1b``, ``\u202e``."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
