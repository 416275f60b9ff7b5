"""TLS between the bytes of a connection and what they say. No I/O.

The transport below stays a plain one: faults act on it (a reset, an end without TLS's own farewell), and a client that
speaks plain HTTP can be answered.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import Final

_RECORD_BYTES: Final = 16_384
"""A record holds no more (RFC 8446 §5.1), so one read takes all of one."""


class TlsLayer:
    """The server's side of one TLS connection."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.is_established = False
        """Whether the handshake is over."""
        self.has_ended = False
        """Whether the client has said farewell."""

    def decrypt(self, data: bytes) -> bytes:
        """Return what the client says by these bytes; raise ``ssl.SSLError``. ``pending`` may hold an answer to it."""
        self._incoming.write(data)
        parts = []
        with contextlib.suppress(ssl.SSLWantReadError):
            if not self.is_established:
                self._tls.do_handshake()
                self.is_established = True
            while (self._incoming.pending or self._tls.pending()) and not self.has_ended:  # in vain, it would raise
                part = self._tls.read(_RECORD_BYTES)
                parts.append(part)
                self.has_ended = not part
        return b"".join(parts)

    def encrypt(self, data: bytes) -> bytes:
        """Return the bytes that say ``data``."""
        left = memoryview(data)
        while left:
            left = left[self._tls.write(left) :]
        return self.pending()

    def farewell(self) -> bytes:
        """Return the bytes that say that nothing will follow."""
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()  # asks for the client's farewell at the end, which is not awaited
        return self.pending()

    def pending(self) -> bytes:
        """Return the bytes that TLS itself has to send."""
        return self._outgoing.read()
