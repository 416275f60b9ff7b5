"""Access tokens: the book issues them as the platform's stack does, and checks those that come back.

WIRE A has the claims and their order. A token is good when its signature is good, the sandbox clock is within its
lifetime, this book issued it, and neither the token nor its client was revoked. The book recognises the tokens that it
issued by their hash, and verifies the signature of any other for the reason of its refusal. It checks all that can
change at each request.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from msgspec import convert

from sandbox.foundation.bounds import Count, Seconds
from sandbox.foundation.instants import format_timestamp
from sandbox.foundation.refusals import UnauthenticatedError
from sandbox.foundation.rng import Rng
from sandbox.journal.entry import TokenLink, seconds
from sandbox.journal.known_secrets import digest_of, fingerprint_of
from sandbox.platform.keys import KeyRing, SigningKey

JTI_DIGITS: Final = 80
MANAGER: Final = "manager"
"""The scope of the tokens of the login, and of API keys (FLOWS 2)."""

MAX_TOKENS: Final = 250_000
"""Tokens remembered; beyond it the oldest are forgotten and refused as unknown."""

MAX_TOKEN_LENGTH: Final = 16_384
_MICROSECOND: Final = 1e-6
_UNKNOWN: Final = "unknown_token: well signed, but not issued since the sandbox was last reset, or by another sandbox"


@dataclass(slots=True, eq=False)
class Token:
    """An issued token: its claims, which do not change, and its history, which only the book changes.

    Times are Unix seconds on the sandbox clock.
    """

    jti: str
    client_id: str
    scopes: tuple[str, ...]
    issued_at: float
    expires_at: float
    link: TokenLink
    """Where it is from, for the journal."""
    digest: bytes | None = field(default=None, repr=False)
    """The SHA-256 of the token; of a token from a saved state not known until it comes back."""
    key: SigningKey | None = field(default=None, repr=False)
    """The key that signed it, known as the digest is."""
    uses: int = 0
    revoked: str | None = None

    @property
    def fingerprint(self) -> str:
        """The fingerprint, which lists and the journal show in place of the token."""
        return self.link.fingerprint

    @property
    def request(self) -> int | None:
        """Number of the journal entry of the token request that issued it."""
        return self.link.request

    def allows(self, scope: str) -> bool:
        """Return whether the token has a scope; ``*`` stands for every scope (WIRE B)."""
        return scope in self.scopes or "*" in self.scopes

    def check(self, now: float) -> None:
        """Raise ``UnauthenticatedError`` with the reason unless the token is good at ``now``.

        A token is refused from the second of ``exp`` on; there is no leeway (WIRE B).
        """
        if not self.issued_at <= now < self.expires_at - _MICROSECOND:
            now = _microseconds(now)
            if now >= self.expires_at:
                late = seconds(now - self.expires_at)
                raise UnauthenticatedError(f"token_expired: {late} s ago, at {format_timestamp(self.expires_at)}")
            if now < self.issued_at:
                since = format_timestamp(self.issued_at)
                raise UnauthenticatedError(f"token_not_yet_valid: issued in the future, at {since}")
        if self.revoked is not None:
            raise UnauthenticatedError(self.revoked)

    def as_issued(self) -> IssuedToken:
        """Return it as a value."""
        return convert(self, IssuedToken, from_attributes=True)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An issued access token with its history; the token itself is kept nowhere.

    Times are Unix seconds on the sandbox clock.
    """

    fingerprint: str
    request: Count | None
    """Number of the journal entry of the token request that issued it."""
    client_id: str
    scopes: tuple[str, ...]
    issued_at: Seconds
    expires_at: Seconds
    uses: Count
    """How many requests it authorised."""
    revoked: str | None
    """Why it was revoked."""
    jti: str


