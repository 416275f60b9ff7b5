"""A sandbox without sockets: its WSGI application as the transport of a ``requests.Session``.

A fault that no answer comes back from raises what ``requests`` raises for it on a socket.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse
from werkzeug.test import Client, EnvironBuilder

from sandbox.pipeline import RAW_HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class WSGIAdapter(BaseAdapter):
    """Hands requests to a WSGI application in place of a server."""

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self._client = Client(app)
        self._responses = HTTPAdapter()

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
            answer = self._client.open(_environ(request), buffered=True)
        except TimeoutError as error:
            raise requests.ReadTimeout(error, request=request) from error
        except http.client.IncompleteRead as error:
            raise requests.exceptions.ChunkedEncodingError(error, request=request) from error
        except (OSError, http.client.HTTPException) as error:
            raise requests.ConnectionError(error, request=request) from error
        raw = HTTPResponse(
            body=io.BytesIO(answer.get_data()),
            headers=HTTPHeaderDict(answer.headers.items()),
            status=answer.status_code,
            reason=answer.status.partition(" ")[2],
            version=11,
            preload_content=False,
            request_method=request.method,
        )
        return self._responses.build_response(request, raw)

    def close(self) -> None:
        """Do nothing: there is no connection."""


def _environ(request: requests.PreparedRequest) -> Mapping[str, Any]:
    headers = [(_text(name), _text(value)) for name, value in request.headers.items()]
    assert request.url is not None
    parts = urlsplit(request.url)
    base_url = f"{parts.scheme}://{parts.netloc}/"
    builder = EnvironBuilder(
        request.path_url, base_url, method=request.method or "GET", headers=headers, data=_body(request.body)
    )
    try:
        environ = builder.get_environ()
    finally:
        builder.close()
    host = [("Host", environ["HTTP_HOST"])]
    return {**environ, "REQUEST_URI": request.path_url, RAW_HEADERS: tuple(host + headers)}


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _body(body: bytes | str | Iterable[bytes] | None) -> bytes:
    match body:
        case None:
            return b""
        case bytes():
            return body
        case str():
            return body.encode("utf-8")
        case _ if hasattr(body, "read"):
            read: bytes = body.read()
            return read
        case _:
            return b"".join(body)
