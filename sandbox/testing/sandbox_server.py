"""The server of a sandbox, with the handle that tests hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server import sandbox_server

if TYPE_CHECKING:
    from sandbox.testing.handle import Patchworks


class SandboxServer(sandbox_server.SandboxServer):
    """Serves a sandbox over HTTP from threads of this process.

    ``host``, ``port`` and ``tls_port`` default to loopback and free ports, whatever the settings say; beyond loopback
    the control API needs a key. Ready when ``start`` returns, gone when ``stop`` does; as a context manager it does
    both. With the setting ``tls`` it serves HTTPS as well (``tls_base_url``, ``ca_pem``); raises ``SettingError`` where
    its certificate cannot be had.
    """

    @property
    def patchworks(self) -> Patchworks:
        """The handle that tests hold."""
        from sandbox.testing.handle import Patchworks
        from sandbox.testing.local import InProcess

        return Patchworks(InProcess(self.endpoints, self))
