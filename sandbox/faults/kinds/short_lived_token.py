"""The fault ``short_lived_token``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from sandbox.faults.fault import Act, Fault, Handling, TokenTerms, Trait
from sandbox.faults.kinds.token_response import TokenResponse
from sandbox.foundation import value_types as types
from sandbox.foundation.answer import Answer
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class ShortLivedToken(Fault):
    """The token issued is valid for a short time only, on the sandbox clock. Token endpoint only."""

    kind: ClassVar[str] = "short_lived_token"
    handling: ClassVar[Handling] = "done"
    needs: ClassVar[tuple[Trait, ...]] = ("issues_tokens",)

    seconds: int = field(types.integer(1, 31_536_000), "How long it is valid.", 1)
    announced: bool = field(types.boolean(), "Whether `expires_in` says so; if not, it is the usual number.", True)

    def token_terms(self, terms: TokenTerms) -> TokenTerms:
        """Shorten the lifetime."""
        return replace(terms, lifetime_s=self.seconds)

    def effect(self, act: Act, answer: Answer) -> Answer:
        """Announce the lifetime."""
        return TokenResponse(set={"expires_in": self.seconds}).effect(act, answer) if self.announced else answer


def short_lived_token(seconds: int = 1, *, announced: bool = True) -> ShortLivedToken:
    """Issue a token that soon expires."""
    return ShortLivedToken(seconds, announced)
