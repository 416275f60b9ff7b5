"""A certificate authority that lives as long as an interception; its key is never on a disk."""

from __future__ import annotations

import ssl
from collections.abc import Sequence


class Authority:
    """An authority with one certificate, for some hosts."""

    def __init__(self, hosts: Sequence[str]) -> None:
        import trustme

        self._ca = trustme.CA(organization_name="Patchworks Sandbox")
        self._certificate = self._ca.issue_cert(*hosts)

    @property
    def ca_pem(self) -> bytes:
        """The authority's own certificate."""
        return self._ca.cert_pem.bytes()

    def server_context(self) -> ssl.SSLContext:
        """Return what a server needs to speak TLS as any of the hosts."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate.configure_cert(context)
        return context
