"""A sandbox behind a port: the server of the command line and of the pytest fixture alike."""

from __future__ import annotations

import logging
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Final
from urllib.parse import unquote_to_bytes

from typing_extensions import Self

from sandbox.foundation.errors import (
    ConflictError,
    IncompleteBodyError,
    InvalidValueError,
    PayloadTooLargeError,
    RefusalError,
)
from sandbox.foundation.loopback import is_loopback
from sandbox.foundation.rng import Rng
from sandbox.foundation.settings import Settings
from sandbox.journal.known_secrets import fingerprint
from sandbox.journal.request import Request
from sandbox.platform.platform import Platform
from sandbox.platform.serve import DateStamp, refuse, serve
from sandbox.server.body import TooLargeError
from sandbox.server.connection import Connection, Message
from sandbox.server.engine import Engine, listen
from sandbox.server.limits import Limits, Refused
from sandbox.server.pool import Pool
from sandbox.server.request_head import MAX_METHOD, Head
from sandbox.server.tls.identity import identity_for
from sandbox.server.transport import perform
from sandbox.server.wsgi_bridge import WsgiBridge
from sandbox.state.sandbox import Sandbox
from sandbox.web.addresses import Endpoints, TlsEndpoint
from sandbox.web.app import SandboxApp
from sandbox.web.paths import MAX_CONTROL_BODY, is_control_path

_ORIGIN: Final = re.compile(r"https?://[^/]*", re.IGNORECASE)
"""The beginning of a target in absolute form."""

_logger = logging.getLogger("patchworks_sandbox")

_TAIL: Final = 1_024
"""Characters at the end of a target that was cut: more than a secret in any encoding."""

_LARGE_BODY: Final = 64 * 1024
"""Bytes of a body above which reading it, or searching through it, may take long."""

_MANY_CLIENTS: Final = 100
"""OAuth clients above which comparing a secret with all of theirs may take long."""


