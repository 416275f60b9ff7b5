"""The WSGI face of the emulated API: an environ becomes a request, and the effect becomes a WSGI answer.

It serves where the application is mounted. A fault that no WSGI answer can express raises the exception that Python's
``http.client`` raises for such a connection. The server of this package performs effects on the connection itself.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from typing_extensions import assert_never

from sandbox.faults.effects import Cancellation, Delayed, Empty, Garbage, Relayed, Reset, Silence, Slow, Truncated
from sandbox.foundation.answer import Answer, Headers
from sandbox.foundation.refusals import IncompleteBodyError, PayloadTooLargeError, RefusalError
from sandbox.journal.request import Request
from sandbox.platform.serve import DateStamp, serve
from sandbox.state.sandbox import Sandbox
from sandbox.web.environ import RAW_HEADERS
from sandbox.web.http.request_head import Head, as_utf_8

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_STATUS_LINES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_CLOSE: Final = ("Connection", "close")
_CLOSED: Final = "Remote end closed connection without response"


Inflictable: TypeAlias = Delayed | Slow | Relayed | Truncated | Garbage | Empty | Reset | Silence
"""An effect that is more than an answer."""


def send(answer: Answer, start_response: StartResponse, date: str, *, close: bool = False) -> Iterable[bytes]:
    """Send an answer the ordinary way; with ``close`` the connection is not used again."""
    headers = _headers(answer, date)
    if close:
        headers.append(_CLOSE)
    start_response(_status_line(answer), headers)
    return [answer.body]


def mimic(effect: Inflictable, start_response: StartResponse, date: str, cancellation: Cancellation) -> Iterable[bytes]:
    """Make an effect happen, as far as WSGI allows it. ``cancellation`` ends an effect that takes time."""
    match effect:
        case Reset():
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        case Empty():
            raise http.client.RemoteDisconnected(_CLOSED)
        case Silence():
            raise TimeoutError("timed out")
        case Delayed(answer, seconds):
            _sleep(seconds, cancellation)
            return send(answer, start_response, date)
        case Slow(answer, seconds, pieces):
            send(answer, start_response, date)
            return _dribble(spread(answer.body, seconds, pieces), cancellation)
        case Relayed(answer, sent, chunked):
            length = [] if chunked else [("Content-Length", str(len(sent)))]
            start_response(_status_line(answer), [*_unframed(answer, date), *length])
            return [sent]
        case Truncated(answer, kept):
            raise http.client.IncompleteRead(answer.body[:kept], len(answer.body) - kept)
        case Garbage(data):
            raise http.client.BadStatusLine(data.decode("latin-1").partition("\r\n")[0])
        case _:
            assert_never(effect)


def _sleep(seconds: float, cancellation: Cancellation) -> None:
    if cancellation.wait(seconds):
        raise http.client.RemoteDisconnected(_CLOSED)


def _dribble(steps: Iterable[tuple[float, bytes]], cancellation: Cancellation) -> Iterator[bytes]:
    waited = 0.0
    for due, piece in steps:
        _sleep(due - waited, cancellation)
        waited = due
        yield piece


def spread(body: bytes, seconds: float, pieces: int) -> Iterator[tuple[float, bytes]]:
    """Cut a body into pieces of about the same size; yield each with its time in seconds, the last with ``seconds``."""
    for number in range(1, pieces + 1):
        piece = body[len(body) * (number - 1) // pieces : len(body) * number // pieces]
        yield seconds * number / pieces, piece


def head(answer: Answer, date: str, *, connection: str = "close") -> bytes:
    """Return the head of an answer; ``connection`` is the value of the header of that name, which may be left out."""
    return _head(answer, _headers(answer, date), connection)


class LastHead:
    """Makes the heads of answers. That of the last is kept: most answers of a second have the same."""

    def __init__(self) -> None:
        self._headers: Headers = ()
        self._like: tuple[object, ...] = ()
        self._head = b""

    def __call__(self, answer: Answer, date: str, connection: str) -> bytes:
        """Return the head of an answer, as ``head`` does."""
        like = answer.status, answer.phrase, len(answer.body), date, connection
        if answer.headers is not self._headers or like != self._like:
            self._headers, self._like = answer.headers, like
            self._head = head(answer, date, connection=connection)
        return self._head


def relayed(
    answer: Answer, sent: bytes, date: str, request: Head, *, chunked: bool, persists: bool
) -> tuple[bytes, bool]:
    """Return an answer in one chunk or with its length, and whether the connection lives on.

    In HTTP/1.0, which has no chunks, the end of the answer is the close.
    """
    framing: Headers = (("Content-Length", str(len(sent))),)
    if request.method == "HEAD" or answer.status in (204, 304):
        framing, sent = (), b""
    elif chunked and request.protocol == "HTTP/1.1":
        framing = (("Transfer-Encoding", "chunked"),)
        sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(sent), sent) if sent else b"0\r\n\r\n"
    elif chunked:
        framing, persists = (), False
    headers = [*_unframed(answer, date), *framing]
    return _head(answer, headers, "keep-alive" if persists else "close") + sent, persists


def of_fault(answer: Answer, *, persists: bool) -> tuple[Answer, bool]:
    """Return the answer of a fault without its ``Connection`` header, and whether the connection lives on for it."""
    options = [value for name, value in answer.headers if name.lower() == "connection"]
    if not options:
        return answer, persists
    headers = tuple(header for header in answer.headers if header[0].lower() != "connection")
    return Answer(answer.status, headers, answer.body, answer.phrase), persists and "close" not in options


def _head(answer: Answer, headers: list[tuple[str, str]], connection: str) -> bytes:
    if connection:
        headers.append(("Connection", connection))
    lines = [f"HTTP/1.1 {_status_line(answer)}", *[f"{name}: {value}" for name, value in headers], "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _headers(answer: Answer, date: str) -> list[tuple[str, str]]:
    """Return the headers on the wire.

    The answer to HEAD has the length of its body already; 204 and 304 have no length (RFC 9110 §8.6).
    """
    headers = _dated(answer.headers, date)
    if answer.status not in (204, 304) and all(name != "Content-Length" for name, _ in headers):
        headers.append(("Content-Length", str(len(answer.body))))
    return headers


def _unframed(answer: Answer, date: str) -> list[tuple[str, str]]:
    return _dated([header for header in answer.headers if header[0] != "Content-Length"], date)


def _dated(given: Sequence[tuple[str, str]], date: str) -> list[tuple[str, str]]:
    """Return headers with the date, which servers in front of the platform put after their name.

    A fault may have a date of its own (RFC 9110 §6.6.1: one at most).
    """
    if any(len(name) == 4 and name.lower() == "date" for name, _ in given):
        return list(given)
    headers = [*given, ("Date", date)]
    if headers[0][0] == "Server":
        headers.insert(1, headers.pop())
    return headers


def _status_line(answer: Answer) -> str:
    if answer.phrase is not None:
        return f"{answer.status} {answer.phrase}"
    return _STATUS_LINES.get(answer.status) or f"{answer.status} Unknown"


CHUNK: Final = 64 * 1024
DRAIN_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of an oversized body that are read and dropped, so that the client sees the 413."""


