"""Bringing about what a client is made to see: the last step of a request, after its journal entry is closed.

Where the server lets us have the connection, failures are real ones on the wire, and waiting is the parking's. Where it
does not (Flask's test client, an application mounted elsewhere) the exception is raised that Python's ``http.client``
would have raised.
"""

from __future__ import annotations

import errno
import http.client
import os
import socket
from collections.abc import Iterable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol, cast

from typing_extensions import assert_never

from sandbox.answer import Answer
from sandbox.effects import Delayed, Empty, Garbage, Reset, Silence, Slow, Truncated
from sandbox.faults.cancellation import Cancellation
from sandbox.parking import Parking

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CONNECTION: Final = "sandbox.connection"
"""Key of the WSGI environment under which a server may offer the connection itself."""

_STATUS_LINES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_CLOSE: Final = ("Connection", "close")
_CLOSED: Final = "Remote end closed connection without response"


class TakeableConnection(Protocol):
    """What a server offers: end the connection, or hand it over."""

    def reset(self) -> None:
        """End it with RST."""

    def close(self) -> None:
        """End it with FIN."""

    def detach(self) -> socket.socket:
        """Hand the socket over."""


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
    effect: Delayed | Slow | Truncated | Garbage | Empty | Reset | Silence,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    *,
    date: str,
    parking: Parking,
    cancellation: Cancellation,
) -> Iterable[bytes]:
    """Bring an effect about. ``cancellation`` ends whatever takes time."""
    connection = environ.get(CONNECTION)
    if connection is None:
        return _mimic(effect, start_response, date, cancellation)
    _inflict(effect, cast(TakeableConnection, connection), date, parking, cancellation)
    return []


def _inflict(
    effect: Delayed | Slow | Truncated | Garbage | Empty | Reset | Silence,
    connection: TakeableConnection,
    date: str,
    parking: Parking,
    cancellation: Cancellation,
) -> None:
    match effect:
        case Reset():
            connection.reset()
        case Empty():
            connection.close()
        case Silence(seconds):
            parking.park(connection.detach(), (), seconds, cancellation)
        case Delayed(answer, seconds):
            parking.park(connection.detach(), [(seconds, _head(answer, date) + answer.body)], None, cancellation)
        case Slow(answer, seconds, pieces):
            steps = [(0.0, _head(answer, date)), *_spread(answer.body, seconds, pieces)]
            parking.park(connection.detach(), steps, None, cancellation)
        case Truncated(answer, kept):
            parking.park(connection.detach(), [(0.0, _head(answer, date) + answer.body[:kept])], None, cancellation)
        case Garbage(data):
            parking.park(connection.detach(), [(0.0, data)], None, cancellation)
        case _:
            assert_never(effect)


def _mimic(
    effect: Delayed | Slow | Truncated | Garbage | Empty | Reset | Silence,
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
            return _dribble(_spread(answer.body, seconds, pieces), cancellation)
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


def _spread(body: bytes, seconds: float, pieces: int) -> Iterator[tuple[float, bytes]]:
    """Cut a body into pieces of about the same size, the last of them due after so many seconds."""
    for number in range(1, pieces + 1):
        piece = body[len(body) * (number - 1) // pieces : len(body) * number // pieces]
        yield seconds * number / pieces, piece


def _head(answer: Answer, date: str) -> bytes:
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
