"""The names under which clients reach the sandbox over TLS."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from sandbox.config import Settings

PRODUCTION_HOSTS: Final = ("inbound.pwks.co",)
"""Where inbound URLs are (FACTS 1.12)."""

_ALWAYS: Final = (*PRODUCTION_HOSTS, "localhost", "127.0.0.1", "::1")


def certificate_names(settings: Settings, host: str) -> dict[str, str]:
    """Return each name that the certificate of a sandbox listening on ``host`` is for, with the setting it is from."""
    public = urlsplit(settings.public_url or "").hostname
    names = dict.fromkeys(_ALWAYS, "tls")
    names |= {} if _is_everywhere(host) else {host.lower(): "host"}
    names |= {public: "public_url"} if public else {}
    return names | dict.fromkeys(settings.tls_names, "tls_names")


def _is_everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host
