"""Whether the signature of an access token is good, as PyJWT says.

PyJWT takes as long to import as everything else that the first token needs, so it is imported for the first one that
comes back.
"""

from __future__ import annotations

from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sandbox.errors import UnauthenticatedError

_OPTIONS: jwt.types.Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_sub": False,
    "require": ["aud", "jti", "exp", "nbf"],
}
"""Times are not looked at: PyJWT would compare them with the machine's clock."""


def claims_of(token: str, key: RSAPublicKey, algorithm: str) -> dict[str, Any]:
    """Return the claims of a token that ``key`` has signed; raise ``UnauthenticatedError`` telling why it has not."""
    try:
        return jwt.decode(token, key, algorithms=[algorithm], options=_OPTIONS)
    except jwt.InvalidAlgorithmError:
        raise UnauthenticatedError(f"algorithm_not_allowed: the token is not signed with {algorithm}") from None
    except jwt.InvalidSignatureError:
        raise UnauthenticatedError("bad_signature: changed on the way, or signed by another key") from None
    except jwt.MissingRequiredClaimError as error:
        raise UnauthenticatedError(f"missing_claim: {error.claim}") from None
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise UnauthenticatedError(f"malformed_token: {error}") from None
