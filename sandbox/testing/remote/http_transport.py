"""Requests to a control API over a transport of its own, which the HTTP mocks of a test do not catch.

``responses``, ``requests_mock``, ``vcr`` and their like stand in for the client library of the code under test. The
verbs of a handle pass by them: they go over ``http.client``, whose classes are taken before a mock can replace them. A
session that the caller gives is used as it is.
"""

from __future__ import annotations

import http.client
import os
import selectors
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from sandbox._version import __version__

if TYPE_CHECKING:
    import requests

_CA_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_PIECE: Final = 64 * 1024
_PORTS: Final = {"http": 80, "https": 443}
_Plain: Any = getattr(http.client.HTTPConnection, "_baseclass", http.client.HTTPConnection)
_OverTls: Any = getattr(http.client.HTTPSConnection, "_baseclass", http.client.HTTPSConnection)
"""The classes of the standard library, also where vcr has put others in their place, which name theirs so."""


class OwnTransport:
    """Keeps connections alive, goes by the environment's proxies beyond loopback, and trusts ``ca_file`` for https.

    Without a file it trusts that of ``REQUESTS_CA_BUNDLE`` or ``CURL_CA_BUNDLE``, else the authorities that
    ``requests`` trusts.
    """

    def __init__(self, base_url: str, ca_file: str | None) -> None:
        parts = urlsplit(base_url)
        self._scheme, self._host = parts.scheme, parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._ca_file = ca_file
        self._idle: list[http.client.HTTPConnection] = []
        is_near = self._host in _LOOPBACK or proxy_bypass(f"{self._host}:{self._port}")
        self._proxy = None if is_near else getproxies().get(self._scheme)

    def send(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], timeouts: tuple[float, float]
    ) -> Answer:
        """Return the answer to a request; ``timeouts`` are those of connecting and of reading, in seconds."""
        connection = self._connection(timeouts[0])
        target = url if self._proxy and self._scheme == "http" else url[url.index("/", url.index("//") + 2) :]
        sent = {"User-Agent": f"patchworks-sandbox/{__version__}", **headers}
        if self._proxy and self._scheme == "http":
            sent |= _proxy_authorization(self._proxy)
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(timeouts[1])
            connection.request(method, target, body, sent)
            return _OwnAnswer(connection, connection.getresponse(), self._idle)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        while self._idle:
            connection = self._idle.pop()
            if not _has_ended(connection):
                return connection
            connection.close()
        context = {"context": self._context()} if self._scheme == "https" else {}
        kind = _OverTls if self._scheme == "https" else _Plain
        if self._proxy is None:
            made: http.client.HTTPConnection = kind(self._host, self._port, timeout=timeout, **context)
            return made
        proxy = urlsplit(self._proxy if "//" in self._proxy else f"//{self._proxy}")
        made = kind(proxy.hostname, proxy.port or 80, timeout=timeout, **context)
        if self._scheme == "https":
            made.set_tunnel(self._host, self._port, _proxy_authorization(self._proxy))
        return made

    def _context(self) -> ssl.SSLContext:
        trusted = self._ca_file or next(filter(None, map(os.environ.get, _CA_VARIABLES)), None)
        if trusted is None:
            from requests.utils import DEFAULT_CA_BUNDLE_PATH

            trusted = DEFAULT_CA_BUNDLE_PATH
        if os.path.isdir(trusted):  # noqa: PTH112 - it may be anything
            return ssl.create_default_context(capath=trusted)
        return ssl.create_default_context(cafile=trusted)


def _proxy_authorization(proxy: str) -> dict[str, str]:
    parts = urlsplit(proxy)
    if parts.username is None:
        return {}
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(credentials.encode()).decode('ascii')}"}


def _has_ended(connection: http.client.HTTPConnection) -> bool:
    """Return whether the other side has closed an idle connection: then there is something to read."""
    if connection.sock is None:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(0))


class _OwnAnswer:
    def __init__(
        self,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
        idle: list[http.client.HTTPConnection],
    ) -> None:
        self.status = response.status
        self._connection, self._response, self._idle = connection, response, idle

    def pieces(self) -> Iterator[bytes]:
        while piece := self._response.read1(_PIECE):
            yield piece
        self._check_end()

    def lines(self, *, at_once: bool) -> Iterator[bytes]:
        for line in self._response:
            yield line.rstrip(b"\r\n")
        self._check_end()

    def _check_end(self) -> None:
        """Raise ``IncompleteRead`` where the body is shorter than announced."""
        if self._response.length:
            raise http.client.IncompleteRead(b"", self._response.length)

    def close(self) -> None:
        length = self._response.length
        is_read = self._response.isclosed() if length is None else length == 0
        if is_read and not self._response.will_close:
            self._response.close()
            self._idle.append(self._connection)
        else:
            self._connection.close()


class SessionTransport:
    """Sends requests by a session of ``requests`` that the caller has given, with what is set in it."""

    def __init__(self, session: requests.Session, ca_file: str | None) -> None:
        self._session = session
        self._ca_file = ca_file

    def send(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], timeouts: tuple[float, float]
    ) -> Answer:
        import requests

        def with_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
            # Last of all: headers of a request would yield to a .netrc, and a redirect would leak the key.
            request.headers.update(headers)
            return request

        try:
            response = self._session.request(
                method,
                url,
                data=body,
                auth=with_headers,
                timeout=timeouts,
                stream=True,
                verify=self._ca_file,  # here: that of the session yields to the environment
            )
        except requests.RequestException as error:
            raise _as_of_sockets(error) from None
        return _SessionAnswer(response)

    def close(self) -> None:
        self._session.close()


class _SessionAnswer:
    def __init__(self, response: requests.Response) -> None:
        self.status = response.status_code
        self._response = response

    def pieces(self) -> Iterator[bytes]:
        yield from self._reading(self._response.iter_content(_PIECE))

    def lines(self, *, at_once: bool) -> Iterator[bytes]:
        yield from self._reading(self._response.iter_lines(1 if at_once else _PIECE))  # urllib3 waits for a full piece

    def _reading(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        import requests

        try:
            yield from parts
        except requests.RequestException as error:
            raise _as_of_sockets(error) from None

    def close(self) -> None:
        self._response.close()


def _as_of_sockets(error: requests.RequestException) -> Exception:
    """Return an error of ``requests`` as that of a socket, with its innermost cause: each layer adds a paragraph."""
    import requests

    found: BaseException = error
    seen = {id(found)}
    while (inner := _inner(found)) is not None and id(inner) not in seen:
        seen.add(id(inner))
        found = inner
    cause = getattr(found, "strerror", None) or str(found) or type(found).__name__
    match error:
        case requests.Timeout():
            return TimeoutError(cause)
        case requests.exceptions.SSLError():
            return ssl.SSLError(1, cause)
        case requests.ConnectionError():
            return ConnectionError(cause)
        case _:
            return http.client.HTTPException(cause)


def _inner(error: BaseException) -> BaseException | None:
    return error.__cause__ or next((arg for arg in error.args if isinstance(arg, BaseException)), error.__context__)


Transport: TypeAlias = OwnTransport | SessionTransport
"""Sends requests; raises ``OSError`` and ``http.client.HTTPException``, and nothing else."""

Answer: TypeAlias = _OwnAnswer | _SessionAnswer
"""An answer that has begun to come. Lines ``at_once`` come each as soon as it is there, which may be slower."""
