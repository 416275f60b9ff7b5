"""The two forms of a line of the log: text for people, JSON for programs.

A client can get text into a message or an exception. Both forms escape characters that move a cursor or end a line, and
redact credentials. Only a traceback takes several lines, as text, and is indented.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from types import TracebackType
from typing import Final, TextIO

import click

from sandbox.foundation.strict_json import write_json
from sandbox.journal.log_line import ControlRequest, EmulatedRequest, escaped, one_word
from sandbox.journal.redaction import redact_text

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_LEVELS: Final[Mapping[int, str]] = {
    logging.DEBUG: "bright_black",
    logging.INFO: "green",
    logging.WARNING: "yellow",
    logging.ERROR: "red",
}
_STATUSES: Final[Mapping[int, str]] = {2: "green", 3: "cyan", 4: "yellow", 5: "red", 0: "red"}
"""By the first digit; 0 where a fault withheld the answer."""


def formatter(form: str, stream: TextIO) -> logging.Formatter:
    """Return the formatter of a form, ``auto``, ``text`` or ``json``, for a stream."""
    terminal = stream.isatty()
    if form == "json" or (form == "auto" and not terminal):
        return JsonLines()
    # Terminals of Windows show colours only on request; NO_COLOR: https://no-color.org
    return TextLines(colours=terminal and sys.platform != "win32" and not os.environ.get("NO_COLOR"))


class TextLines(logging.Formatter):
    """Lines for people: ``14:03:22.118 INFO POST /oauth/token 200 accepted 2.1 ms client=… id=…``."""

    def __init__(self, *, colours: bool) -> None:
        super().__init__()
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with an indented traceback below it if the record has one."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S.%f")[:-3]
        level = self._coloured(f"{record.levelname:<7}", _LEVELS.get(record.levelno))
        text = f"{self._coloured(time, 'bright_black')} {level} {self._message(record)}"
        if record.exc_info:
            text += "".join(f"\n    {escaped(line)}" for line in _traceback(self, record.exc_info).splitlines())
        return text

    def _message(self, record: logging.LogRecord) -> str:
        line: object = record.msg
        if not isinstance(line, (EmulatedRequest, ControlRequest)):
            return escaped(redact_text(record.getMessage()))
        fields = line.fields()
        status = int(str(fields["status"]))
        said = {name: one_word(str(value)) for name, value in fields.items()}
        words = [said["method"], said["path"], self._coloured(said["status"], _STATUSES.get(status // 100))]
        words += [said[name] for name in ("outcome", "reason") if name in said]
        words.append(f"{fields['duration_ms']:.1f} ms")
        if "delay_ms" in fields:
            words.append(f"+ {fields['delay_ms']:.1f} ms")
        named = {"fault": "fault", "client": "client_id", "id": "request_id"}
        words += [
            self._coloured(f"{short}={said[name]}", "bright_black") for short, name in named.items() if name in said
        ]
        return " ".join(words)

    def _coloured(self, text: str, colour: str | None) -> str:
        return click.style(text, fg=colour) if self._colours and colour else text


class JsonLines(logging.Formatter):
    """Lines for programs: a JSON object each, in ASCII, with the fields of a request if it is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: object = record.msg
        document: dict[str, object] = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if isinstance(line, (EmulatedRequest, ControlRequest)):
            fields = line.fields()
            document |= {"message": f"{fields['method']} {fields['path']} {fields['status']}", **fields}
        else:
            document["message"] = redact_text(record.getMessage())
        if record.exc_info:
            document["exception"] = _traceback(self, record.exc_info)
        return write_json(document)


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")[:-6] + "Z"


def _traceback(formatter: logging.Formatter, exc_info: _ExcInfo) -> str:
    return redact_text(formatter.formatException(exc_info))
