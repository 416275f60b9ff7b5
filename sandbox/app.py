"""One WSGI application out of two: the emulated API, and the control API under ``/_sandbox``.

They are separate Flask applications, so each keeps its own errors, no fault can reach the control API, and no control
request enters the journal.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from sandbox.control.app import create_control_app
from sandbox.control.base import PREFIX
from sandbox.control.streams import Streams
from sandbox.dashboard import pages
from sandbox.emulated.app import create_emulated_app
from sandbox.parking import Parking
from sandbox.spec import serve_documents
from sandbox.state import Sandbox

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class SandboxApp:
    """The WSGI application of a sandbox.

    Its control API asks for ``control_key``: the one in the settings unless its server has another. ``ca_pem`` is the
    authority behind its server's HTTPS, where that is ours.
    """

    def __init__(self, sandbox: Sandbox, *, control_key: str | None = None, ca_pem: bytes | None = None) -> None:
        self.sandbox = sandbox
        self.control_key = control_key or sandbox.initial_settings.control_key
        self._ca_pem = ca_pem
        self.parking = Parking()
        self.emulated: Flask = create_emulated_app(sandbox, self.parking)
        self.streams = Streams(sandbox)
        self._control: Flask | None = None
        self._lock = threading.Lock()

    @property
    def control(self) -> Flask:
        """The control API with its pages. Made when first asked for: it takes longer than most tests that never do."""
        with self._lock:
            if self._control is None:
                self._control = create_control_app(self.sandbox, self.streams, self.control_key, self._ca_pem)
                serve_documents(self.emulated, self._control)
                self._control.register_blueprint(pages)
            return self._control

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request by the application it is for."""
        app = self.control if steers(environ.get("PATH_INFO", "")) else self.emulated
        return app(environ, start_response)


def steers(path: str) -> bool:
    """Return whether a path belongs to the control API."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")
