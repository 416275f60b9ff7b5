"""One WSGI application out of two: the emulated API, and the control API under ``/_sandbox``.

They are separate, so each has its own errors, no fault can reach the control API, and no control request enters the
journal. ``serve`` answers the requests of an integration without Flask. The first control request imports Flask and
makes the application, so a sandbox answers soon after its start. It makes the part of the control API that the request
is for; a page, a document and an unknown path make all of it.

All sandboxes of a process share these applications, which hold nothing of a sandbox. ``SandboxApp`` adds the
sandbox, its key, authority, streams and waits to the WSGI environ of each control request.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from sandbox.foundation.collector import no_collections
from sandbox.state.sandbox import Sandbox
from sandbox.web.addresses import Endpoints, TlsEndpoint
from sandbox.web.environ import CA_PEM, CONTROL_KEY, ENDPOINTS, SANDBOX, STREAMS
from sandbox.web.health import answer_probe
from sandbox.web.paths import is_control_path
from sandbox.web.wsgi import EmulatedFace

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from flask import Flask

    from sandbox.web.control.stream_views import Streams

_MAKING: Final = threading.RLock()
"""Held while an application of this process is made: it costs much, and `ast.parse` may fail in several threads."""

if hasattr(os, "register_at_fork"):  # a child that is forked meanwhile would wait for a thread that it has not
    os.register_at_fork(before=_MAKING.acquire, after_in_parent=_MAKING.release, after_in_child=_MAKING.release)


class SandboxApp:
    """The WSGI application of a sandbox.

    Its control API asks for ``control_key``: the one in the settings unless its server has another. ``ca_pem`` is the
    authority behind its server's HTTPS, where that is ours; ``tls`` returns where its server serves HTTPS.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        control_key: str | None = None,
        ca_pem: bytes | None = None,
        tls: Callable[[], TlsEndpoint | None] = lambda: None,
    ) -> None:
        self.sandbox = sandbox
        self.control_key = control_key or sandbox.initial_settings.control_key
        if self.control_key is not None:
            sandbox.store.secrets.note(self.control_key)
        self._ca_pem = ca_pem
        self._tls = tls
        self._face = EmulatedFace(sandbox)
        self._control: Flask | None = None
        self._streams: Streams | None = None
        self._lock = threading.RLock()

    @property
    def control(self) -> Flask:
        """The control API with its pages: one application for all sandboxes of this process."""
        return self._control_of("/")

    def _control_of(self, path: str, accept: str = "") -> Flask:
        """Return the application for a path: the whole control API where that is made, otherwise the part it needs.

        A browser needs the whole, which has a page where the path is unknown.
        """
        if self._control is None:
            with _MAKING, no_collections():
                from sandbox.web.control.app import control_app, part_of

                part = "" if "text/html" in accept else part_of(path)
                app = control_app(part) if part else control_app()
            if part:
                return app
            self._control = app
        return self._control

    @property
    def streams(self) -> Streams:
        """The event streams of the control API."""
        with self._lock:
            if self._streams is None:
                with no_collections():
                    from sandbox.web.control.stream_views import Streams

                self._streams = Streams()
            return self._streams

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request by the application it is for."""
        if is_control_path(environ.get("PATH_INFO", "")):
            return self._serve_control(environ, start_response)
        return self._face(environ, start_response)

    def _serve_control(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if (answer := answer_probe(self.sandbox, environ, start_response)) is not None:
            return answer
        environ[SANDBOX] = self.sandbox
        environ[CONTROL_KEY] = self.control_key
        environ[CA_PEM] = self._ca_pem
        environ[STREAMS] = lambda: self.streams
        environ[ENDPOINTS] = lambda base_url: Endpoints(self.sandbox, base_url, self.control_key, self._tls())
        return self._control_of(environ["PATH_INFO"], environ.get("HTTP_ACCEPT", ""))(environ, start_response)