class TokenBook:
    """The tokens one emulated platform has issued; safe to use from several threads."""

    def __init__(self, keys: KeyRing, rng: Rng) -> None:
        self._keys = keys
        self._rng = rng
        self._lock = threading.Lock()
        self._issued: dict[str, Token] = {}  # by fingerprint, in the order of issue

    def issue(
        self,
        client_id: str,
        scopes: Sequence[str],
        now: float,
        lifetime: int,
        *,
        integer_times: bool,
        subject: str,
        key: SigningKey | None = None,
    ) -> tuple[str, TokenLink]:
        """Return a new signed access token, valid from ``now`` for ``lifetime`` seconds, and its link for the journal.

        ``integer_times`` and ``subject`` are where the wire profiles differ. ``key`` is the one in use unless given.
        """
        issued_at = float(int(now)) if integer_times else _microseconds(now)
        expires_at = _microseconds(issued_at + lifetime)
        jti = self._rng.hex(JTI_DIGITS)
        scopes = tuple(dict.fromkeys(scopes))
        key = key or self._keys.current()
        claims = {
            "aud": client_id,
            "jti": jti,
            "iat": _numeric_date(issued_at),
            "nbf": _numeric_date(issued_at),
            "exp": _numeric_date(expires_at),
            "sub": subject,
            "scopes": scopes,
        }
        access_token = key.sign(claims)
        digest = digest_of(access_token)
        link = TokenLink(fingerprint_of(digest), None, issued_at, expires_at)
        with self._lock:
            self._issued[link.fingerprint] = Token(jti, client_id, scopes, issued_at, expires_at, link, digest, key)
            while len(self._issued) > MAX_TOKENS:
                del self._issued[next(iter(self._issued))]
        return access_token, link

    def find(self, access_token: str) -> Token:
        """Return a token that this book issued and that comes back unchanged, also an expired or revoked one.

        Raise ``UnauthenticatedError`` with the reason for any other token.
        """
        digest = digest_of(access_token)
        token = self._issued.get(fingerprint_of(digest))
        if token is None or token.digest != digest or token.key is not self._keys.current():
            return self._verified(access_token, digest, token)
        return token

    def _verified(self, access_token: str, digest: bytes, token: Token | None) -> Token:
        """Return ``token`` if it is this one, from a saved state; the signature decides on the reason of a refusal."""
        if len(access_token) > MAX_TOKEN_LENGTH:
            raise UnauthenticatedError(f"malformed_token: longer than {MAX_TOKEN_LENGTH} characters")
        key = self._keys.current()
        key.verify(access_token)
        if token is None or token.digest not in (None, digest):
            raise UnauthenticatedError(_UNKNOWN)
        token.digest, token.key = digest, key
        return token

    def note_origin(self, link: TokenLink) -> None:
        """Note the link of a journal entry as where its token is from: the token request that issued it."""
        with self._lock:
            if token := self._issued.get(link.fingerprint):
                token.link = link

    def withdraw(self, mark: str) -> None:
        """Forget the token with this fingerprint, because the client never got it."""
        with self._lock:
            self._issued.pop(mark, None)

    def note_use(self, token: Token) -> None:
        """Count a request that a token authorised."""
        with self._lock:
            token.uses += 1

    def __len__(self) -> int:
        return len(self._issued)

    def issued(self) -> list[IssuedToken]:
        """Return every token that is remembered, in the order of issue."""
        with self._lock:
            return [token.as_issued() for token in self._issued.values()]

    def newest(self, count: int) -> list[IssuedToken]:
        """Return the tokens issued last, at most ``count``, newest first."""
        with self._lock:
            return [token.as_issued() for token in islice(reversed(self._issued.values()), count)]

    def with_fingerprint(self, mark: str) -> IssuedToken | None:
        """Return the token with a fingerprint, if it is remembered."""
        with self._lock:
            token = self._issued.get(mark)
            return None if token is None else token.as_issued()

    def restore(self, issued: Iterable[IssuedToken]) -> None:
        """Take the place of the book that had issued these tokens. The keys decide whether they are well signed."""
        with self._lock:
            for kept in issued:
                link = TokenLink(kept.fingerprint, kept.request, kept.issued_at, kept.expires_at)
                token = Token(kept.jti, kept.client_id, kept.scopes, kept.issued_at, kept.expires_at, link)
                token.uses, token.revoked = kept.uses, kept.revoked
                self._issued[kept.fingerprint] = token

    def revoke_one(self, why: str, mark: str) -> None:
        """Revoke one token, by its fingerprint."""
        with self._lock:
            if token := self._issued.get(mark):
                token.revoked = token.revoked or why

    def revoke(self, why: str, client_id: str | None = None) -> int:
        """Revoke the tokens of one client, or all; return how many. ``why`` is the reason a refusal will tell."""
        with self._lock:
            revoked = [
                token
                for token in self._issued.values()
                if client_id in (None, token.client_id) and token.revoked is None
            ]
            for token in revoked:
                token.revoked = why
        return len(revoked)


def _microseconds(timestamp: float) -> float:
    """Round to what a claim can hold, so that a token is neither early at its issue nor late to expire."""
    return round(float(timestamp), 6)


def _numeric_date(timestamp: float) -> int | float:
    """Return a time as the platform's JWT library writes it: without a fraction where there is none."""
    return int(timestamp) if timestamp.is_integer() else timestamp
