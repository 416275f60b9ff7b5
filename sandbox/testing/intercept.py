"""Taking the place of the real platform: clients of this process that call it by its name reach the sandbox instead.

Everything in Python that connects by a name asks ``socket.getaddrinfo``, in threads and event loops alike. For a name
of the platform it returns an address of loopback that stands for the sandbox. Some clients use another port than the
one that comes with it (anyio keeps its own), so connecting to that address leads to the sandbox's port. aiohttp with
aiodns asks elsewhere; it is made to ask there too.

On its port the sandbox speaks TLS with a certificate for the name. The authority that issued it is added to the TLS
context of a client when it begins to speak with the name: it does not matter which library made the context, and when.
A context that does not verify, or that expects another certificate, stays as it is. The end of an interception undoes
all of this.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit

from sandbox.foundation.environment import without_proxy
from sandbox.foundation.errors import ConflictError, InvalidValueError, RefusedHostError
from sandbox.foundation.loopback import address_of, is_everywhere, is_loopback
from sandbox.foundation.tls.authority import Authority
from sandbox.web.addresses import PRODUCTION_HOSTS

if TYPE_CHECKING:
    from sandbox.testing.backend import Place

_STAND_INS: Final = ("127.80.87.83", "127.80.87.84")
"""Addresses of loopback at which nothing listens, for an interception and for an outer one around it."""


_FOREIGN_LOOPS: Final = ("uvloop", "winloop")
_HOST_OF: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "create_connection": lambda _factory, host=None, *_, **__: host,
        "getaddrinfo": lambda host, *_, **__: host,
        "sock_connect": lambda _sock, address: address[0] if isinstance(address, tuple) else None,
    }
)
"""Methods of an event loop that reach a host, each with a function that returns the host of its arguments."""

_NAME: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


@dataclass(frozen=True, slots=True)
class Interception:
    """The hosts that are intercepted, and the authority for clients that must be told to trust it."""

    hosts: tuple[str, ...]
    ca_pem: bytes
    renew: Callable[[], None] = field(default=lambda: None, repr=False)
    """Takes the place again where another tool has undone it, as pytest-socket does after each test."""

    @property
    def base_url(self) -> str:
        """Base URL under which the sandbox is reached, as the integration writes it."""
        return f"https://{self.hosts[0]}"


@contextmanager
def intercepted(
    place: Place, hosts: Sequence[str] = (), *, strict: bool = False, outer: bool = False
) -> Iterator[Interception]:
    """Let the sandbox take the place of hosts, those of the real platform unless others are given.

    Other hosts are reached as before, or refused with ``strict``; loopback never is. ``outer``: another interception
    may begin during this one, and takes its place meanwhile. Raise ``InvalidValueError`` for a host that is none,
    ``NotInProcessError`` where the sandbox is not served from this process, and ``ConflictError`` during another
    interception. With ``strict`` also raise it while an event loop runs here that leaves Python's sockets, such as
    uvloop's; one that starts later is refused every host.
    """
    names = tuple(map(_checked, hosts)) or PRODUCTION_HOSTS
    if strict and (foreign := _foreign_loop()):
        raise ConflictError(
            f"an event loop of {foreign} runs in this thread, which cannot be intercepted; use asyncio's own loop, or "
            "leave strict out and let the test call the sandbox's own URLs"
        )
    authority = Authority.new()
    with ExitStack() as stack:
        port = stack.enter_context(place.served_by_tls(authority.server_context(names, at_any_time=True)))
        stack.enter_context(_trusted(names, authority.ca_pem))
        stack.enter_context(patch.dict(os.environ, without_proxy(names)))  # a proxy would look for the real hosts
        if strict:
            stack.enter_context(_closed_to_foreign_loops(names))
        renew = stack.enter_context(_routed(names, port, strict=strict, outer=outer))
        yield Interception(names, authority.ca_pem, renew)


def refused_outside_of_tests() -> AbstractContextManager[object]:
    """Refuse the hosts of the real platform where no interception leads to the sandbox: while tests are collected."""
    return _routed(PRODUCTION_HOSTS, None, strict=False, outer=True)


def _checked(host: str) -> str:
    """Return the name of a host in lower case; raise ``InvalidValueError`` for what is no name of one."""
    name = host.lower().rstrip(".") if isinstance(host, str) else ""
    if len(name) > 253 or not _NAME.fullmatch(name) or address_of(name) is not None:
        allowed = "the name of a host as a URL has it, in ASCII and without scheme, port, path or wildcard, such as"
        raise InvalidValueError("host", host, f"{allowed} {_meant(host)}")
    return name


def _meant(host: object) -> str:
    """Return the name that may be meant by what is none."""
    text = str(host).strip().lower().removeprefix("*.")
    try:
        name = (urlsplit(text if "//" in text else f"//{text}").hostname or "").encode("idna").decode("ascii")
    except ValueError:
        name = ""
    return name if _NAME.fullmatch(name) and address_of(name) is None and "." in name else PRODUCTION_HOSTS[0]


# --- names ----------------------------------------------------------------------------------------------------------


def _plain(host: Any) -> str | None:
    """Return a host's name in lower case; ``None`` where none is given."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    return host.lower().rstrip(".") if isinstance(host, str) else None


