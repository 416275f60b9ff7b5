"""A sandbox behind a port: the server of the command line and of the pytest fixture alike."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from typing_extensions import Self

from sandbox.foundation.errors import ConflictError, InvalidValueError
from sandbox.foundation.pool import Pool
from sandbox.foundation.settings import Settings
from sandbox.journal.request import Request
from sandbox.platform.platform import Platform
from sandbox.platform.serve import refuse, serve
from sandbox.server.connection import Connection
from sandbox.server.engine import listen
from sandbox.server.http import HttpServer
from sandbox.server.transport import Transport
from sandbox.state.sandbox import Sandbox
from sandbox.web.addresses import Endpoints, TlsEndpoint, control_key_for, reachable
from sandbox.web.app import SandboxApp
from sandbox.web.http.body import Message
from sandbox.web.http.limits import Limits, Refused
from sandbox.web.http.received import refused_request_of, request_of, route_of
from sandbox.web.http.request_head import Head
from sandbox.web.identity import identity_for
from sandbox.web.paths import MAX_CONTROL_BODY, is_control_path

_LARGE_BODY: Final = 64 * 1024
"""Bytes of a body above which reading it, or searching through it, may take long."""

_MANY_CLIENTS: Final = 100
"""OAuth clients above which comparing a secret with all of theirs may take long."""


class SandboxServer(HttpServer):
    """Serves a sandbox over HTTP from an event loop in a thread of this process.

    ``host``, ``port`` and ``tls_port`` default to loopback and free ports, not to the settings' values; beyond loopback
    the control API needs a key. Ready when ``start`` returns, gone when ``stop`` does; as a context manager it does
    both. With the setting ``tls`` it serves HTTPS as well (``tls_base_url``, ``ca_pem``); raises ``SettingError`` where
    its certificate cannot be had.

    Each request is answered in the loop, or by a thread where that may take long. The threads of the control API are
    others than those of the emulated API: it answers while those wait.
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
        self._identity = identity_for(sandbox.initial_settings, host)
        control_key = control_key_for(sandbox.initial_settings, host)
        self.app = SandboxApp(sandbox, control_key=control_key, ca_pem=self.ca_pem, tls=lambda: self.endpoints.tls)
        super().__init__(self.app, host, asked.port, threads=asked.threads, limits=limits)
        if self._identity is not None:
            self._wanted.append((asked.tls_port, self._identity.context))
            self._ports.append(asked.tls_port)
        self._transport = Transport()

    def start(self) -> Self:
        """Listen and serve; raise ``OSError`` when a port is taken."""
        self.sandbox.keys.warm()
        return super().start()

    def stop(self) -> None:
        """Stop serving; does nothing when it is not."""
        super().stop()
        if self.sandbox.journal_file is not None:
            self.sandbox.journal_file.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
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
        return self.sandbox.settings.public_url or f"http://{reachable(self.host)}:{self.port}"

    @property
    def tls_base_url(self) -> str | None:
        """The same over TLS, where that is served."""
        return f"https://{reachable(self.host)}:{self._port(1)}" if self._identity else None

    @property
    def ca_pem(self) -> bytes | None:
        """The authority to trust over TLS, in PEM; ``None`` where there is none, or the certificate is your own."""
        return self._identity.ca_pem if self._identity else None

    @property
    def control_key(self) -> str | None:
        """The key that the control API asks for: of the settings, made because ``host`` is beyond loopback, or none."""
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
        engine = self._engine
        if engine is None:
            raise ConflictError("the server does not run; start it first")
        listener = listen("127.0.0.1", 0, context)
        engine.open(listener)
        try:
            yield listener.port
        finally:
            engine.close(listener)

    def _failed(self, error: BaseException) -> None:
        super()._failed(error)
        self.errors.append(error)

    def _new_pools(self) -> list[Pool]:
        return [Pool(self._threads, "control"), Pool(self._threads, "emulated")]

    def _end_waits(self) -> None:
        self.sandbox.journal.waiting.interrupt("the server is stopping")

    def _body_limit_of(self, head: Head) -> int:
        return MAX_CONTROL_BODY if head.is_control else self.sandbox.platform.settings.body_limit

    def _serve(self, message: Message, connection: Connection) -> None:
        if message.head.is_control:
            super()._serve(message, connection)
            return
        platform, listener = self.sandbox.platform, connection.listener
        server = listener.host, listener.port
        request = request_of(message, connection.peer[0], listener.scheme, server, platform.settings.body_limit)
        if self._may_take_long(request, platform):
            self._pools[-1].submit(partial(self._answer, platform, request, message, connection))
        else:
            self._transport.perform(serve(platform, request), message, connection)

    def _answer(self, platform: Platform, request: Request, message: Message, connection: Connection) -> None:
        try:
            served = serve(platform, request)
        except Exception as error:  # noqa: BLE001 - a defect costs its request only
            connection.call(connection.fail, error)
        else:
            connection.call(self._transport.perform, served, message, connection)

    def _may_take_long(self, request: Request, platform: Platform) -> bool:
        """Return whether a request may wait for a file, for a key to be made, or for a search."""
        return (
            self.sandbox.journal_file is not None
            or len(request.body) > _LARGE_BODY
            or not self.sandbox.keys.is_made
            or platform.faults.may_take_long
            or (platform.store.client_count > _MANY_CLIENTS and not request.path.startswith("/v1/"))
        )

    def _refused(self, refused: Refused, answer: Callable[[], None]) -> None:
        """Put a request into the journal that the engine refuses: to its client it is a request like any other.

        Requests to the control API stay out of it, in any form of the target.
        """
        request = refused_request_of(refused, self._limits)
        if is_control_path(route_of(request.path)):
            answer()
            return
        platform = self.sandbox.platform

        def record() -> None:
            refuse(platform, request, refused.status, refused.reason)
            answer()

        if self.sandbox.journal_file is None:
            record()
        else:
            self._pools[-1].submit(record)
