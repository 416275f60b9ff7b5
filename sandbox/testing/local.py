"""A sandbox of this process: the server that tests start, and the backend of its handle."""

from __future__ import annotations

import ssl
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from sandbox.foundation.errors import NotFoundError, NotInProcessError
from sandbox.journal.journal import Journal
from sandbox.server import sandbox_server
from sandbox.state.sandbox import Sandbox
from sandbox.testing.backend import Credentials, Verb
from sandbox.web.addresses import Endpoints
from sandbox.web.app import SandboxApp

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from sandbox.journal.assertions.view import JournalRecorder
    from sandbox.testing.handle import Patchworks

T = TypeVar("T")


class SandboxServer(sandbox_server.SandboxServer):
    """Serves a sandbox over HTTP from threads of this process.

    ``host``, ``port`` and ``tls_port`` default to loopback and free ports, whatever the settings say; beyond loopback
    the control API needs a key. It serves from ``start`` to ``stop``, or as a context manager. With the setting ``tls``
    it serves HTTPS as well (``tls_base_url``, ``ca_pem``). Raise ``SettingError`` when its certificate cannot be read.
    """

    @property
    def patchworks(self) -> Patchworks:
        """The handle that tests hold."""
        from sandbox.testing.handle import Patchworks

        return Patchworks(InProcess(self.endpoints, self))


@dataclass(frozen=True)
class InProcess:
    """A ``Backend`` over a sandbox and the server that serves it; without a server only mounted clients reach it."""

    endpoints: Endpoints
    server: SandboxServer | None = None

    @property
    def place(self) -> InProcess:
        """The sandbox as clients reach it: this object."""
        return self

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox itself."""
        return self.endpoints.sandbox

    @property
    def base_url(self) -> str:
        """Base URL, without a trailing slash."""
        return self.endpoints.base_url

    @property
    def token_url(self) -> str:
        """URL of the token endpoint."""
        return self.endpoints.token_url

    @property
    def company(self) -> str:
        """Slug of the seed's first company."""
        if self.endpoints.company is None:
            raise NotFoundError("company", "of the seed")
        return self.endpoints.company

    @property
    def credentials(self) -> Credentials:
        """The seed's first OAuth client."""
        new = self.endpoints.credentials
        if new is None:
            raise NotFoundError("OAuth client", "of the seed")
        return Credentials(new.client.id, new.secret)

    @cached_property
    def wsgi(self) -> WSGIApplication:
        """The WSGI application."""
        return SandboxApp(self.sandbox) if self.server is None else self.server.app

    def served_by_tls(self, context: ssl.SSLContext) -> AbstractContextManager[int]:
        """Serve the sandbox over TLS too, on a port of loopback."""
        if self.server is None:
            raise NotInProcessError("the sandbox is not served; hold it by the handle of a SandboxServer")
        return self.server.served_by_tls(context)

    @property
    def journal(self) -> Journal:
        """The journal as it is now."""
        return self.sandbox.journal

    @property
    def recorder(self) -> JournalRecorder:
        """Answers questions about the journal."""
        from sandbox.journal.assertions.view import JournalRecorder

        return JournalRecorder(self)

    def do(self, verb: Verb[T]) -> T:
        """Perform a verb by a call."""
        return verb.here(self.sandbox)
