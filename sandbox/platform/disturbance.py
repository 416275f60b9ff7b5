"""What a fault changes inside the platform, before there is an answer: tokens, keys, and refusals out of the blue."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from sandbox.faults.book import Act
from sandbox.faults.kinds import (
    BadSignatureToken,
    ExpiredToken,
    Maintenance,
    RateLimit,
    RevokedToken,
    RotatedKey,
    ShortLivedToken,
    Status,
)
from sandbox.foundation.errors import FaultedError, RefusalError, TooManyAttemptsError, UnauthenticatedError
from sandbox.journal.journal import Exchange
from sandbox.platform.keys import KeyRing, SigningKey
from sandbox.platform.tokens import Token, TokenBook

DEFAULT_RETRY_AFTER_S: Final = 60
"""What ``Retry-After`` says where neither the fault nor the end of its rule tells."""

_UNCOUNTED: Final = (404, 405, 413, 503)
"""Statuses that the platform sends without the headers of the throttle (WIRE D)."""


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """On which terms a token is issued: from when, for how many seconds, by which key (``None``: the one in use)."""

    start: float
    lifetime_s: int
    key: SigningKey | None = None


def token_terms(act: Act | None, now: float, lifetime_s: int, keys: KeyRing) -> TokenTerms:
    """Return the terms of a token that is issued now."""
    match act.fault if act else None:
        case ExpiredToken():
            return TokenTerms(now - lifetime_s, lifetime_s)
        case ShortLivedToken(seconds):
            return TokenTerms(now, seconds)
        case BadSignatureToken():
            return TokenTerms(now, lifetime_s, keys.stranger())
        case _:
            return TokenTerms(now, lifetime_s)


def spoil_token(act: Act, token: Token, tokens: TokenBook, keys: KeyRing) -> None:
    """Let a fault of the token take effect on the one a request carries; raise what refuses the request then."""
    match act.fault:
        case ExpiredToken():
            reason = f"token_expired: before its time, by the fault {act.label}"
            tokens.revoke_one(reason, token)
        case RevokedToken("request"):
            reason = f"token_revoked: by the fault {act.label}"
            tokens.revoke_one(reason, token)
        case RevokedToken(whose):
            reason = f"token_revoked: by the fault {act.label}"
            tokens.revoke(reason, token.client_id if whose == "client" else None)
        case RotatedKey():
            reason = f"bad_signature: the key was rotated by the fault {act.label}"
            keys.rotate()
        case _:
            return
    raise UnauthenticatedError(reason)


def refusal_by(act: Act, exchange: Exchange, now: float) -> RefusalError:
    """Return the refusal that a fault puts in place of the platform's own answer."""
    reason = f"fault: {act.label}"
    match act.fault:
        case Status(code):
            if code in _UNCOUNTED:
                exchange.rate = None
            return FaultedError(reason, code)
        case RateLimit(retry_after):
            wait = _retry_after(act, retry_after)
            if exchange.rate is not None:
                exchange.rate = (exchange.rate[0], 0)
            refusal = TooManyAttemptsError(wait, math.ceil(now + wait))
            refusal.reason = reason
            return refusal
        case Maintenance(retry_after):
            exchange.rate = None
            return FaultedError(reason, 503, _retry_after(act, retry_after))
        case _:
            return FaultedError(reason, 500)  # nobody gets to see it: the connection fails first


def _retry_after(act: Act, given: float | None) -> int:
    if given is None:
        given = act.window_left
    return DEFAULT_RETRY_AFTER_S if given is None else max(1, math.ceil(given))
