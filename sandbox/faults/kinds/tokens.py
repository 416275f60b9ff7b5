"""Faults of access tokens: of the one that is issued, or of the one that comes with a request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal

from sandbox.faults.fault import Act, Fault, Spoiled, TokenTerms
from sandbox.foundation import value_types as types
from sandbox.foundation.answer import Answer, compact
from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.fields import field
from sandbox.foundation.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class ExpiredToken(Fault):
    """A token has expired before its time.

    At the token endpoint: the token issued is past its lifetime already, while the answer looks like any other. At an
    inbound URL: the token used expires at this very request, which gets 401 like every later one with it.
    """

    kind = "expired_token"
    handling = "done"
    needs = ("issues_tokens", "takes_bearer")

    def token_terms(self, terms: TokenTerms) -> TokenTerms:
        return replace(terms, start=terms.start - terms.lifetime_s)

    def spoiled(self, act: Act) -> Spoiled:
        return Spoiled("request", f"token_expired: before its time, by the fault {act.label}")


@dataclass(frozen=True, slots=True)
class BadSignatureToken(Fault):
    """The token issued is signed by an unknown key: inbound URLs refuse it with 401. Token endpoint only."""

    kind = "bad_signature_token"
    handling = "done"
    needs = ("issues_tokens",)
    makes_key = True

    def token_terms(self, terms: TokenTerms) -> TokenTerms:
        """Have the token signed by a key that is never in use."""
        return replace(terms, trusted_key=False)


@dataclass(frozen=True, slots=True)
class ShortLivedToken(Fault):
    """The token issued is valid for a short time only, on the sandbox clock. Token endpoint only."""

    kind = "short_lived_token"
    handling = "done"
    needs = ("issues_tokens",)

    seconds: int = field(types.integer(1, 31_536_000), "How long it is valid.", 1)
    _: KW_ONLY
    announced: bool = field(types.boolean(), "Whether `expires_in` says so; if not, it is the usual number.", True)

    def token_terms(self, terms: TokenTerms) -> TokenTerms:
        return replace(terms, lifetime_s=self.seconds)

    def effect(self, act: Act, answer: Answer) -> Answer:
        return TokenResponse(set={"expires_in": self.seconds}).effect(act, answer) if self.announced else answer


@dataclass(frozen=True, slots=True)
class TokenResponse(Fault):
    """A token response with fields missing or of the wrong type; the token itself is good. Token endpoint only."""

    kind = "token_response"
    handling = "done"
    needs = ("issues_tokens",)

    remove: Sequence[str] = field(types.names(), "Fields to leave out, such as `expires_in`.", ())
    set: Mapping[str, JsonValue] = field(
        types.json_object(), 'Fields to put in or replace, such as `{"expires_in": "soon"}`.', {}
    )

    def check(self) -> None:
        if not self.remove and not self.set:
            raise InvalidValueError("remove", list(self.remove), "at least one field in remove or in set")

    def effect(self, act: Act, answer: Answer) -> Answer:
        kept = {name: value for name, value in json.loads(answer.body).items() if name not in self.remove}
        return Answer(answer.status, answer.headers, compact({**kept, **self.set}))


def token_response(*, remove: Sequence[str] = (), set: Mapping[str, JsonValue] | None = None) -> TokenResponse:
    """Leave fields of the token response out, or give them other values."""
    return TokenResponse(remove, set or {})


@dataclass(frozen=True, slots=True)
class RevokedToken(Fault):
    """Tokens are revoked: this request gets 401, like every later one with them. Inbound URLs only.

    New tokens are issued and good.
    """

    kind = "revoked_token"
    handling = "done"
    needs = ("takes_bearer",)

    whose: Literal["request", "client", "all"] = field(
        types.choice("request", "client", "all"),
        "Which tokens: the one this request carries, all of its OAuth client, or all there are.",
        "request",
    )

    def spoiled(self, act: Act) -> Spoiled:
        return Spoiled(self.whose, f"token_revoked: by the fault {act.label}")


@dataclass(frozen=True, slots=True)
class RotatedKey(Fault):
    """The signing key is replaced: this request gets 401, like every later one with an old token. Inbound URLs only.

    New tokens are signed by the new key and are good. A reset does not bring the old key back.
    """

    kind = "rotated_key"
    handling = "done"
    needs = ("takes_bearer",)
    makes_key = True

    def spoiled(self, act: Act) -> Spoiled:
        return Spoiled("key", f"bad_signature: the key was rotated by the fault {act.label}")
