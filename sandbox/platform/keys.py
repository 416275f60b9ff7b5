"""The RSA key that signs access tokens: made when first needed, given as PEM, or rotated while the sandbox runs.

Making a key takes tens of milliseconds and loading one about as long, so a key is an object that is made once. The
algorithm is pinned to RS256 in both directions (RFC 8725 §3.1).
"""

from __future__ import annotations

import json
import re
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from sandbox.foundation.errors import SettingError, UnauthenticatedError
from sandbox.foundation.settings import Settings

ALGORITHM: Final = "RS256"
_PADDING: Final = PKCS1v15()
_HASH: Final = SHA256()
_HEADER: Final = b"eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9"
"""``{"typ":"JWT","alg":"RS256"}`` (WIRE A), base64url: the same in every token."""

_PEM_ALLOWED: Final = "a PEM file with an unencrypted RSA private key of at least 2048 bits"


class SigningKey:
    """An RSA key pair."""

    def __init__(self, private_key: RSAPrivateKey) -> None:
        self._private_key = private_key
        self._public_key = private_key.public_key()

    @classmethod
    def generate(cls, bits: int = 2048) -> SigningKey:
        """Make a new key of ``bits`` bits."""
        return cls(generate_private_key(public_exponent=65537, key_size=bits))

    @classmethod
    def from_pem_file(cls, path: str) -> SigningKey:
        """Load a key from a PEM file; raise ``SettingError``."""
        try:
            return cls.from_pem(Path(path).read_bytes())
        except OSError as error:
            raise SettingError("signing_key_file", path, f"{_PEM_ALLOWED} ({error.strerror})") from None
        except ValueError:
            raise SettingError("signing_key_file", path, _PEM_ALLOWED) from None

    @classmethod
    def from_pem(cls, pem: bytes) -> SigningKey:
        """Load a key; raise ``ValueError`` for what is none."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(pem, password=None)
        except (TypeError, UnsupportedAlgorithm) as error:
            raise ValueError(str(error)) from None
        if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
            raise ValueError(_PEM_ALLOWED)
        return cls(key)

    def pem(self) -> str:
        """Return the private key as PEM: a secret."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        return self._private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return a compact JWS (RFC 7515 §7.1).

        PyJWT would write the header and check the key at each token, and takes longer to import than a sandbox to
        start. A test holds that its token is the same, and that it reads this one.
        """
        signing_input = _HEADER + b"." + _base64url(msgspec.json.encode(claims))
        signature = self._private_key.sign(signing_input, _PADDING, _HASH)
        return (signing_input + b"." + _base64url(signature)).decode("ascii")

    def verify(self, token: str) -> dict[str, object]:
        """Return the claims of a token that this key signed; raise ``UnauthenticatedError`` for any other."""
        parts = token.split(".")
        if len(parts) != 3:
            raise _malformed(f"{len(parts)} part{'s' if len(parts) > 1 else ''}, a JWT has 3")
        head, payload, signature = (
            _bytes_of(part, name) for part, name in zip(parts, ("header", "payload", "signature"), strict=True)
        )
        header = _object_of(head, "header")
        if header.get("alg") != ALGORITHM:
            raise UnauthenticatedError(f"algorithm_not_allowed: the token is not signed with {ALGORITHM}")
        if not isinstance(header.get("kid", ""), str):
            raise _malformed("the kid of the header is not text")
        try:
            self._public_key.verify(signature, token.rpartition(".")[0].encode("ascii"), _PADDING, _HASH)
        except InvalidSignature:
            raise UnauthenticatedError("bad_signature: changed on the way, or signed by another key") from None
        claims = _object_of(payload, "payload")
        for name in _NEEDED:
            if claims.get(name) is None:
                raise UnauthenticatedError(f"missing_claim: {name}")
        return claims


class KeyRing:
    """The key in use. It is made on first use; ``warm`` makes it ahead, in the background."""

    def __init__(self, bits: int = 2048, key: SigningKey | None = None) -> None:
        self._bits = bits
        self._key = key
        self._untrusted: SigningKey | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Settings, key: SigningKey | None = None) -> KeyRing:
        """Return the ring for ``key``, the file that the settings name, or a key to be made; raise ``SettingError``."""
        if key is None and settings.signing_key_file is not None:
            key = SigningKey.from_pem_file(settings.signing_key_file)
        return cls(settings.signing_key_bits, key)

    def untrusted_key(self) -> SigningKey:
        """Return a key that is never in use: what it signs is refused."""
        with self._lock:
            self._untrusted = self._untrusted or SigningKey.generate()
            return self._untrusted

    def current(self) -> SigningKey:
        """Return the key in use."""
        key = self._key
        if key is None:
            with self._lock:
                key = self._key = self._key or SigningKey.generate(self._bits)
        return key

    @property
    def is_made(self) -> bool:
        """Whether ``current`` returns at once."""
        return self._key is not None

    def warm(self) -> None:
        """Start making the key, unless there is one."""
        if self._key is None:
            threading.Thread(target=self.current, name="signing-key", daemon=True).start()

    def rotate(self) -> None:
        """Replace the key by a new one; tokens signed by the old one are no longer good."""
        self.use(SigningKey.generate(self._bits))

    def use(self, key: SigningKey) -> None:
        """Sign with this key from now on; tokens signed by another are no longer good."""
        with self._lock:
            self._key = key


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


_BASE64URL: Final = re.compile("[A-Za-z0-9_-]*")
_NEEDED: Final = ("aud", "jti", "exp", "nbf")
"""The claims that a token must have. Their times are not looked at here: the sandbox clock decides."""


def _malformed(why: str) -> UnauthenticatedError:
    return UnauthenticatedError(f"malformed_token: {why}")


def _bytes_of(part: str, name: str) -> bytes:
    if not _BASE64URL.fullmatch(part) or len(part) % 4 == 1:
        raise _malformed(f"the {name} is not base64url")
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _object_of(part: bytes, name: str) -> dict[str, object]:
    try:
        document = json.loads(part)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _malformed(f"the {name} is not a JSON object")
    return document
