"""The way of every request to the emulated API: receive, serve, close the journal entry, answer.

A WSGI middleware around the emulated Flask application. It reads the body once, within its limit, and hands it on in
memory, to the application or straight to the endpoint that needs no routing. Whatever happens after that, the entry is
closed before a byte of the answer leaves.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import io
import os
from collections.abc import Callable, Iterable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, cast

from typing_extensions import assert_never

from sandbox.faults.book import Act
from sandbox.faults.cancellation import Cancellation
from sandbox.faults.effects import Delayed, Effect, Empty, Garbage, Reset, Silence, Slow, Truncated, recorded, told
from sandbox.faults.injection import inject
from sandbox.foundation.answer import Answer
from sandbox.foundation.errors import IncompleteBodyError, NotKeptError, PayloadTooLargeError, RefusalError
from sandbox.journal.journal import Exchange, Headers
from sandbox.platform.platform import Platform
from sandbox.platform.serve import Endpoint, _failed, _not_kept, _refused
from sandbox.state.sandbox import Sandbox
from sandbox.web.environ import RAW_HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONNECTION: Final = "sandbox.connection"
"""Key of the WSGI environment under which a server may offer the connection itself."""

_STATUS_LINES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_CLOSE: Final = ("Connection", "close")
_CLOSED: Final = "Remote end closed connection without response"


Inflictable: TypeAlias = Delayed | Slow | Truncated | Garbage | Empty | Reset | Silence
"""An effect that is more than an answer."""


class TakeableConnection(Protocol):
    """A connection that a server offers: it can be made to fail."""

    def inflict(self, effect: Inflictable, date: str, cancellation: Cancellation) -> None:
        """Bring an effect about. ``cancellation`` ends whatever takes time."""


class DateStamp:
    """The ``Date`` header, made anew once a second."""

    def __init__(self) -> None:
        self._last = (-1, "")

    def __call__(self, timestamp: float) -> str:
        """Return the header's value for a time in Unix seconds."""
        second, text = self._last
        if second != int(timestamp):
            second, text = int(timestamp), formatdate(timestamp, usegmt=True)
            self._last = (second, text)
        return text


def send(answer: Answer, start_response: StartResponse, date: str, *, close: bool = False) -> Iterable[bytes]:
    """Send an answer the ordinary way; with ``close`` the connection is not used again."""
    headers = _headers(answer, date)
    if close:
        headers.append(_CLOSE)
    start_response(_status_line(answer.status), headers)
    return [answer.body]


def perform(
    effect: Inflictable,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    *,
    date: str,
    cancellation: Cancellation,
) -> Iterable[bytes]:
    """Bring an effect about. ``cancellation`` ends whatever takes time."""
    connection = environ.get(CONNECTION)
    if connection is None:
        return _mimic(effect, start_response, date, cancellation)
    cast(TakeableConnection, connection).inflict(effect, date, cancellation)
    return []