@dataclass(frozen=True)
class _Resolver:
    """Stands in for ``socket.getaddrinfo``."""

    hosts: Sequence[str]
    port: int | None
    strict: bool
    outer: bool
    """Whether another may take its place for a while."""
    resolve: Callable[..., Any] = field(default_factory=lambda: socket.getaddrinfo)

    def __call__(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the address that stands for the sandbox for its hosts, and the real one for others."""
        name = _plain(host)
        if name is not None and name in self.hosts:
            if self.port is None:
                raise RefusedHostError(name)
            return self.resolve(_STAND_INS[self.outer], self.port, 0, socket.SOCK_STREAM)
        self._check(name)
        return self.resolve(host, port, *args, **kwargs)

    def lead(self, address: Any) -> Any:
        """Return the address to connect to in place of another one; raise ``RefusedHostError``."""
        name = _plain(address[0])
        if name == _STAND_INS[self.outer]:
            return "127.0.0.1", self.port
        self._check(name)
        return address

    def _check(self, name: str | None) -> None:
        if self.strict and name is not None and not _is_local(name):
            raise RefusedHostError(name, self.hosts)


@contextmanager
def _routed(hosts: Sequence[str], port: int | None, *, strict: bool, outer: bool) -> Iterator[Callable[[], None]]:
    """Send connections to the hosts to a port of loopback; with ``strict``, refuse those that leave the machine.

    Without a port the hosts are refused. Yield a function that does it again where it was undone.
    """
    if isinstance(socket.getaddrinfo, _Resolver) and not socket.getaddrinfo.outer:
        raise ConflictError(
            f"an interception of {', '.join(socket.getaddrinfo.hosts)} lasts already; one at a time, as it concerns "
            "the whole process"
        )
    resolver = _Resolver(hosts, port, strict, outer)
    with ExitStack() as stack:
        stack.enter_context(patch.object(socket, "getaddrinfo", resolver))
        led = {name: _led(getattr(socket.socket, name), resolver) for name in ("connect", "connect_ex")}
        for name, connect in led.items():
            stack.enter_context(patch.object(socket.socket, name, connect))
        aiohttp_resolver: Any = sys.modules.get("aiohttp.resolver")
        if hasattr(aiohttp_resolver, "AsyncResolver"):
            stack.enter_context(
                patch.object(aiohttp_resolver.AsyncResolver, "resolve", _resolve_by_threads(aiohttp_resolver))
            )

        def renew() -> None:
            for name, connect in led.items():
                if getattr(socket.socket, name) is getattr(socket.socket.__base__, name):
                    setattr(socket.socket, name, connect)

        yield renew


def _led(connect: Callable[[socket.socket, Any], Any], resolver: _Resolver) -> Callable[[socket.socket, Any], Any]:
    def led(sock: socket.socket, address: Any) -> Any:
        is_internet = sock.family in (socket.AF_INET, socket.AF_INET6)
        return connect(sock, resolver.lead(address) if is_internet else address)

    return led


def _foreign_loop() -> str:
    """Return the library of the event loop of this thread if it connects otherwise than by Python's sockets."""
    if "asyncio" not in sys.modules:
        return ""
    from asyncio import BaseEventLoop, get_running_loop

    try:
        loop = get_running_loop()
    except RuntimeError:
        return ""
    return "" if isinstance(loop, BaseEventLoop) else type(loop).__module__.partition(".")[0]


@contextmanager
def _closed_to_foreign_loops(hosts: Sequence[str]) -> Iterator[None]:
    """Refuse the loops of uvloop and winloop every host beyond this machine: nothing leads them to the sandbox."""

    def closed(method: Callable[..., Any], host_of: Callable[..., Any], library: str) -> Callable[..., Any]:
        def refusing(loop: object, *args: Any, **kwargs: Any) -> Any:
            name = _plain(host_of(*args, **kwargs))
            if name is not None and not _is_local(name):
                raise RefusedHostError(name, hosts, library)
            return method(loop, *args, **kwargs)

        return refusing

    with ExitStack() as stack:
        for library in _FOREIGN_LOOPS:
            if library in sys.modules or find_spec(library) is not None:
                kind = import_module(library).Loop
                for name, host_of in _HOST_OF.items():
                    method = closed(getattr(kind, name), host_of, library)
                    stack.enter_context(patch.object(kind, name, method))
        yield


def _resolve_by_threads(aiohttp_resolver: Any) -> Any:
    async def resolve(_: object, host: str, port: int = 0, family: int = socket.AF_INET) -> Any:
        return await aiohttp_resolver.ThreadedResolver().resolve(host, port, family)

    return resolve


def _is_local(name: str) -> bool:
    return not name or name.endswith(".localhost") or is_loopback(name) or is_everywhere(name)


# --- trust ----------------------------------------------------------------------------------------------------------


@contextmanager
def _trusted(hosts: Sequence[str], ca_pem: bytes) -> Iterator[None]:
    """Trust an authority when one of the hosts is spoken with."""
    pem = ca_pem.decode("ascii")

    def trusting(wrap: Callable[..., Any], name_at: int) -> Callable[..., Any]:
        def wrapped(context: ssl.SSLContext, *args: Any, **kwargs: Any) -> Any:
            host = kwargs.get("server_hostname") or (args[name_at] if len(args) > name_at else None)
            if _plain(host) in hosts:
                context.load_verify_locations(cadata=pem)
            return wrap(context, *args, **kwargs)

        return wrapped

    # The position of server_hostname where it is not given by its name.
    with (
        patch.object(ssl.SSLContext, "wrap_socket", trusting(ssl.SSLContext.wrap_socket, 4)),
        patch.object(ssl.SSLContext, "wrap_bio", trusting(ssl.SSLContext.wrap_bio, 3)),
    ):
        yield
