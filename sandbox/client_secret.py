"""The secret of an OAuth client: what one may be, and what it is recognised by, which is all that is kept."""

from __future__ import annotations

import hashlib

from sandbox.model import OAuthClient
from sandbox.rng import Rng
from sandbox.snapshot.shapes import SecretSnapshot

SECRET_RULE = "8 to 255 printable ASCII characters without spaces at the ends"  # noqa: S105 - a rule, not one


def new_secret(rng: Rng) -> tuple[str, SecretSnapshot]:
    """Return a new client secret, and what it is recognised by."""
    secret = rng.secret()
    return secret, recognised_by(secret, rng)


def recognised_by(secret: str, rng: Rng) -> SecretSnapshot:
    """Return what a secret is recognised by from now on."""
    salt = rng.bytes(16)
    return SecretSnapshot(salt, secret_hash(salt, secret), secret[-4:])


def secret_of(client: OAuthClient) -> SecretSnapshot:
    """Return what the secret of a client is recognised by."""
    return SecretSnapshot(client.secret_salt, client.secret_hash, client.secret_last_four)


def may_be_secret(text: str) -> bool:
    """Return whether a text keeps to ``SECRET_RULE``."""
    return 8 <= len(text) <= 255 and text.isascii() and text.isprintable() and text == text.strip()


def secret_hash(salt: bytes, secret: str) -> bytes:
    """Return what is kept of a secret."""
    return hashlib.sha256(salt + secret.encode("utf-8", "surrogatepass")).digest()
