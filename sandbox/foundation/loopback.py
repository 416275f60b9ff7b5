"""Hosts that are addresses, and whether one is this machine's loopback, which other machines cannot reach."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a server that listens on a host name or address.

    No name is resolved: of names only ``localhost`` is loopback, and an unusual spelling of an address is not.
    """
    address = address_of(host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return host.lower() == "localhost" or (address is not None and (mapped or address).is_loopback)


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host is, or ``None`` for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_everywhere(host: str) -> bool:
    """Return whether a host is the address that stands for every address of the machine: 0.0.0.0 or ::."""
    address = address_of(host)
    return address is not None and address.is_unspecified
