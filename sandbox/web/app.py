"""One WSGI application out of two: the emulated API, and the control API under ``/_sandbox``.

They are separate Flask applications, so each keeps its own errors, no fault can reach the control API, and no control
request enters the journal. Each is made, and Flask imported, when first needed: most tests need neither, as what an
integration sends all day is served by the pipeline alone, and a sandbox that starts should answer at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sandbox.state.sandbox import Sandbox
from sandbox.web.paths import is_control_path
from sandbox.web.wsgi import EmulatedFace

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from flask import Flask

    from sandbox.web.control.streams import Streams


class SandboxApp:
    """The WSGI application of a sandbox.

    Its control API asks for ``control_key``: the one in the settings unless its server has another. ``ca_pem`` is the
    authority behind its server's HTTPS, where that is ours.
    """

    def __init__(self, sandbox: Sandbox, *, control_key: str | None = None, ca_pem: bytes | None = None) -> None:
        self.sandbox = sandbox
        self.control_key = control_key or sandbox.initial_settings.control_key
        self._ca_pem = ca_pem
        self._face = EmulatedFace(sandbox)
        self._emulated: Flask | None = None
        self._control: Flask | None = None
        self._streams: Streams | None = None
        self._lock = threading.RLock()

    @property
    def emulated(self) -> Flask:
        """The published form of the emulated API, made of the same endpoints."""
        with self._lock:
            if self._emulated is None:
                from sandbox.web.emulated.app import create_emulated_app

                self._emulated = create_emulated_app(self.sandbox)
            return self._emulated

    @property
    def control(self) -> Flask:
        """The control API with its pages."""
        with self._lock:
            if self._control is None:
                from sandbox.web.control.app import create_control_app
                from sandbox.web.dashboard import pages
                from sandbox.web.spec import serve_documents

                control = create_control_app(self.sandbox, self.streams, self.control_key, self._ca_pem)
                serve_documents(self.emulated, control)
                control.register_blueprint(pages)
                self._control = control  # once it is whole: what fails on the way is tried again
            return self._control

    @property
    def streams(self) -> Streams:
        """The event streams of the control API."""
        with self._lock:
            if self._streams is None:
                from sandbox.web.control.streams import Streams

                self._streams = Streams(self.sandbox)
            return self._streams

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request by the application it is for."""
        if is_control_path(environ.get("PATH_INFO", "")):
            return self.control(environ, start_response)
        return self._face(environ, start_response)

    def close(self) -> None:
        """End the event streams."""
        if self._streams is not None:
            self._streams.close()