class SandboxServer:
    """Serves a sandbox over HTTP from an event loop in a thread of this process.

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
        if not isinstance(sandbox, Sandbox):
            raise InvalidValueError("sandbox", sandbox, "a Sandbox: SandboxServer(Sandbox())")
        # As on the command line; only the empty host, which is every address, is none there.
        asked = Settings().changed(
            {"port": port, "tls_port": tls_port, "threads": threads, **({"host": host} if host else {})}
        )
        self.sandbox = sandbox
        self.errors: list[BaseException] = []
        """Exceptions that escaped in the server's threads; each is a defect of the sandbox."""
        self._errors_lock = threading.Lock()
        self._identity = identity_for(sandbox.initial_settings, host)
        control_key = _key_in_force(sandbox.initial_settings, host)
        self.app = SandboxApp(sandbox, control_key=control_key, ca_pem=self.ca_pem, tls=lambda: self.endpoints.tls)
        self._threads = asked.threads
        self._limits = limits or Limits()
        self._host = host
        self._wanted_ports = asked.port, asked.tls_port
        self._ports = self._wanted_ports
        self._run: _Run | None = None

    def start(self) -> Self:
        """Listen and serve; raise ``OSError`` when a port is taken."""
        if self._run is not None:
            raise RuntimeError("the server has been started already")
        self.sandbox.keys.warm()
        with ExitStack() as undone:
            listeners = [listen(self._host, self._wanted_ports[0])]
            undone.callback(listeners[0].sock.close)
            if self._identity is not None:
                listeners.append(listen(self._host, self._wanted_ports[1], self._identity.context))
                undone.callback(listeners[1].sock.close)
            self._ports = listeners[0].port, listeners[-1].port
            run = _Run(self.app, self._threads, self._limits, self._record_error)
            run.engine.start(listeners)
            self._run = run
            undone.pop_all()
        return self

    def stop(self) -> None:
        """Stop serving; does nothing when it is not."""
        run, self._run = self._run, None
        if run is not None:
            run.stop()
        if self.sandbox.journal_file is not None:
            self.sandbox.journal_file.close()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        run = self._run
        return run.engine.connections if run else 0

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port listened on; raise ``ConflictError`` before the start, unless it was given."""
        return self._port(0)

    def _port(self, index: int) -> int:
        if not self._ports[index]:
            raise ConflictError(
                "the server is not started and has no port yet; call start(), or use it as a context manager: "
                "with SandboxServer(Sandbox()) as server"
            )
        return self._ports[index]

    @property
    def base_url(self) -> str:
        """The URL under which everything is, without a trailing slash."""
        return self.sandbox.settings.public_url or f"http://{self._reachable_host}:{self.port}"

    @property
    def tls_base_url(self) -> str | None:
        """The same over TLS, where that is served."""
        return f"https://{self._reachable_host}:{self._port(1)}" if self._identity else None

    @property
    def ca_pem(self) -> bytes | None:
        """The authority to trust over TLS, in PEM; ``None`` where there is none, or the certificate is your own."""
        return self._identity.ca_pem if self._identity else None

    @property
    def _reachable_host(self) -> str:
        host = self._host
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
        run = self._run
        if run is None:
            raise ConflictError("the server does not run; start it first")
        listener = listen("127.0.0.1", 0, context)
        run.engine.open(listener)
        try:
            yield listener.port
        finally:
            run.engine.close(listener)

    def _record_error(self, error: BaseException) -> None:
        _logger.error("the server failed", exc_info=error)
        with self._errors_lock:
            self.errors.append(error)


def _key_in_force(settings: Settings, host: str) -> str | None:
    """Return the key that a server on ``host`` asks for: the one set; beyond loopback a new one, unless none may be."""
    if settings.control_key is None and not settings.no_control_key and not is_loopback(host):
        return Rng().secret()
    return settings.control_key


class _Run:
    """A sandbox while it is served: each request is answered in the loop, or by a thread where that may take long.

    The threads of the control API are others than those of the emulated API: it answers whatever that waits for.
    """

    def __init__(
        self, app: SandboxApp, threads: int, limits: Limits, on_error: Callable[[BaseException], None]
    ) -> None:
        self._sandbox = app.sandbox
        self._stuck_s = limits.stuck_s
        self._target_bytes = limits.target_bytes
        self._date = DateStamp()
        self._control = Pool(threads, "control")
        self._emulated = Pool(threads, "emulated")
        self.engine = Engine(self, limits, on_error=on_error, on_cut=self._end_waits)
        self._bridge = WsgiBridge(app, self._control, self.engine.failed)

    def stop(self) -> None:
        """Serve no longer."""
        self._end_waits()
        self.engine.stop()
        self._control.close()
        self._emulated.close()
        if not self.engine.is_own_thread:
            stuck = self._control.join(self._stuck_s) + self._emulated.join(self._stuck_s)
            if stuck:
                self.engine.failed(RuntimeError(f"At the stop, {stuck} requests did not return from the application."))

    def _end_waits(self) -> None:
        """End what waits for the journal; the engine repeats it, for what came in between."""
        self._sandbox.journal.waiting.interrupt("the server is stopping")

    # --- what the engine asks for -----------------------------------------------------------------------------------

    def body_limit(self, head: Head) -> int:
        """Return how many bytes the body of a request may have."""
        return MAX_CONTROL_BODY if is_control_path(_decoded(head.path)) else self._sandbox.platform.settings.body_limit

    def serve(self, message: Message, connection: Connection) -> None:
        """Answer a request, or let a thread do it."""
        path = _decoded(message.head.path)
        if is_control_path(path):
            self._bridge.submit(message, connection)
            return
        platform = self._sandbox.platform
        request = _request(message, path, platform.settings.body_limit)
        if not self._may_take_long(request, platform):
            served = serve(platform, request)
            perform(served, self._date(served.timestamp), message, connection)
            return

        def answer() -> None:
            try:
                served = serve(platform, request)
            except Exception as error:  # noqa: BLE001 - a defect costs its request only
                connection.call(connection.fail, error)
            else:
                connection.call(perform, served, self._date(served.timestamp), message, connection)

        self._emulated.submit(answer)

    def _may_take_long(self, request: Request, platform: Platform) -> bool:
        """Return whether a request may wait for a file, for a key to be made, or for a search."""
        return (
            self._sandbox.journal_file is not None
            or len(request.body) > _LARGE_BODY
            or not self._sandbox.keys.is_made
            or platform.faults.may_take_long
            or (platform.store.client_count > _MANY_CLIENTS and not request.path.startswith("/v1/"))
        )

    def refused(self, refused: Refused, answer: Callable[[], None]) -> None:
        """Put a request into the journal that the engine refuses: to its client it is a request like any other.

        Requests to the control API stay out of it, in whatever form the target came.
        """
        path, _, query = refused.target.partition("?")
        if is_control_path(_decoded(_ORIGIN.sub("", path))):
            answer()
            return
        method = refused.method
        if len(method) >= MAX_METHOD:  # it was cut, and half a secret is not recognised
            method = fingerprint(method)
        if len(refused.target) >= self._target_bytes:
            path, _, query = refused.target[:-_TAIL].partition("?")
        request = Request(method, path, query, refused.headers, refused.remote_addr)

        platform = self._sandbox.platform
        if self._sandbox.journal_file is None:
            refuse(platform, request, refused.status, refused.reason)
            answer()
            return

        def record() -> None:
            refuse(platform, request, refused.status, refused.reason)
            self.engine.call(answer)

        self._emulated.submit(record)


def _decoded(path: str) -> str:
    """Return a percent-encoded path as the UTF-8 text that it stands for."""
    return unquote_to_bytes(path.encode("latin-1")).decode("utf-8", "replace") if "%" in path else _text(path)


def _text(latin: str) -> str:
    """Return the UTF-8 text that bytes stand for."""
    return latin if latin.isascii() else latin.encode("latin-1").decode("utf-8", "replace")


def _request(message: Message, path: str, body_limit: int) -> Request:
    head, failure = message.head, message.failure
    problem: RefusalError | None = None
    match failure:
        case None:
            pass
        case TooLargeError():
            problem = PayloadTooLargeError(None if head.chunked else head.content_length, body_limit)
        case TimeoutError():
            problem = IncompleteBodyError(f"body_too_slow: {len(message.body)} bytes came in time")
        case _:
            problem = IncompleteBodyError(f"incomplete_body: {failure}")
    host = head.host or f"{message.listener.host}:{message.listener.port}"
    return Request(
        method=head.method,
        path=path,
        query=_text(head.query),
        headers=head.headers,
        remote_addr=message.peer[0],
        body=b"" if isinstance(failure, TooLargeError) else message.body,
        body_size=message.size,
        raw_path=_text(head.target).partition("?")[0] if head.target.startswith("/") else "",
        base_url=f"{message.listener.scheme}://{host}",
        problem=problem,
    )