def _mimic(
    effect: Inflictable,
    start_response: StartResponse,
    date: str,
    cancellation: Cancellation,
) -> Iterable[bytes]:
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
    """Cut a body into pieces of about the same size, the last of them due after so many seconds."""
    for number in range(1, pieces + 1):
        piece = body[len(body) * (number - 1) // pieces : len(body) * number // pieces]
        yield seconds * number / pieces, piece


def head(answer: Answer, date: str) -> bytes:
    """Return the head of an answer, after which the connection ends."""
    headers = [*_headers(answer, date), _CLOSE]
    lines = [f"HTTP/1.1 {_status_line(answer.status)}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _headers(answer: Answer, date: str) -> list[tuple[str, str]]:
    """Return the headers on the wire; the answer to HEAD tells the length of what it leaves out itself."""
    headers = [*answer.headers, ("Date", date)]
    if all(name != "Content-Length" for name, _ in headers):
        headers.append(("Content-Length", str(len(answer.body))))
    return headers


def _status_line(status: int) -> str:
    return _STATUS_LINES.get(status) or f"{status} Unknown"


EXCHANGE: Final = "sandbox.exchange"
PLATFORM: Final = "sandbox.platform"
CHUNK: Final = 64 * 1024
DRAIN_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of an oversized body read and thrown away so that the client gets to see the 413."""


class Pipeline:
    """WSGI middleware that puts every request to the emulated API into the journal.

    ``endpoint_for`` returns the endpoint of a request that ``app`` need not route.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        app: WSGIApplication,
        endpoint_for: Callable[[Exchange], Endpoint | None],
    ) -> None:
        self._sandbox = sandbox
        self._app = app
        self._endpoint_for = endpoint_for
        self._date = DateStamp()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request."""
        platform = self._sandbox.platform
        exchange = _received(environ, platform)
        unread = True
        try:
            _read_body(environ, exchange, platform.settings.body_limit)
            unread = False
            answer = self._answer(environ, exchange, platform)
        except RefusalError as error:
            answer = _refused(platform, exchange, error, _base_url(environ))
            error.__traceback__ = error.__context__ = None  # they lead to a frame of Flask's that holds the error
        except Exception as error:  # noqa: BLE001 - answered and logged like any other request
            answer = _failed(platform, exchange, error, _base_url(environ))
        if exchange.rate is not None:  # counted by the throttle (WIRE D)
            limit, remaining = exchange.rate
            answer = answer.with_headers(("X-RateLimit-Limit", str(limit)), ("X-RateLimit-Remaining", str(remaining)))
        if exchange.method == "HEAD":
            answer = answer.without_body()
        effect: Effect = answer
        if isinstance(exchange.act, Act):
            effect = inject(exchange.act, answer)
            exchange.effect = f"{exchange.act.fault.kind}: {told(effect)}"
        effect = _closed(platform, exchange, effect, environ)
        date = self._date(platform.clock.timestamp())
        if isinstance(effect, Answer):
            return send(effect, start_response, date, close=unread)
        assert isinstance(exchange.act, Act)
        return perform(effect, environ, start_response, date=date, cancellation=exchange.act.cancellation)

    def _answer(self, environ: WSGIEnvironment, exchange: Exchange, platform: Platform) -> Answer:
        endpoint = self._endpoint_for(exchange)
        if endpoint is not None:
            return endpoint(exchange, platform)
        if exchange.kind == "other":
            platform.disturb(exchange)
        environ[EXCHANGE], environ[PLATFORM] = exchange, platform
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(exchange.body), str(len(exchange.body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        _prepare_routing(environ)
        return _ask(self._app, environ)


def _closed(platform: Platform, exchange: Exchange, effect: Effect, environ: WSGIEnvironment) -> Effect:
    """Close a journal entry; return the effect, or the answer that takes its place where the entry was not kept."""
    seen = recorded(effect)
    try:
        platform.journal.close(exchange, seen.status, seen.headers, seen.body)
    except NotKeptError as error:
        return _not_kept(platform, exchange, error, _base_url(environ))
    return effect


def _received(environ: WSGIEnvironment, platform: Platform) -> Exchange:
    exchange = Exchange(
        method=environ["REQUEST_METHOD"],
        path=_unquoted(environ.get("PATH_INFO", "")) or "/",
        query=_unquoted(environ.get("QUERY_STRING", "")),
        headers=environ.get(RAW_HEADERS) or _headers_of(environ),
        remote_addr=environ.get("REMOTE_ADDR", ""),
        received_at=platform.clock.timestamp(),
        wall_time=platform.clock.wall_timestamp(),
    )
    target = _unquoted(environ.get("REQUEST_URI", ""))
    if target.startswith("/"):
        exchange.raw_path = target.partition("?")[0]
    platform.classify(exchange)
    return exchange


def _unquoted(text: str) -> str:
    """Turn WSGI's latin-1 text into the UTF-8 it stands for."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")


def _headers_of(environ: WSGIEnvironment) -> Headers:
    """Rebuild the headers from the environment, for servers and test clients that do not hand them over."""
    headers = [
        (key[5:].replace("_", "-").title(), str(value)) for key, value in environ.items() if key.startswith("HTTP_")
    ]
    entity = ("CONTENT_TYPE", "CONTENT_LENGTH")
    headers += [(name.replace("_", "-").title(), str(environ[name])) for name in entity if environ.get(name)]
    return tuple(headers)


def _read_body(environ: WSGIEnvironment, exchange: Exchange, limit: int) -> None:
    """Read the body into the exchange; raise a ``RefusalError``.

    Of a body that ends too early or comes too slowly, what did arrive is kept; of one too large, nothing.
    """
    declared = environ.get("CONTENT_LENGTH")
    length = int(declared) if declared and declared.isdecimal() else None
    if length is None and "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        length = 0
    exchange.body_size = length or 0
    stream = environ["wsgi.input"]
    if length is not None and length > limit:
        _drain(stream, length)
        raise PayloadTooLargeError(length, limit)
    parts: list[bytes] = []
    try:
        size = _collect(stream, length, limit, parts)
    except TimeoutError:
        exchange.body = b"".join(parts)
        raise IncompleteBodyError(f"body_too_slow: {len(exchange.body)} bytes came in time") from None
    except (OSError, ValueError) as error:
        exchange.body = b"".join(parts)
        raise IncompleteBodyError(f"incomplete_body: {str(error) or type(error).__name__}") from None
    if size > limit:
        exchange.body_size = size
        _drain(stream, DRAIN_LIMIT)
        raise PayloadTooLargeError(None, limit)
    exchange.body = parts[0] if len(parts) == 1 else b"".join(parts)
    if length is not None and size < length:
        raise IncompleteBodyError(f"incomplete_body: {size} of {length} bytes came")
    exchange.body_size = size


def _collect(stream: Any, length: int | None, limit: int, parts: list[bytes]) -> int:
    """Read up to ``length`` bytes, or to the end of a body in chunks; no further than just beyond the limit."""
    read = getattr(stream, "read1", stream.read)  # `read` would lose what came before an error
    size = 0
    while size != length and size <= limit:
        part = read(CHUNK if length is None else min(CHUNK, length - size))
        if not part:
            break
        parts.append(part)
        size += len(part)
    return size


def _drain(stream: Any, length: int) -> None:
    """Read and throw away what is still coming: many a client reads the answer only when all is sent."""
    left = min(length, DRAIN_LIMIT)
    with contextlib.suppress(OSError, ValueError):
        while left > 0 and (part := stream.read(min(CHUNK, left))):
            left -= len(part)


def _prepare_routing(environ: WSGIEnvironment) -> None:
    """Let the application look up the route as the framework does: HEAD is GET, and slashes at the end do not count."""
    environ["PATH_INFO"] = environ.get("PATH_INFO", "").rstrip("/") or "/"
    if environ["REQUEST_METHOD"] == "HEAD":
        environ["REQUEST_METHOD"] = "GET"


def _ask(app: Callable[..., Iterable[bytes]], environ: WSGIEnvironment) -> Answer:
    """Call a WSGI application and return its response as a value."""
    head: list[Any] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        head[:] = [int(status[:3]), tuple((name, value) for name, value in headers if name.lower() != "content-length")]
        return head.append  # WSGI's way to write: Flask never uses it

    chunks = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    return Answer(head[0], head[1], body)


def _base_url(environ: WSGIEnvironment) -> str:
    host = environ.get("HTTP_HOST") or f"{environ.get('SERVER_NAME')}:{environ.get('SERVER_PORT')}"
    return f"{environ.get('wsgi.url_scheme', 'http')}://{host}"
