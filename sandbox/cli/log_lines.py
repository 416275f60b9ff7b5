"""The two forms of a line of the log: text for people, JSON for programs.

A client can get text into a message or an exception. Both forms escape characters that move a cursor or end a line, and
redact credentials. Only a traceback takes several lines, as text, and is indented.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Final, TextIO, TypeAlias

import click
import msgspec

from sandbox.foundation.strict_json import write_json
from sandbox.journal.entry import Entry
from sandbox.journal.log_line import REQUESTS, EmulatedRequest, RequestLine, escaped, one_word
from sandbox.journal.redaction import redact_text

Redact: TypeAlias = Callable[[str], str]
"""Returns a text without credentials."""

_LEVELS: Final[Mapping[int, str]] = {
    logging.DEBUG: "bright_black",
    logging.INFO: "green",
    logging.WARNING: "yellow",
    logging.ERROR: "red",
}
_LONG: Final = 1_000
"""Characters of the parts of a line that are kept for others."""

_MAX_ALIKE: Final = 256
"""Lines whose parts are kept."""

_STATUSES: Final[Mapping[int, str]] = {2: "green", 3: "cyan", 4: "yellow", 5: "red", 0: "red"}
"""By the first digit; 0 where a fault withheld the answer."""


def lines_for(form: str, stream: TextIO, redact: Redact = redact_text) -> Lines:
    """Return the writer of lines in a form, ``auto``, ``text`` or ``json``, for a stream."""
    if is_for_programs(form, stream):
        return JsonLines(redact)
    # Terminals of Windows show colours only on request; NO_COLOR: https://no-color.org
    return TextLines(redact, colours=stream.isatty() and sys.platform != "win32" and not os.environ.get("NO_COLOR"))


def is_for_programs(form: str, stream: TextIO) -> bool:
    """Return whether the lines of a form are JSON on a stream."""
    return form == "json" or (form == "auto" and not stream.isatty())


def event(name: str, **fields: object) -> logging.LogRecord:
    """Return the record of something that programs wait for, with its fields as they are: no secret is redacted."""
    record = logging.LogRecord("patchworks_sandbox", logging.INFO, "", 0, name, (), None)
    record.fields = {"event": name, **fields}
    return record


class Lines(logging.Formatter):
    """A form of the lines: of log records, and of journal entries without a record.

    ``redact`` redacts messages and tracebacks; an entry holds no secrets.
    """

    def __init__(self, redact: Redact = redact_text) -> None:
        super().__init__()
        self._redact = redact

    def entry(self, entry: Entry) -> str:
        """Return the line of a request to the emulated API."""
        return self.format(record_of(entry))


def record_of(entry: Entry) -> logging.LogRecord:
    """Return the record of a request to the emulated API; its time is that of its answer."""
    record = logging.LogRecord(REQUESTS, logging.INFO, "", 0, EmulatedRequest(entry), (), None)
    record.created = entry.wall_time + entry.duration_ms / 1000
    return record


class TextLines(Lines):
    """Lines for people: ``14:03:22.118 INFO POST /oauth/token 200 accepted 2.1 ms client=… id=…``."""

    def __init__(self, redact: Redact = redact_text, *, colours: bool) -> None:
        super().__init__(redact)
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with an indented traceback below it if the record has one."""
        line: object = record.msg
        said = self._request(line) if isinstance(line, RequestLine) else escaped(self._redact(record.getMessage()))
        time = self._coloured(f"{datetime.fromtimestamp(record.created).astimezone():%H:%M:%S.%f}"[:-3], "bright_black")
        text = f"{time} {self._coloured(f'{record.levelname:<7}', _LEVELS.get(record.levelno))} {said}"
        if record.exc_info:
            traceback = self._redact(self.formatException(record.exc_info))
            text += "".join(f"\n    {escaped(line)}" for line in traceback.splitlines())
        return text

    def _request(self, line: RequestLine) -> str:
        fields = line.fields()
        status = int(str(fields["status"]))
        said = {name: one_word(str(value)) for name, value in fields.items()}
        words = [said["method"], said["path"]]
        words.append(self._coloured(said["status"], _STATUSES.get(status // 100)))
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


class JsonLines(Lines):
    """Lines for programs: a JSON object each, in ASCII, with the fields of a request if it is one."""

    def __init__(self, redact: Redact = redact_text) -> None:
        super().__init__(redact)
        self._second = (-1, "")
        self._alike: dict[tuple[object, ...], tuple[str, str, str]] = {}

    def entry(self, entry: Entry) -> str:
        """Return the line of a request to the emulated API; its time is that of its answer.

        Most requests are like an earlier one: their lines differ in four numbers.
        """
        alike = entry.method, entry.path, entry.status, entry.outcome, entry.reason, entry.fault, entry.client_id
        parts = self._alike.get((*alike, entry.delay_ms)) or self._parts(entry, (*alike, entry.delay_ms))
        time = self._moment(entry.wall_time + entry.duration_ms / 1000)
        return (
            f'{{"time": "{time}", {parts[0]}, "request_id": "{entry.id}", {parts[1]}, '
            f'"duration_ms": {entry.duration_ms}{parts[2]}, "journal_seq": {entry.seq}}}'
        )

    def _parts(self, entry: Entry, alike: tuple[object, ...]) -> tuple[str, str, str]:
        """Return what is before the id in the line of an entry, between the id and the duration, and after that."""
        fields = self._fields(record_of(entry))
        names = [*fields]
        about_id, about_duration = names.index("request_id"), names.index("duration_ms")
        before, between, after = (
            _written({name: fields[name] for name in some})[1:-1]
            for some in (names[1:about_id], names[about_id + 1 : about_duration], names[about_duration + 1 : -1])
        )
        parts = before, between, after and f", {after}"
        if len(before) + len(between) + len(after) <= _LONG:
            if len(self._alike) >= _MAX_ALIKE:
                self._alike.clear()
            self._alike[alike] = parts
        return parts

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback is its field ``exception``."""
        fields = self._fields(record)
        if record.exc_info:
            fields["exception"] = self._redact(self.formatException(record.exc_info))
        return _written(fields)

    def _fields(self, record: logging.LogRecord) -> dict[str, object]:
        line: object = record.msg
        head = {"time": self._moment(record.created), "level": record.levelname.lower(), "logger": record.name}
        if isinstance(line, RequestLine):
            fields = line.fields()
            return {**head, "message": f"{fields['method']} {fields['path']} {fields['status']}", **fields}
        return {**head, "message": self._redact(record.getMessage()), **getattr(record, "fields", {})}

    def _moment(self, time: float) -> str:
        """Return Unix seconds as RFC 3339 writes them, to the millisecond; the seconds are made once for all lines."""
        milliseconds = round(time * 1_000_000) // 1_000
        second, text = self._second
        if second != milliseconds // 1_000:
            second = milliseconds // 1_000
            text = datetime.fromtimestamp(second, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = second, text
        return f"{text}.{milliseconds % 1_000:03d}Z"


def _written(fields: Mapping[str, object]) -> str:
    """Return JSON in ASCII with spaces after commas and colons."""
    try:
        written = msgspec.json.format(msgspec.json.encode(fields), indent=0)
    except ValueError:  # an unpaired surrogate
        return write_json(fields)
    return written.decode("ascii") if written.isascii() else write_json(fields)
