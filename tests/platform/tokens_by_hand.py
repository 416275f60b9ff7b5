"""Taking JWTs apart and forging them without a JWT library, so that the tests do not trust the one in use."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from sandbox.platform.keys import SigningKey


def b64(data: bytes) -> bytes:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def unb64(text: str) -> bytes:
    """Decode base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def decoded(token: str) -> tuple[bytes, bytes, bytes]:
    """Return the bytes of header, payload and signature."""
    header, payload, signature = token.split(".")
    return unb64(header), unb64(payload), unb64(signature)


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims, in order, with times as written."""
    claims: dict[str, Any] = json.loads(decoded(token)[1])
    return claims


def signing_input(header: dict[str, Any] | bytes, payload: dict[str, Any] | bytes) -> bytes:
    """Return ``header.payload``."""
    parts = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload))
    return b".".join(b64(part) for part in parts)


def rs256(key: SigningKey, header: dict[str, Any] | bytes, payload: dict[str, Any] | bytes) -> str:
    """Forge a token with a good RS256 signature, whatever the header says."""
    text = signing_input(header, payload)
    signature = key._private_key.sign(text, padding.PKCS1v15(), SHA256())
    return b".".join((text, b64(signature))).decode()


def hs256(key: SigningKey, payload: bytes) -> str:
    """Forge a token signed by HMAC with the public key as secret: the classic confusion (RFC 8725 §2.1)."""
    secret = key._public_key.public_bytes(ser.Encoding.PEM, ser.PublicFormat.SubjectPublicKeyInfo)
    text = signing_input({"typ": "JWT", "alg": "HS256"}, payload)
    return b".".join((text, b64(hmac.new(secret, text, hashlib.sha256).digest()))).decode()
