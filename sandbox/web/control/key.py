"""The key of the control API, for a sandbox that other machines can reach.

A program sends the key as a bearer token (RFC 6750). A browser sends it as a password (RFC 7617, with any user name):
it asks a person for one, and sends it along with pages, scripts and event streams. A browser sends the password for
pages of other sites as well, so ``guard`` runs first. It never adds a bearer token by itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

from flask import Response, request

from sandbox.foundation.environment import ENV_PREFIX
from sandbox.web.control.problems import problem
from sandbox.web.environ import CONTROL_KEY
from sandbox.web.paths import PREFIX

OPEN_PATHS: Final = (f"{PREFIX}/health", f"{PREFIX}/health/ready", f"{PREFIX}/ca.pem")
"""Paths that need no key: they change nothing and show nothing that the sandbox holds."""

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
    return hmac.compare_digest(_digest(key.encode()), _digest(_credentials(authorization)))


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


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()
