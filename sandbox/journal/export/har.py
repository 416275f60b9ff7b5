"""HAR 1.2: the format of the network panels of browsers and proxies.

Times are the machine's, as elsewhere in such a file. Fields of an entry that the format does not know begin with an
underscore, as it prescribes: ``client_id`` is ``_clientId``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

from sandbox._version import __version__
from sandbox.foundation.answer import Headers
from sandbox.foundation.instants import format_timestamp
from sandbox.foundation.strict_json import write_json
from sandbox.journal.attempts import Repetitions
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event, interleaved
from sandbox.journal.export.curl import target
from sandbox.journal.form import encoded, shown

CREATOR: Final = "patchworks-sandbox"
"""The program, in a file that it wrote."""

_TIMES: Final = ("wall_time", "duration_ms", "delay_ms")
_STANDARD: Final = frozenset(
    {
        *(*_TIMES, "method", "path", "query", "headers", "body_size", "body", "body_encoding"),
        *("json", "reason", "status", "response_headers", "response_body", "token", "token_note"),
    }
)
"""Fields of an entry that HAR has fields for, and those of the token that ``_token`` describes."""

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
_UNKNOWN: Final = -1
"""HAR's word for a size that is not known."""


def as_har(entries: Iterable[Entry], base_url: str, dropped: int, events: Sequence[Event] = ()) -> Iterator[str]:
    """Yield the pieces of a HAR file; ``base_url`` replaces the address that requests were sent to.

    The comment of an entry begins with the events before it, for which the format has no place.
    """
    log: dict[str, Any] = {
        "version": "1.2",
        "creator": {"name": CREATOR, "version": __version__},
        "comment": f"{dropped} older entries were dropped because the journal was full" if dropped else "",
    }
    yield f'{{"log": {write_json(log)[:-1]}, "entries": ['
    separator, before, repetitions = "", list[str](), Repetitions()
    for row in interleaved(entries, events):
        if isinstance(row, Event):
            before.append(f"before it: {row.text}")
            continue
        document = har_entry(row, base_url)
        again = repetitions.mark(row)
        document["comment"] = "; ".join(filter(None, [*before, str(again or ""), document["comment"]]))
        yield f"{separator}\n{write_json(document)}"
        separator, before = ",", []
    yield "\n]}}\n"


def har_entry(entry: Entry, base_url: str) -> dict[str, Any]:
    """Return one entry of a HAR file."""
    request: dict[str, Any] = {
        "method": entry.method,
        "url": base_url + ("" if entry.path.startswith("/") else "/") + target(entry),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(entry.headers),
        "queryString": _named(parse_qsl(entry.query, keep_blank_values=True)),
        "headersSize": _UNKNOWN,
        "bodySize": entry.body_size,
    }
    if entry.body:
        request["postData"] = _post_data(entry)
    return {
        "startedDateTime": format_timestamp(entry.wall_time),
        "time": entry.answered_ms,
        "request": request,
        "response": _response(entry),
        "cache": {},
        "timings": {"send": 0, "wait": entry.answered_ms, "receive": 0},
        "comment": entry.reason or "",
        **{_camel_case(f"_{name}"): fact for name, fact in shown(entry, -1).items() if name not in _STANDARD},
        "_token": entry.token_note,
    }


def _camel_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])_([a-z])", lambda match: match[1].upper(), name)


def _response(entry: Entry) -> dict[str, Any]:
    content: dict[str, Any] = {
        "size": len(entry.response_body),
        "mimeType": _header(entry.response_headers, "content-type"),
    }
    encoding, content["text"] = encoded(entry.response_body)
    if encoding == "base64":
        content["encoding"] = encoding
    return {
        "status": entry.status,
        "statusText": _PHRASES.get(entry.status, ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(entry.response_headers),
        "content": content,
        "redirectURL": _header(entry.response_headers, "location"),
        "headersSize": _UNKNOWN,
        "bodySize": len(entry.response_body),
    }


def _post_data(entry: Entry) -> dict[str, Any]:
    media_type = _header(entry.headers, "content-type")
    encoding, text = encoded(entry.body)
    if encoding == "base64":  # the format has no encoding here
        return {"mimeType": media_type, "text": "", "comment": "the body is not UTF-8", "_base64": text}
    return {"mimeType": media_type, "text": text}


def _named(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _header(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")
