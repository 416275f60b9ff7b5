"""A sandbox behind a port: the server of the command line and of the pytest fixture alike."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType

from typing_extensions import Self

from sandbox.foundation.loopback import is_loopback
from sandbox.foundation.rng import Rng
from sandbox.foundation.settings import Settings
from sandbox.journal.request import Request
from sandbox.platform.serve import refuse
from sandbox.server.http import HttpServer
from sandbox.server.limits import Limits, Refused
from sandbox.server.parking import Parking
from sandbox.server.tls.identity import identity_for
from sandbox.state.sandbox import Sandbox
from sandbox.web.addresses import Endpoints, TlsEndpoint
from sandbox.web.app import SandboxApp
from sandbox.web.paths import is_control_path

_logger = logging.getLogger("patchworks_sandbox")


class SandboxServer:
    """Serves a sandbox over HTTP from threads of this process.

    ``host``, ``port`` and ``tls_port`` default to loopback and free ports, whatever the settings say; beyond loopback
    the control API needs a key. Ready when ``start`` returns, gone when ``stop`` does; as a context manager it does
    both. With the setting ``tls`` it serves HTTPS as well (``tls_base_url``, ``ca_pem``); raises ``SettingError`` where
    its certificate cannot be had.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        threads: int = 10,
        limits: Limits | None = None,
        tls_port: int = 0,
    ) -> None:
        self.sandbox = sandbox
        self.errors: list[BaseException] = []
        """Exceptions that escaped in the server's threads; each is a defect of the sandbox."""
        self._errors_lock = threading.Lock()
        self._identity = identity_for(sandbox.initial_settings, host)
        control_key = _key_in_force(sandbox.initial_settings, host)
        self.app = SandboxApp(sandbox, control_key=control_key, ca_pem=self.ca_pem)
        self._parking = Parking()
        self._threads = threads
        self._limits = limits or Limits()
        self._http = self._front(host, port)
        self._https = self._front(host, tls_port, self._identity.context) if self._identity else None

    def _front(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> HttpServer:
        return HttpServer(
            self.app,
            host,
            port,
            threads=self._threads,
            limits=self._limits,
            tls=tls,
            on_refused=self._record_refused,
            on_error=self._record_error,
            at_once=_is_at_once,
            on_cut=self._end_waits,
            parking=self._parking,
        )

    def start(self) -> Self:
        """Listen and serve; raise ``OSError`` when a port is taken."""
        self.sandbox.keys.warm()
        self._parking.open()
        with ExitStack() as undone:
            for front in self._fronts:
                front.start()
                undone.callback(front.stop)
            undone.pop_all()
        return self

    def stop(self) -> None:
        """Stop serving; does nothing when it is not."""
        self._end_waits()
        for front in self._fronts:
            front.stop()
        self._parking.close()
        self.app.close()
        if self.sandbox.journal_file is not None:
            self.sandbox.journal_file.close()

    def _end_waits(self) -> None:
        """Send away who waits for the journal; a front that stops repeats it, for who came in between."""
        self.sandbox.journal.interrupt("the server is stopping")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port listened on."""
        return self._http.port

    @property
    def base_url(self) -> str:
        """The URL under which everything is, without a trailing slash."""
        return self.sandbox.settings.public_url or f"http://{self._reachable_host}:{self.port}"

    @property
    def tls_base_url(self) -> str | None:
        """The same over TLS, where that is served."""
        return f"https://{self._reachable_host}:{self._https.port}" if self._https else None

    @property
    def ca_pem(self) -> bytes | None:
        """The authority to trust over TLS, in PEM; ``None`` where there is none, or the certificate is your own."""
        return self._identity.ca_pem if self._identity else None

    @property
    def _fronts(self) -> list[HttpServer]:
        return [self._http, self._https] if self._https else [self._http]

    @property
    def _reachable_host(self) -> str:
        host = self._http.host
        reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - only compared
        return f"[{reachable}]" if ":" in reachable else reachable

    @property
    def control_key(self) -> str | None:
        """What the control API asks for: the key set, one made because ``host`` is beyond loopback, or nothing."""
        return self.app.control_key

    @property
    def endpoints(self) -> Endpoints:
        """Every URL of the sandbox."""
        tls = None
        if self._identity and self.tls_base_url:
            tls = TlsEndpoint(self.tls_base_url, self.ca_pem is not None, self._identity.ca_file)
        return Endpoints(self.sandbox, self.base_url, self.control_key, tls)

    @contextmanager
    def served_by_tls(self, context: ssl.SSLContext) -> Iterator[int]:
        """Serve the sandbox over TLS too, on a port of loopback, while the server runs."""
        front = self._front("127.0.0.1", 0, context)
        front.start()
        try:
            yield front.port
        finally:
            front.stop()

    def _record_refused(self, refused: Refused) -> None:
        """Put what the server refused on its own into the journal: to its client it was a request like any other.

        Requests to the control API stay out of it, here as everywhere.
        """
        path, _, query = refused.target.partition("?")
        if is_control_path(path):
            return
        request = Request(refused.method, path, query, refused.headers, refused.remote_addr)
        refuse(self.sandbox.platform, request, refused.status, refused.reason)

    def _record_error(self, error: BaseException) -> None:
        _logger.error("the server failed", exc_info=error)
        with self._errors_lock:
            self.errors.append(error)


def _key_in_force(settings: Settings, host: str) -> str | None:
    """Return the key that a server on ``host`` asks for: the one set; beyond loopback a new one, unless none may be."""
    if settings.control_key is None and not settings.no_control_key and not is_loopback(host):
        return Rng().secret()
    return settings.control_key


def _is_at_once(method: str, path: str) -> bool:
    """Return whether a request is one that an integration sends all day to the emulated API.

    These never wait: what a fault delays is parked. Others may be routed by Flask, whose first request imports it. The
    control API may be meant by a path in other characters as well, which is not worth deciding here.
    """
    return method == "POST" and "%" not in path and not is_control_path(path)
