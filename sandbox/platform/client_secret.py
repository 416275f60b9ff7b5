"""The secret of an OAuth client: the rule for its text, and the salted hash that the sandbox keeps in its place."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from sandbox.foundation.rng import Rng
from sandbox.platform.model import KeptSecret

_NO_SECRET: Final = KeptSecret(b"\0" * 16, b"\0" * 32, "")


def recognised_by(secret: str, rng: Rng) -> KeptSecret:
    """Return the hash of a secret, with a new salt."""
    salt = rng.bytes(16)
    return KeptSecret(salt, _hashed(salt, secret), secret[-4:])


def is_recognised(secret: str, kept: KeptSecret | None) -> bool:
    """Compare a secret with a hash in constant time; it takes as long where there is no hash."""
    compared = kept or _NO_SECRET
    return hmac.compare_digest(_hashed(compared.salt, secret), compared.hash) and kept is not None


def _hashed(salt: bytes, secret: str) -> bytes:
    return hashlib.sha256(salt + secret.encode("utf-8", "surrogatepass")).digest()
