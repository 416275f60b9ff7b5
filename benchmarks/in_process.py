"""The sandbox's WSGI application called in this process, so that the cost of sockets hides nothing."""

from __future__ import annotations

import io
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from sandbox.web.app import SandboxApp

if TYPE_CHECKING:
    from sandbox.state.sandbox import Sandbox


class Client:
    """Calls a sandbox with the environment that a server would make; every answer has to be a success."""

    def __init__(self, sandbox: Sandbox, client_id: str | None = None) -> None:
        self.sandbox = sandbox
        self.app = SandboxApp(sandbox)
        new = sandbox.credentials[client_id] if client_id else next(iter(sandbox.credentials.values()))
        self._form = f"grant_type=client_credentials&client_id={new.client.id}&client_secret={new.secret}".encode()
        self._authorization = f"Bearer {json.loads(self.token())['access_token']}"

    def token(self) -> bytes:
        """Request a token; return the answer's body."""
        return self._call("/oauth/token", self._form, CONTENT_TYPE="application/x-www-form-urlencoded")

    def post(self, body: bytes, path: str = "/v1/acme/anything") -> bytes:
        """Post a payload; return the answer's body."""
        return self._call(path, body, CONTENT_TYPE="application/json", HTTP_AUTHORIZATION=self._authorization)

    def seconds(self, requests: int, body: bytes, path: str = "/v1/acme/anything") -> float:
        """Return what so many payloads take."""
        began = time.perf_counter()
        for _ in range(requests):
            self.post(body, path)
        return time.perf_counter() - began

    def _call(self, path: str, body: bytes, **headers: str) -> bytes:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "test",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            **headers,
        }
        statuses: list[str] = []
        answer = b"".join(self.app(environ, lambda status, headers, exc_info=None: statuses.append(status)))  # type: ignore[arg-type]
        if statuses != ["200 OK"]:
            raise RuntimeError(f"{statuses}: {answer!r}")
        return answer
