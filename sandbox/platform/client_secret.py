"""The secret of an OAuth client: what one may be, and what it is recognised by, which is all that is kept."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from sandbox.foundation.rng import Rng
from sandbox.platform.model import KeptSecret

SECRET_RULE = "8 to 255 printable ASCII characters without spaces at the ends"  # noqa: S105 - a rule, not one

_NOBODYS: Final = KeptSecret(b"\0" * 16, b"\0" * 32, "")


def new_secret(rng: Rng) -> tuple[str, KeptSecret]:
    """Return a new client secret, and what it is recognised by."""
    secret = rng.secret()
    return secret, recognised_by(secret, rng)


def recognised_by(secret: str, rng: Rng) -> KeptSecret:
    """Return what a secret is recognised by from now on."""
    salt = rng.bytes(16)
    return KeptSecret(salt, _hashed(salt, secret), secret[-4:])


def is_recognised(secret: str, kept: KeptSecret | None) -> bool:
    """Compare a secret with what is kept in constant time; takes as long when nothing is."""
    compared = kept or _NOBODYS
    return hmac.compare_digest(_hashed(compared.salt, secret), compared.hash) and kept is not None


def may_be_secret(text: str) -> bool:
    """Return whether a text keeps to ``SECRET_RULE``."""
    return 8 <= len(text) <= 255 and text.isascii() and text.isprintable() and text == text.strip()


def _hashed(salt: bytes, secret: str) -> bytes:
    return hashlib.sha256(salt + secret.encode("utf-8", "surrogatepass")).digest()
