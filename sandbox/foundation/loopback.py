"""What counts as this machine's loopback: where one listens for oneself, and others cannot come."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether listening on a host name or address reaches nobody but this machine.

    Only what is so without asking anybody: of names, ``localhost``; a spelling that is no plain address is not.
    """
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
