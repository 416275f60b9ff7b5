"""Keeps web pages of other sites out of the control API.

The control API needs no credentials on loopback. A page that a developer visits could change the sandbox through the
browser, or read its journal by DNS rebinding (a name of the attacker that comes to resolve to loopback). A page cannot
change three headers: ``Host`` names the site that the page was loaded from, ``Origin`` and ``Sec-Fetch-Site`` the site
that asks. A client that is no browser sends neither of the last two; this module lets it pass.

``Host`` does not matter where there is nothing to guard: for paths that need no key, which change nothing and hold no
secret, and for a program that brings the key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from flask import Response, request

from sandbox.foundation.environment import ENV_PREFIX
from sandbox.foundation.errors import shorten
from sandbox.foundation.loopback import address_of, is_everywhere
from sandbox.foundation.settings import Settings
from sandbox.web.addresses import certificate_names
from sandbox.web.control.base import current_sandbox
from sandbox.web.control.key import OPEN_PATHS, is_sent_by_program
from sandbox.web.control.problems import problem
from sandbox.web.environ import RAW_HEADERS

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}


def refuse_other_sites() -> Response | None:
    """Answer 403 to a request that a page of another site may have caused; return ``None`` to let it pass."""
    settings = current_sandbox().settings
    sent = request.headers.get("Host", "")
    named = {_host_name(request.host), *_host_fields()}
    listened_on = request.environ.get("SERVER_NAME", "")
    if not (
        all(_is_allowed_host(name, settings, listened_on) for name in named)
        or request.path in OPEN_PATHS
        or is_sent_by_program()
    ):
        return problem(
            403,
            f"the control API is not served to the host {shorten(sent)}; allowed: loopback names, the address "
            "listened on, the host of public_url, with TLS the names of its certificate, and those in the setting "
            f"allowed_hosts ({ENV_PREFIX}ALLOWED_HOSTS={_host_name(request.host) or 'name'}). A program that sends "
            "'Authorization: Bearer KEY' with the control key may name any host. "
            "The emulated API answers to any",
        )
    if _is_foreign(settings):
        return problem(
            403,
            f"a web page of {shorten(request.headers.get('Origin', 'another site'))} may not use the control API; "
            "allowed: the sandbox's own pages, and clients that are no browsers",
        )
    return None


def _host_fields() -> list[str]:
    """Return the hosts of the field ``Host`` as sent: a target that is a whole URL wins over it (RFC 9112 §3.2.2)."""
    fields = request.environ.get(RAW_HEADERS, ())
    return [_host_name(value) for name, value in fields if name.lower() == "host"]


def _is_allowed_host(name: str, settings: Settings, listened_on: str) -> bool:
    if not name:
        return False
    if name == "localhost" or name.endswith(".localhost") or {name, "*"} & set(settings.allowed_hosts):
        return True
    if name in (settings.host.lower(), listened_on.lower(), _host_name(urlsplit(settings.public_url or "").netloc)):
        return True
    if settings.tls and name in certificate_names(settings, listened_on):
        return True
    address = address_of(name)
    # An address cannot be rebound. The sandbox cannot list the addresses by which a port mapping reaches it.
    return address is not None and (address.is_loopback or any(map(is_everywhere, (settings.host, listened_on))))


def _is_foreign(settings: Settings) -> bool:
    """Return whether a page of another site asks: to change something, or by its script for anything."""
    origin = request.headers.get("Origin")
    if request.method not in _SAFE_METHODS and origin is not None:
        # https as well: TLS may end at a proxy
        own = [f"{request.scheme}://{request.host}", f"https://{request.host}", settings.public_url or ""]
        asking = _netloc(origin)
        return asking is None or asking not in map(_netloc, own)
    site, mode = request.headers.get("Sec-Fetch-Site"), request.headers.get("Sec-Fetch-Mode")
    follows_link = mode == "navigate" and request.method in _SAFE_METHODS
    return site in ("cross-site", "same-site") and not follows_link


def _host_name(netloc: str) -> str:
    """Return the host of ``host:port`` in lower case, without brackets; ``""`` where there is none."""
    try:
        return (urlsplit(f"//{netloc}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _netloc(url: str) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port of an origin; ``None`` for ``null`` and for any text that is no origin."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


_UNDERSCORED: Final = re.compile(r"[A-Za-z0-9.-]*_[A-Za-z0-9._-]*(?::[0-9]{1,5})?")


def take_host() -> None:
    """Set the host of a request to a name with an underscore, which Werkzeug refuses to read.

    It runs before ``refuse_other_sites``, which decides whether the host is allowed.
    """
    given = request.headers.get("Host", "")
    if _UNDERSCORED.fullmatch(given):
        request.host = given
