"""The fault ``expired_token``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from sandbox.faults.fault import Act, BearerToken, Fault, Handling, KeyRing, TokenBook, TokenTerms, Trait


@dataclass(frozen=True, slots=True)
class ExpiredToken(Fault):
    """A token has expired before its time.

    At the token endpoint: the token issued is past its lifetime already, while the answer looks like any other. At an
    inbound URL: the token used expires at this very request, which gets 401 like every later one with it.
    """

    kind: ClassVar[str] = "expired_token"
    handling: ClassVar[Handling] = "done"
    needs: ClassVar[tuple[Trait, ...]] = ("issues_tokens", "takes_bearer")

    def token_terms(self, terms: TokenTerms) -> TokenTerms:
        """Let the token end where it would begin."""
        return replace(terms, start=terms.start - terms.lifetime_s)

    def spoil_bearer(self, act: Act, token: BearerToken, tokens: TokenBook, keys: KeyRing) -> str:
        """Refuse the token from now on."""
        reason = f"token_expired: before its time, by the fault {act.label}"
        tokens.revoke_one(reason, token.fingerprint)
        return reason


def expired_token() -> ExpiredToken:
    """Issue an expired token, or let the one used expire now."""
    return ExpiredToken()
