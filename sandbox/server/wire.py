"""One accepted socket: bytes in and out by a deadline, and every way in which it can end.

The socket never blocks by itself. Its owner says with each call how long it will wait, which is nothing at
all in the usual case, so that one request costs one `recv` and one `send`.
"""

import contextlib
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable

from sandbox.foundation.real_time import monotonic

_NOTHING_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_RESET_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Wire:
    """A socket, until it is closed or released; from then on every read and write raises `ConnectionError`.

    It belongs to one thread at a time. Only `cut` and `close` may be called by another.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock: socket.socket | None = sock
        self._ending = threading.Lock()
        self._timeout: float | None = 0.0
        sock.settimeout(0)
        with contextlib.suppress(OSError):  # the client may be gone already
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        """Return the descriptor, -1 when the socket is gone."""
        sock = self._sock
        return -1 if sock is None else sock.fileno()

    def receive(self, size: int, timeout: float) -> bytes:
        """Return up to `size` bytes, none at the end of the stream.

        Raises `TimeoutError` when nothing came within `timeout` seconds, `ConnectionError` when nothing can
        come.
        """
        sock = self._socket(timeout)
        try:
            return sock.recv(size)
        except _NOTHING_NOW:
            raise TimeoutError("nothing to read yet") from None
        except (TimeoutError, ConnectionError):
            raise
        except OSError as error:
            raise ConnectionAbortedError(f"the connection broke: {error}") from error

    def send(self, data: bytes, timeout: float, on_wait: Callable[[], None] = lambda: None) -> None:
        """Write all of `data`. `on_wait` is called before the client is waited for.

        Raises `ConnectionError` when the client is gone or took longer than `timeout` seconds.
        """
        try:
            sent = self._send_part(data, 0)
            if sent == len(data):
                return
            on_wait()
            deadline = monotonic() + timeout
            rest = memoryview(data)[sent:]
            while rest:
                # A timeout of 0 would mean "do not wait at all": the last moment is a short one instead.
                rest = rest[self._send_part(rest, max(deadline - monotonic(), 0.001)) :]
        except ConnectionError:
            raise
        except OSError as error:
            raise ConnectionAbortedError(f"the client did not take the answer: {error}") from error

    def send_some(self, data: bytes) -> int:
        """Write what can be written without waiting; return how many bytes. Raises `ConnectionError`."""
        try:
            return self._send_part(data, 0)
        except ConnectionError:
            raise
        except OSError as error:
            raise ConnectionAbortedError(f"the client did not take the answer: {error}") from error

    def _send_part(self, data: bytes | memoryview, timeout: float) -> int:
        sock = self._socket(timeout)
        try:
            return sock.send(data)
        except _NOTHING_NOW:
            return 0

    def secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on; `handshake` must succeed before anything is read or written."""
        sock = self._socket(0)
        self._sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)

    def handshake(self) -> bool:
        """Go on with the TLS handshake; return False while it waits for the client."""
        sock = self._socket(0)
        assert isinstance(sock, ssl.SSLSocket)
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def has_pending(self) -> bool:
        """Whether bytes wait inside the TLS layer, where no selector sees them."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def abandon_tls(self) -> None:
        """Speak plainly again, to a client that never spoke TLS."""
        sock = self._socket(0)
        with self._ending:
            self._sock = socket.socket(fileno=sock.detach())
        self._sock.settimeout(0)

    def discard(self, size: int) -> int:
        """Throw away up to `size` bytes as they are, encrypted or not; return how many, 0 at the end.

        Raises `TimeoutError` when nothing is there.
        """
        try:
            return len(socket.socket.recv(self._socket(0), size))
        except BlockingIOError:
            raise TimeoutError("nothing to read yet") from None

    def end_sending(self) -> None:
        """Send FIN, without a word of TLS."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket(0), socket.SHUT_WR)

    def bid_farewell(self) -> None:
        """Tell a TLS client that the stream ends here by intention; then send FIN."""
        sock = self._sock
        if isinstance(sock, ssl.SSLSocket):
            # `unwrap` sends our farewell at once, and would then wait for the client's, which we do not.
            with contextlib.suppress(OSError, ValueError):
                sock.settimeout(0)
                sock.unwrap()
        self.end_sending()

    def cut(self) -> None:
        """End both directions at once, so that whoever waits on this socket wakes up."""
        with self._ending, contextlib.suppress(OSError):
            if self._sock is not None:
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the descriptor back."""
        with self._ending:
            sock, self._sock = self._sock, None
            if sock is not None:
                sock.close()

    def reset(self) -> None:
        """End with RST: what is under way is lost, in both directions."""
        sock = self.release()
        with contextlib.closing(sock), contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)

    def release(self) -> socket.socket:
        """Return the socket, blocking, and forget it."""
        with self._ending:
            sock = self._socket(None)
            self._sock = None
        return sock

    def _socket(self, timeout: float | None) -> socket.socket:
        sock = self._sock
        if sock is None:
            raise ConnectionAbortedError("the connection has been closed or taken over")
        if timeout != self._timeout:
            sock.settimeout(timeout)
            self._timeout = timeout
        return sock
