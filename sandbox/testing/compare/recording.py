"""The exchanges of a recording: requests to the platform with the answers that it gave, as any tool records them.

Tools differ: bodies come as text, in base64 or as parameters, header names in any case, HTTP/2 adds pseudo headers, and
a browser records the pages and pictures of other hosts too. What cannot be replayed is left out and counted.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import SplitResult, quote_plus, unquote, urlsplit

from sandbox.foundation.answer import Answer, Headers
from sandbox.foundation.errors import DocumentError, InvalidValueError
from sandbox.foundation.form_data import MULTIPART, media_type
from sandbox.foundation.instants import parse_instant
from sandbox.journal.endpoint_kind import INBOUND, OTHER, TOKEN
from sandbox.journal.export.har import CREATOR
from sandbox.journal.request import Request
from sandbox.testing.compare.har import Har, parsed, unpacked
from sandbox.testing.compare.redact import Redactor, headers_of
from sandbox.web.paths import is_control_path

MAX_EXCHANGES: Final = 5_000
PLATFORM: Final = "inbound.pwks.co"
"""The host of the inbound URLs (FACTS 1.12)."""

_PORTS: Final = {"http": 80, "https": 443}
_KINDS: Final = (TOKEN.name, INBOUND.name, OTHER)
_INBOUND: Final = re.compile(r"/v1/[^/]+/[^/]+/*")
_BOUNDARY: Final = re.compile(r'boundary="?([^";,]+)')
_BROKEN: Final = ("incomplete_body:", "body_too_slow:", "refused_by_server:")
"""Reasons of the sandbox for requests that are not whole."""

_UNPACKED: Final = ("gzip", "x-gzip", "deflate")


class _LeftOutError(Exception):
    """An entry cannot be replayed; the message says why."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request of the recording, and the answer that the platform gave.

    ``number`` counts the entries of the file. ``at`` is ``None`` where the file has no usable time.
    """

    number: int
    at: datetime | None
    request: Request
    answer: Answer
    has_body: bool
    """Whether the body of the answer was recorded."""
    client_id: str | None
    """The client of HTTP Basic, where redaction left it."""

    @property
    def name(self) -> str:
        """Method and path, for people."""
        return f"{self.request.method} {self.request.raw_path or self.request.path}"


@dataclass(frozen=True, slots=True)
class Recording:
    """The exchanges with the platform in the order of their times, and how many entries were left out, and why."""

    file: str
    exchanges: tuple[Exchange, ...]
    hosts: tuple[str, ...]
    left_out: Mapping[str, int]
    is_own: bool = False
    """Whether it is the export of a sandbox's journal, which says nothing about the platform."""

    @property
    def dates(self) -> tuple[datetime, datetime] | None:
        """The times of the first and the last exchange."""
        times = [exchange.at for exchange in self.exchanges if exchange.at is not None]
        return (min(times), max(times)) if times else None


def recording_of(har: Har, token_path: str, hosts: tuple[str, ...] = (), redactor: Redactor | None = None) -> Recording:
    """Return the exchanges of a HAR with the platform.

    ``hosts`` are those of the platform; without them they are those whose token endpoint was called, and the vendor's.
    With a ``redactor`` secrets are replaced; without one a file that holds some is refused. Raise ``DocumentError``.
    """
    left_out: Counter[str] = Counter()
    addresses = har.addresses()
    ours = tuple(host.lower().rpartition("//")[2].rstrip("/") for host in hosts) or _hosts(addresses, token_path)
    documents: list[tuple[int, dict[str, Any]]] = []
    for number, address in enumerate(addresses, 1):
        if address is None:
            left_out["unreadable"] += 1
        elif _host(address[1]) not in ours:
            left_out["of other hosts"] += 1
        else:
            documents.append((number, parsed(address[0], f"{har.name}: request {number}")))
    if len(documents) > MAX_EXCHANGES:
        raise DocumentError(
            har.name, 0, f"has {len(documents)} requests to the platform, and at most {MAX_EXCHANGES} are replayed"
        )
    exchanges = []
    for number, document in _without_secrets(har.name, documents, redactor):
        try:
            exchanges.append(_exchange(number, document))
        except _LeftOutError as error:  # noqa: PERF203 - one entry does not end the others
            left_out[str(error)] += 1
    timed = [exchange.at for exchange in exchanges if exchange.at]
    first = min(timed, default=None)
    if first is not None:
        exchanges.sort(key=lambda exchange: exchange.at or first)
    creator = har.others.get("creator")
    is_own = isinstance(creator, dict) and creator.get("name") == CREATOR
    return Recording(har.name, tuple(exchanges), ours, dict(left_out), is_own)


def _without_secrets(
    name: str, documents: list[tuple[int, dict[str, Any]]], redactor: Redactor | None
) -> Iterator[tuple[int, dict[str, Any]]]:
    found = redactor or Redactor()
    for _, document in documents:
        found.learn(document)
    redacted = [(number, found.redacted(document, f"request {number}")) for number, document in documents]
    if redactor is None and found.count:
        more = " …" if found.count > len(found.places) else ""
        advice = f"run `patchworks-sandbox har redact {name}` and compare the file that it writes, or add --redact"
        raise DocumentError(
            name, 0, f"holds {found.count} secrets or tokens ({', '.join(found.places)}{more}); {advice}"
        )
    yield from redacted


def _host(parts: SplitResult) -> str:
    """Return the host, with the port unless it is that of the scheme; nothing of what is no web address."""
    port = _PORTS.get(parts.scheme)
    return "" if port is None else parts.netloc.rpartition("@")[2].lower().removesuffix(f":{port}")


