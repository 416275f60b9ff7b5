"""The fault ``revoked_token``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Act, BearerToken, Fault, Handling, KeyRing, TokenBook, Trait
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class RevokedToken(Fault):
    """Tokens are revoked: this request gets 401, like every later one with them. Inbound URLs only.

    New tokens are issued and good.
    """

    kind: ClassVar[str] = "revoked_token"
    handling: ClassVar[Handling] = "done"
    needs: ClassVar[tuple[Trait, ...]] = ("takes_bearer",)

    whose: str = field(
        types.choice("request", "client", "all"),
        "Which tokens: the one this request carries, all of its OAuth client, or all there are.",
        "request",
    )

    def spoil_bearer(self, act: Act, token: BearerToken, tokens: TokenBook, keys: KeyRing) -> str:
        """Revoke the tokens."""
        reason = f"token_revoked: by the fault {act.label}"
        if self.whose == "request":
            tokens.revoke_one(reason, token.fingerprint)
        else:
            tokens.revoke(reason, token.client_id if self.whose == "client" else None)
        return reason


def revoked_token(whose: str = "request") -> RevokedToken:
    """Revoke the token of a request, those of its client, or all."""
    return RevokedToken(whose)
