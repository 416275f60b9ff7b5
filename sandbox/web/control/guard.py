"""Keeps web pages of other sites out of the control API, and on request everybody without its key.

The control API needs no credentials on loopback. A page that a developer visits could change the sandbox through the
browser, or read its journal by DNS rebinding (a name of the attacker that comes to resolve to loopback). A page cannot
change three headers: ``Host`` names the site that the page was loaded from, ``Origin`` and ``Sec-Fetch-Site`` the site
that asks. A client that is no browser sends neither of the last two; this module lets it pass.

``Host`` does not matter where there is nothing to guard: for paths that need no key, which change nothing and hold no
secret, and for a program that brings the key.

The key is for a sandbox that other machines can reach. A program sends it as a bearer token (RFC 6750). A browser sends
it as a password (RFC 7617, with any user name): it asks a person for one, and sends it along with pages, scripts and
event streams, for pages of other sites as well. So ``refuse_other_sites`` runs first. A browser never adds a bearer
token by itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
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
from sandbox.web.control.problems import problem
from sandbox.web.environ import CONTROL_KEY, RAW_HEADERS
from sandbox.web.paths import HEALTH, PREFIX, READINESS

OPEN_PATHS: Final = (HEALTH, READINESS, f"{PREFIX}/ca.pem")
"""Paths that need no key: they change nothing and show nothing that the sandbox holds."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}


def refuse_other_sites() -> Response | None:
    """Answer 403 to a request that a page of another site may have caused; return ``None`` to let it pass."""
    settings = current_sandbox().settings
    sent = request.headers.get("Host", "")
    # A target that is a whole URL wins over the field (RFC 9112 §3.2.2), so both are held against the list.
    fields = [value for name, value in request.environ.get(RAW_HEADERS, ()) if name.lower() == "host"]
    named = {_host_name(host) for host in (request.host, *fields)}
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


# --- the key ----------------------------------------------------------------------------------------------------------

REALM: Final = "patchworks-sandbox control API"
CHALLENGES: Final = (f'Bearer realm="{REALM}"', f'Basic realm="{REALM}", charset="UTF-8"')
_WHAT_TO_DO: Final = (
    "Send 'Authorization: Bearer KEY'; to a browser it is the password, with any user name; the project's own clients "
    f"take it as --control-key, as control_key= or from {ENV_PREFIX}CONTROL_KEY. The sandbox prints a key that it made "
    "when it starts, and its ready file has any key as control_key"
)


def refuse_without_key() -> Response | None:
    """Answer 401 to a request that does not bring the key; return ``None`` to let it pass."""
    key: str | None = request.environ[CONTROL_KEY]
    if key is None or request.path in OPEN_PATHS or _brings(key, request.headers.get("Authorization", "")):
        return None
    wrong = "what this request brings is not it" if "Authorization" in request.headers else "this request brings none"
    refusal = problem(401, f"the control API needs its key, and {wrong}. {_WHAT_TO_DO}")
    for challenge in CHALLENGES:
        refusal.headers.add("WWW-Authenticate", challenge)
    return refusal


def is_sent_by_program() -> bool:
    """Return whether the request brings the key as a bearer token, which a page of another site cannot know."""
    key: str | None = request.environ[CONTROL_KEY]
    authorization = request.headers.get("Authorization", "")
    return key is not None and authorization.lower().startswith("bearer ") and _brings(key, authorization)


def _brings(key: str, authorization: str) -> bool:
    """Compare digests in constant time, so that the time does not even show the length of the key."""
    known, given = (hashlib.sha256(each).digest() for each in (key.encode(), _credentials(authorization)))
    return hmac.compare_digest(known, given)


def _credentials(authorization: str) -> bytes:
    """Return the bearer token or the password; empty where there is neither. A key is never empty."""
    scheme, _, credentials = authorization.partition(" ")
    given = credentials.strip().encode("utf-8", "surrogatepass")
    if scheme.lower() == "bearer":
        return given
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given, validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""
