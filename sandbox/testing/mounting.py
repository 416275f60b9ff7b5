"""A sandbox without sockets: its WSGI application as the transport of a ``requests.Session``.

The application gets the environ that a server would make of the request, and the session the response that ``requests``
would make of the answer; no HTTP is written and parsed. A fault that withholds the answer raises the error that
``requests`` raises for it on a socket.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Mapping
from email.utils import formatdate
from importlib.metadata import version
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from sandbox.web.environ import add_request, bare_environ

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_LOOPBACK: Final = "127.0.0.1"


class WSGIAdapter(HTTPAdapter):
    """Hands requests to a WSGI application in place of a server."""

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self._app = app

    def send(  # noqa: PLR0917 - as the base class has it
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Call the application and return its answer."""
        try:
            raw = self._ask(request)
        except TimeoutError as error:
            raise requests.ReadTimeout(error, request=request) from error
        except http.client.IncompleteRead as error:
            raise requests.exceptions.ChunkedEncodingError(error, request=request) from error
        except (OSError, http.client.HTTPException) as error:
            raise requests.ConnectionError(error, request=request) from error
        return self.build_response(request, raw)

    def _ask(self, request: requests.PreparedRequest) -> HTTPResponse:
        status = ""
        headers: list[tuple[str, str]] = []
        body: list[bytes] = []

        def start_response(line: str, fields: list[tuple[str, str]], exc_info: object = None) -> Any:
            nonlocal status, headers
            status, headers = line, fields
            return body.append

        parts = self._app(_environ(request), start_response)
        try:
            body.extend(parts)
        finally:
            getattr(parts, "close", lambda: None)()
        return _response(request, status, headers, b"".join(body))


def _received(headers: list[tuple[str, str]]) -> Any:
    """Return the fields of an answer as ``requests`` looks for cookies in them."""
    message = http.client.HTTPMessage()
    for name, value in headers:
        message.add_header(name, value)
    return SimpleNamespace(msg=message, isclosed=lambda: True, close=lambda: None)


def _response(
    request: requests.PreparedRequest, status: str, headers: list[tuple[str, str]], body: bytes
) -> HTTPResponse:
    code, _, reason = status.partition(" ")
    fields = HTTPHeaderDict(headers)
    if "date" not in fields:  # a server adds it
        fields.add("Date", formatdate(usegmt=True))
    return HTTPResponse(
        body=io.BytesIO(body),
        headers=fields,
        status=int(code),
        reason=reason,
        version=11,
        preload_content=False,
        original_response=_received(headers) if "set-cookie" in fields else None,
        request_method=request.method,
    )


def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
    assert request.url is not None
    parts = urlsplit(request.url)
    target = request.path_url
    path, _, query = target.partition("?")
    port = str(parts.port or _DEFAULT_PORTS.get(parts.scheme, ""))
    environ = bare_environ(io.BytesIO(_bytes_of(request.body)), parts.hostname or "", port, _LOOPBACK, parts.scheme)
    add_request(
        environ,
        method=request.method or "GET",
        target=target,
        path=path,
        query=query,
        protocol="HTTP/1.1",
        headers=_sent_headers(request, parts.scheme, parts.netloc),
    )
    return environ


def _sent_headers(request: requests.PreparedRequest, scheme: str, netloc: str) -> tuple[tuple[str, str], ...]:
    """Return the fields as ``requests`` sends them, with those that the layers below it add."""
    given = request.headers
    added = []
    if "host" not in given:
        added.append(("Host", netloc.rpartition("@")[2].removesuffix(f":{_DEFAULT_PORTS.get(scheme)}")))
    if "accept-encoding" not in given:
        added.append(("Accept-Encoding", "identity"))
    if request.body is not None and "content-length" not in given and "transfer-encoding" not in given:
        added.append(("Transfer-Encoding", "chunked"))
    if "user-agent" not in given:
        added.append(("User-Agent", f"python-urllib3/{version('urllib3')}"))
    return (*added, *((_text(name), _text(value)) for name, value in given.items()))


def _text(value: str | bytes) -> str:
    """Return a header field's text; raise ``UnicodeEncodeError`` for what cannot be sent."""
    return (value.encode("latin-1") if isinstance(value, str) else value).decode("latin-1")


def _bytes_of(body: Any) -> bytes:
    whole = body.read() if hasattr(body, "read") else body
    parts = [whole] if isinstance(whole, (bytes, str)) else whole or ()
    return b"".join(part.encode() if isinstance(part, str) else part for part in parts)
