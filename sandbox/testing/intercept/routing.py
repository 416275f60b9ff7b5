"""Where connections of this process go, for a while: some hosts to a port of loopback, the others where they went.

Everything in Python that connects by a name asks ``socket.getaddrinfo``, threads and event loops alike. It gets an
address that stands for the sandbox; not all use the port that comes with it (anyio goes on with its own), so connecting
to that address, at whatever port, is led to the sandbox's. The one resolver that asks elsewhere, aiohttp's with aiodns,
is made to ask there too.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from unittest.mock import patch

from sandbox.foundation.errors import ConflictError, RefusedHostError


def plain(host: Any) -> str | None:
    """Return a host's name in lower case; ``None`` where none is given."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    return host.lower().rstrip(".") if isinstance(host, str) else None


_NO_PROXY: Final = ("no_proxy", "NO_PROXY")
_STAND_IN: Final = "127.80.87.83"
"""An address of loopback at which nobody listens."""


class _Resolver:
    """Stands in for ``socket.getaddrinfo``."""

    def __init__(self, hosts: Sequence[str], port: int, *, strict: bool) -> None:
        self.hosts = hosts
        self.address = ("127.0.0.1", port)
        self._strict = strict
        self._resolve = socket.getaddrinfo

    def __call__(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the sandbox's address for its hosts, and for others what there really is."""
        name = plain(host)
        if name in self.hosts:
            return self._resolve(_STAND_IN, self.address[1], 0, socket.SOCK_STREAM)
        self._check(name)
        return self._resolve(host, port, *args, **kwargs)

    def lead(self, address: Any) -> Any:
        """Return where to connect to in place of an address; raise ``RefusedHostError``."""
        name = plain(address[0])
        if name == _STAND_IN:
            return self.address
        self._check(name)
        return address

    def _check(self, name: str | None) -> None:
        if self._strict and name is not None and not _is_local(name):
            raise RefusedHostError(name, self.hosts)


@contextmanager
def routed(hosts: Sequence[str], port: int, *, strict: bool) -> Iterator[None]:
    """Send connections to the hosts to a port of loopback; with ``strict``, refuse those that leave the machine."""
    if isinstance(socket.getaddrinfo, _Resolver):
        raise ConflictError(
            f"{', '.join(socket.getaddrinfo.hosts)} is intercepted already; one interception at a time, as it concerns "
            "the whole process"
        )
    resolver = _Resolver(hosts, port, strict=strict)
    with ExitStack() as stack:
        stack.enter_context(patch.object(socket, "getaddrinfo", resolver))
        for name in ("connect", "connect_ex"):
            stack.enter_context(patch.object(socket.socket, name, _led(getattr(socket.socket, name), resolver)))
        aiohttp_resolver: Any = sys.modules.get("aiohttp.resolver")
        if hasattr(aiohttp_resolver, "AsyncResolver"):
            stack.enter_context(
                patch.object(aiohttp_resolver.AsyncResolver, "resolve", _resolve_by_threads(aiohttp_resolver))
            )
        yield


def _led(connect: Callable[[socket.socket, Any], Any], resolver: _Resolver) -> Callable[[socket.socket, Any], Any]:
    def led(sock: socket.socket, address: Any) -> Any:
        is_internet = sock.family in (socket.AF_INET, socket.AF_INET6)
        return connect(sock, resolver.lead(address) if is_internet else address)

    return led


def _resolve_by_threads(aiohttp_resolver: Any) -> Any:
    async def resolve(
        _: object, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await aiohttp_resolver.ThreadedResolver().resolve(host, port, family)
        return found

    return resolve


@contextmanager
def bypassing_proxies(hosts: Sequence[str]) -> Iterator[None]:
    """Keep clients from sending requests for the hosts to a proxy, which would look for the real ones."""
    known = {name: value for name in _NO_PROXY if (value := os.environ.get(name))}
    changed = {name: ",".join([*filter(None, [known.get(name)]), *hosts]) for name in _NO_PROXY}
    with patch.dict(os.environ, changed):
        yield


def _is_local(name: str) -> bool:
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
