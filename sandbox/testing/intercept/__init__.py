"""Taking the place of the real platform: clients of this process that call it by its name reach the sandbox instead.

Names are resolved to the sandbox's port on loopback, where it speaks TLS with a certificate for them, and clients are
made to trust the authority that issued it. What a client checks, it goes on checking. Everything is as it was when
the context ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.server.tls.authority import Authority
from sandbox.testing.intercept.routing import bypassing_proxies, routed
from sandbox.testing.intercept.trust import trusted
from sandbox.web.addresses import PRODUCTION_HOSTS

if TYPE_CHECKING:
    from sandbox.testing.backend import Backend


@dataclass(frozen=True, slots=True)
class Interception:
    """What is intercepted, and the authority to trust for those that are not made to."""

    hosts: tuple[str, ...]
    ca_pem: bytes

    @property
    def base_url(self) -> str:
        """Base URL under which the sandbox is reached, as the integration writes it."""
        return f"https://{self.hosts[0]}"


@contextmanager
def intercepted(backend: Backend, hosts: Sequence[str] = (), *, strict: bool = False) -> Iterator[Interception]:
    """Let the sandbox take the place of hosts, those of the real platform unless others are given.

    Any other host is reached as ever, or refused with ``strict``; loopback never is. Raise ``NotInProcessError`` where
    the sandbox is not served from this process, and ``ConflictError`` while another interception is under way.
    """
    names = tuple(host.lower() for host in hosts) or PRODUCTION_HOSTS
    authority = Authority.new()
    with ExitStack() as stack:
        port = stack.enter_context(backend.served_by_tls(authority.server_context(names)))
        stack.enter_context(trusted(names, authority.ca_pem))
        stack.enter_context(bypassing_proxies(names))
        stack.enter_context(routed(names, port, strict=strict))
        yield Interception(names, authority.ca_pem)
