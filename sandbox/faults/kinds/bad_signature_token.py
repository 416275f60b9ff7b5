"""The fault ``bad_signature_token``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from sandbox.faults.fault import Fault, Handling, TokenTerms, Trait


@dataclass(frozen=True, slots=True)
class BadSignatureToken(Fault):
    """The token issued is signed by an unknown key: inbound URLs refuse it with 401. Token endpoint only."""

    kind: ClassVar[str] = "bad_signature_token"
    handling: ClassVar[Handling] = "done"
    needs: ClassVar[tuple[Trait, ...]] = ("issues_tokens",)
    makes_key: ClassVar[bool] = True

    def token_terms(self, terms: TokenTerms) -> TokenTerms:
        """Have the token signed by a key that is never in use."""
        return replace(terms, trusted_key=False)


def bad_signature_token() -> BadSignatureToken:
    """Issue a token that is signed by an unknown key."""
    return BadSignatureToken()
