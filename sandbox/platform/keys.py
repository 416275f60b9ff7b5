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
from typing import TYPE_CHECKING, Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from sandbox.foundation.errors import SettingError
from sandbox.foundation.refusals import UnauthenticatedError
from sandbox.foundation.settings import Settings

if TYPE_CHECKING:
    from jwt.types import Options

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

        PyJWT would write the header and check the key at each token. A test holds that its token is the same, and that
        it reads this one.
        """
        signing_input = _HEADER + b"." + _base64url(msgspec.json.encode(claims))
        signature = self._private_key.sign(signing_input, _PADDING, _HASH)
        return (signing_input + b"." + _base64url(signature)).decode("ascii")

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that this key signed; raise ``UnauthenticatedError`` for any other.

        PyJWT is imported here, for a token that the sandbox does not recognise as its own.
        """
        import jwt

        try:
            return jwt.decode(token, self._public_key, algorithms=[ALGORITHM], options=_OPTIONS)
        except jwt.InvalidAlgorithmError:
            raise UnauthenticatedError(f"algorithm_not_allowed: the token is not signed with {ALGORITHM}") from None
        except jwt.InvalidSignatureError:
            raise UnauthenticatedError("bad_signature: changed on the way, or signed by another key") from None
        except jwt.MissingRequiredClaimError as error:
            raise UnauthenticatedError(f"missing_claim: {error.claim}") from None
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise UnauthenticatedError(f"malformed_token: {_malformation(token)}") from None


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
_OPTIONS: Final[Options] = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_sub": False,
    "require": ["aud", "jti", "exp", "nbf"],
}
"""PyJWT would compare the times with the machine's clock; the sandbox clock decides."""


def _malformation(token: str) -> str:
    """Return the reason why a token cannot be read; the words of PyJWT and of Python change with their versions."""
    parts = token.split(".")
    if len(parts) != 3:
        return f"{len(parts)} part{'s' if len(parts) > 1 else ''}, a JWT has 3"
    for name, part in zip(("header", "payload", "signature"), parts, strict=True):
        if not _BASE64URL.fullmatch(part) or len(part) % 4 == 1:
            return f"the {name} is not base64url"
        if name != "signature" and not isinstance(_document(part), dict):
            return f"the {name} is not a JSON object"
    return "the header or a claim holds a value that a JWT may not hold there"


def _document(part: str) -> object:
    try:
        return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
