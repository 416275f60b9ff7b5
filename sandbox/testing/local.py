"""A sandbox of this process: the server that tests start, and the backend of its handle."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from typing_extensions import Self

from sandbox.foundation.errors import ConflictError, NotFoundError
from sandbox.journal.journal import Journal
from sandbox.server import sandbox_server
from sandbox.state.sandbox import Sandbox
from sandbox.testing.backend import Credentials, Verb

if TYPE_CHECKING:
    from sandbox.journal.assertions.view import JournalRecorder
    from sandbox.testing.handle import Patchworks

T = TypeVar("T")

_NOWHERE: Final = "http://sandbox.invalid"
"""A host that no resolver knows (RFC 6761 §6.4)."""


class SandboxServer(sandbox_server.SandboxServer):
    """Serves a sandbox over HTTP from threads of this process.

    ``host``, ``port`` and ``tls_port`` default to loopback and free ports, regardless of the settings; beyond loopback
    the control API needs a key. It serves from ``start`` to ``stop``, or as a context manager. With the setting ``tls``
    it serves HTTPS as well (``tls_base_url``, ``ca_pem``). Raise ``InvalidValueError`` for a value that is not allowed,
    and ``SettingError`` when its certificate cannot be read.
    """

    _waits = False
    """Whether it starts when an address is asked for."""
    _pid: int | None = None
    """The process in which it was started."""

    @contextmanager
    def on_demand(self) -> Iterator[Self]:
        """Serve while the context lasts, from when a URL or a port is first asked for."""
        self._starting = threading.Lock()
        self._waits = True
        try:
            yield self
        finally:
            self._waits = False
            if not self.is_of_another_process:
                self.stop()

    def start(self) -> Self:
        """Listen and serve; raise ``OSError`` when a port is taken."""
        super().start()
        self._pid = os.getpid()
        return self

    @property
    def is_of_another_process(self) -> bool:
        """Whether this process is a fork of the one that serves: what it holds is a copy, which receives nothing."""
        return self._pid not in (None, os.getpid())

    @property
    def is_out_of_reach(self) -> bool:
        """Whether no port can be opened: the test forbids sockets, as pytest-socket's ``--disable-socket`` does."""
        return self._waits and self._pid is None and getattr(socket.socket, "__module__", "") == "pytest_socket"

    def _port(self, index: int) -> int:
        self._serve_if_waiting()
        return super()._port(index)

    @property
    def base_url(self) -> str:
        """The URL under which everything is; where no port can be opened, one that only mounted clients reach."""
        return _NOWHERE if self.is_out_of_reach else super().base_url

    @property
    def known_url(self) -> str | None:
        """The same if it was asked for already."""
        return self.base_url if self._pid is not None else None

    @contextmanager
    def served_by_tls(self, context: ssl.SSLContext) -> Iterator[int]:
        """Serve the sandbox over TLS too, on a port of loopback, while the server runs."""
        self._serve_if_waiting()
        with super().served_by_tls(context) as port:
            yield port

    def _serve_if_waiting(self) -> None:
        if self._waits and self._pid is None:
            with self._starting:
                if self._pid is None:
                    self.start()

    @property
    def patchworks(self) -> Patchworks:
        """The handle that tests hold."""
        from sandbox.testing.handle import Patchworks

        return Patchworks(InProcess(self))

    def __repr__(self) -> str:
        return f"<SandboxServer {url}>" if (url := self.known_url) else "<SandboxServer, which has no URL so far>"


@dataclass(frozen=True)
class InProcess:
    """A ``Backend`` over a server of this process."""

    place: SandboxServer

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox itself; raise ``ConflictError`` in a fork of the process that serves it."""
        if self.place.is_of_another_process:
            raise ConflictError(
                "this process is a fork of the one that serves the sandbox, and its copy receives no request; ask the "
                "handle there, or start a SandboxServer here"
            )
        return self.place.sandbox

    @property
    def company(self) -> str:
        if self.sandbox.company is None:
            raise NotFoundError("company in the seed; add one to its companies")
        return self.sandbox.company.slug

    @property
    def credentials(self) -> Credentials:
        for known in self.known_credentials:
            return known
        raise NotFoundError("OAuth client in the seed; add one to the oauth_clients of a connector")

    @property
    def known_credentials(self) -> list[Credentials]:
        return [Credentials(new.client.id, new.secret) for new in self.sandbox.credentials.values()]

    @property
    def journal(self) -> Journal:
        return self.sandbox.journal

    @property
    def recorder(self) -> JournalRecorder:
        from sandbox.journal.assertions.view import JournalRecorder

        return JournalRecorder(self)

    def do(self, verb: Verb[T]) -> T:
        return verb.here(self.sandbox)