class EmulatedFace:
    """The emulated API of a sandbox as a WSGI application."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._date = DateStamp()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request."""
        platform = self._sandbox.platform
        request = read_request(environ, platform.settings.body_limit)
        served = serve(platform, request)
        date = self._date(served.timestamp)
        if isinstance(served.effect, Answer):
            return send(served.effect, start_response, date, close=request.problem is not None)
        assert served.cancellation is not None
        return mimic(served.effect, start_response, date, served.cancellation)


def read_request(environ: WSGIEnvironment, body_limit: int) -> Request:
    """Return the request of an environ; its body is read, within the limit in bytes."""
    target = as_utf_8(environ.get("REQUEST_URI", ""))
    host = environ.get("HTTP_HOST") or f"{environ.get('SERVER_NAME')}:{environ.get('SERVER_PORT')}"
    request = Request(
        method=environ["REQUEST_METHOD"],
        path=as_utf_8(environ.get("PATH_INFO", "")) or "/",
        query=as_utf_8(environ.get("QUERY_STRING", "")),
        headers=environ.get(RAW_HEADERS) or _headers_of(environ),
        remote_addr=environ.get("REMOTE_ADDR", ""),
        raw_path=target.partition("?")[0] if target.startswith("/") else "",
        base_url=f"{environ.get('wsgi.url_scheme', 'http')}://{host}",
    )
    try:
        _read_body(environ, request, body_limit)
    except RefusalError as error:
        request.problem = error
    return request


def _headers_of(environ: WSGIEnvironment) -> Headers:
    """Rebuild the headers from the environment, for servers and test clients that do not hand them over."""
    headers = [
        (key[5:].replace("_", "-").title(), str(value)) for key, value in environ.items() if key.startswith("HTTP_")
    ]
    entity = ("CONTENT_TYPE", "CONTENT_LENGTH")
    headers += [(name.replace("_", "-").title(), str(environ[name])) for name in entity if environ.get(name)]
    return tuple(headers)


def _read_body(environ: WSGIEnvironment, request: Request, limit: int) -> None:
    """Read the body into the request; raise a ``RefusalError``.

    A body that ends too early or comes too slowly is kept as far as it came; a body that is too large is not kept.
    """
    declared = environ.get("CONTENT_LENGTH")
    length = int(declared) if declared and declared.isdecimal() else None
    if length is None and "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        length = 0
    request.body_size = length or 0
    stream = environ["wsgi.input"]
    if length is not None and length > limit:
        _drain(stream, length)
        raise PayloadTooLargeError(length, limit)
    parts: list[bytes] = []
    try:
        size = _collect(stream, length, limit, parts)
    except TimeoutError:
        request.body = b"".join(parts)
        raise IncompleteBodyError(f"body_too_slow: {len(request.body)} bytes came in time") from None
    except (OSError, ValueError) as error:
        request.body = b"".join(parts)
        raise IncompleteBodyError(f"incomplete_body: {str(error) or type(error).__name__}") from None
    if size > limit:
        request.body_size = size
        _drain(stream, DRAIN_LIMIT)
        raise PayloadTooLargeError(None, limit)
    request.body = parts[0] if len(parts) == 1 else b"".join(parts)
    if length is not None and size < length:
        raise IncompleteBodyError(f"incomplete_body: {size} of {length} bytes came")
    request.body_size = size


def _collect(stream: Any, length: int | None, limit: int, parts: list[bytes]) -> int:
    """Read up to ``length`` bytes, or to the end of a body in chunks; no further than just beyond the limit."""
    read = getattr(stream, "read1", stream.read)  # `read` loses the bytes before an error
    size = 0
    while size != length and size <= limit:
        part = read(CHUNK if length is None else min(CHUNK, length - size))
        if not part:
            break
        parts.append(part)
        size += len(part)
    return size


def _drain(stream: Any, length: int) -> None:
    """Read and drop the rest of a body: many clients read the answer only after they have sent all of it."""
    left = min(length, DRAIN_LIMIT)
    with contextlib.suppress(OSError, ValueError):
        while left > 0 and (part := stream.read(min(CHUNK, left))):
            left -= len(part)