def _hosts(addresses: Iterable[tuple[object, SplitResult] | None], token_path: str) -> tuple[str, ...]:
    issuers: dict[str, None] = {}
    takers: dict[str, None] = {}
    for _, parts in filter(None, addresses):
        if not (host := _host(parts)):
            continue
        if parts.path.rstrip("/") == token_path or host == PLATFORM:
            issuers[host] = None
        elif _INBOUND.fullmatch(parts.path):
            takers[host] = None
    return tuple(issuers or takers)


def _exchange(number: int, entry: dict[str, Any]) -> Exchange:
    message, answered = entry["request"], entry.get("response")
    if not isinstance(answered, dict) or not isinstance(status := answered.get("status"), int) or status < 100:
        raise _LeftOutError("without an answer")
    if entry.get("_fault"):
        raise _LeftOutError("changed by a fault rule")
    if any(broken in str(entry.get("comment")) for broken in _BROKEN):
        raise _LeftOutError("broken off")
    if entry.get("_kind", OTHER) not in _KINDS:
        raise _LeftOutError("of process flows")
    parts = urlsplit(message["url"])
    path = parts.path or "/"
    if is_control_path(unquote(path)):
        raise _LeftOutError("of the control API")
    headers = _headers(message)
    body, size = _sent(message, headers, status)
    answer_headers = _headers(answered)
    received = _received(answered, answer_headers)
    return Exchange(
        number,
        _time(entry),
        Request(
            method=message["method"],
            path=unquote(path),
            query=parts.query,
            headers=headers,
            remote_addr="127.0.0.1",
            body=body,
            body_size=size,
            raw_path=path,
            base_url=f"{parts.scheme}://{header_in(headers, 'host') or parts.netloc.rpartition('@')[2]}",
        ),
        Answer(status, answer_headers, received or b""),
        received is not None,
        entry["_clientId"] if isinstance(entry.get("_clientId"), str) else None,
    )


def _time(entry: Mapping[str, Any]) -> datetime | None:
    """Return when the request was received: on the sandbox clock, where the recording is the export of a journal."""
    for name in ("_receivedAt", "startedDateTime"):
        with suppress(InvalidValueError):
            return parse_instant(entry.get(name))
    return None


def _headers(message: Mapping[str, Any]) -> Headers:
    """Return the headers without the pseudo headers of HTTP/2."""
    return tuple((name, value) for name, value in headers_of(message) if name and not name.startswith(":"))


def header_in(headers: Headers, name: str) -> str:
    """Return the last header of a name, given in lower case; an empty text where there is none."""
    return next((value for key, value in reversed(headers) if key.lower() == name), "")


def _sent(message: Mapping[str, Any], headers: Headers, status: int) -> tuple[bytes, int]:
    """Return the body of a request and its size, also where only the size was recorded, as of one that is too large."""
    announced = message.get("bodySize")
    size = announced if isinstance(announced, int) and announced > 0 else 0
    data = message.get("postData")
    body = _posted(data, headers) if isinstance(data, dict) else b""
    if body or not size:
        return body, len(body)
    if status != 413:
        raise _LeftOutError("without the body that was sent")
    return b"", size


def _posted(data: Mapping[str, Any], headers: Headers) -> bytes:
    text = data.get("text")
    encoded = data.get("_base64") or (text if data.get("encoding") == "base64" else None)
    if isinstance(encoded, str):
        return _decoded(encoded, "with a body that cannot be read")
    if isinstance(text, str) and text:
        return text.encode("utf-8", "surrogateescape")
    params = data.get("params")
    pairs = [
        (param["name"], str(param.get("value") or ""))
        for param in (params if isinstance(params, list) else ())
        if isinstance(param, dict) and isinstance(param.get("name"), str)
    ]
    if not pairs:
        return b""
    declared = header_in(headers, "content-type") or str(data.get("mimeType") or "")
    boundary = _BOUNDARY.search(declared)
    if media_type(declared) == MULTIPART and boundary:
        line = f"--{boundary[1]}"
        parts = [f'{line}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in pairs]
        return "".join([*parts, f"{line}--\r\n"]).encode()
    return "&".join(f"{_form_text(name)}={_form_text(value)}" for name, value in pairs).encode()


def _form_text(text: str) -> str:
    """Return a name or a value as a form has it; browsers record some encoded already."""
    return text if re.fullmatch(r"[\w.~+*-]*(?:%[0-9A-Fa-f]{2}[\w.~+*-]*)+", text, re.ASCII) else quote_plus(text)


def _received(message: Mapping[str, Any], headers: Headers) -> bytes | None:
    """Return the body of an answer; ``None`` where it was not recorded."""
    content = message.get("content")
    if not isinstance(content, dict):
        return None
    text, size = content.get("text"), content.get("size")
    if not isinstance(text, str):
        return None if isinstance(size, int) and size > 0 else b""
    if content.get("encoding") != "base64":
        return text.encode("utf-8", "surrogateescape")
    body = _decoded(text, "with an answer that cannot be read")
    encoding = header_in(headers, "content-encoding").strip().lower()
    body = unpacked(body) if encoding in _UNPACKED else body
    if encoding not in ("", "identity"):
        try:
            body.decode()
        except UnicodeDecodeError:  # still compressed
            raise _LeftOutError("with an answer that cannot be read") from None
    return body


def _decoded(text: str, problem: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise _LeftOutError(problem) from None


def names_service(request: Request) -> tuple[str, str] | None:
    """Return company and vanity URL of the inbound URL that a request was sent to; ``None`` for another path."""
    if not _INBOUND.fullmatch(request.path):
        return None
    company, vanity_url = request.path.strip("/").split("/")[1:]
    return company, vanity_url
