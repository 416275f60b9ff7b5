"""Access tokens: the book issues them as the platform's stack does, and checks those that come back.

WIRE A has the claims and their order. A token is good when its signature is good, the sandbox clock is within its
lifetime, this book issued it, and neither the token nor its client was revoked. The book verifies the signature of a
token once and remembers it by the token's hash. It checks all that can change at each request.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sandbox.foundation.bounds import Count, Seconds
from sandbox.foundation.clock import format_timestamp
from sandbox.foundation.errors import UnauthenticatedError
from sandbox.foundation.rng import Rng
from sandbox.journal.entry import TokenLink, seconds
from sandbox.journal.known_secrets import fingerprint
from sandbox.platform.keys import KeyRing, SigningKey

JTI_DIGITS: Final = 80
MAX_TOKENS: Final = 250_000
"""Tokens remembered; beyond it the oldest are forgotten and refused as unknown."""

MAX_TOKEN_LENGTH: Final = 16_384
_UNKNOWN: Final = "unknown_token: well signed, but not issued since the sandbox was last reset"


@dataclass(frozen=True, slots=True)
class Token:
    """The claims of an issued token; times are Unix seconds on the sandbox clock."""

    jti: str
    client_id: str
    scopes: tuple[str, ...]
    issued_at: float
    expires_at: float
    fingerprint: str

    def allows(self, scope: str) -> bool:
        """Return whether the token has a scope; ``*`` stands for every scope (WIRE B)."""
        return scope in self.scopes or "*" in self.scopes


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


@dataclass(slots=True)
class _Record:
    """A token that the book remembers, and its history."""

    token: Token
    link: TokenLink
    uses: int = 0
    revoked: str | None = None

    def as_issued(self) -> IssuedToken:
        token = self.token
        return IssuedToken(
            token.fingerprint,
            self.link.request,
            token.client_id,
            token.scopes,
            token.issued_at,
            token.expires_at,
            self.uses,
            self.revoked,
            token.jti,
        )


class TokenBook:
    """The tokens one emulated platform has issued; safe to use from several threads."""

    def __init__(self, keys: KeyRing, rng: Rng) -> None:
        self._keys = keys
        self._rng = rng
        self._lock = threading.Lock()
        self._issued: dict[str, _Record] = {}  # by jti
        self._by_fingerprint: dict[str, _Record] = {}
        self._verified: dict[bytes, tuple[Token, SigningKey]] = {}

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
        access_token = (key or self._keys.current()).sign(
            {
                "aud": client_id,
                "jti": jti,
                "iat": _numeric_date(issued_at),
                "nbf": _numeric_date(issued_at),
                "exp": _numeric_date(expires_at),
                "sub": subject,
                "scopes": list(scopes),
            }
        )
        mark = fingerprint(access_token)
        token = Token(jti, client_id, scopes, issued_at, expires_at, mark)
        link = TokenLink(mark, None, issued_at, expires_at)
        with self._lock:
            self._issued[jti] = self._by_fingerprint[mark] = _Record(token, link)
            while len(self._issued) > MAX_TOKENS:
                forgotten = self._issued.pop(next(iter(self._issued)))
                self._by_fingerprint.pop(forgotten.token.fingerprint, None)
        return access_token, link

    def find(self, access_token: str) -> Token:
        """Return a token that this book issued and that comes back unchanged, also an expired or revoked one.

        Raise ``UnauthenticatedError`` with the reason for any other token.
        """
        digest = _digest(access_token)
        token, key = self._verified.get(digest, (None, None))
        if token is not None and key is self._keys.current():
            return self._still_known(token)
        token, key = self._verify_signature(access_token)
        with self._lock:
            if len(self._verified) >= MAX_TOKENS:
                self._verified.clear()
            self._verified[digest] = token, key
        return token

    def check(self, token: Token, now: float) -> None:
        """Raise ``UnauthenticatedError`` with the reason unless a token is good at ``now``.

        A token is refused from the second of ``exp`` on; there is no leeway (WIRE B).
        """
        now = _microseconds(now)
        if now >= token.expires_at:
            late = seconds(now - token.expires_at)
            raise UnauthenticatedError(f"token_expired: {late} s ago, at {format_timestamp(token.expires_at)}")
        if now < token.issued_at:
            raise UnauthenticatedError(
                f"token_not_yet_valid: issued in the future, at {format_timestamp(token.issued_at)}"
            )
        record = self._issued.get(token.jti)
        if record is not None and record.revoked is not None:
            raise UnauthenticatedError(record.revoked)

    def link_of(self, token: Token) -> TokenLink | None:
        """Return where a token is from, unless the book has forgotten it."""
        record = self._by_fingerprint.get(token.fingerprint)
        return None if record is None else record.link

    def note_origin(self, mark: str, request: int) -> None:
        """Note which token request issued the token with this fingerprint."""
        with self._lock:
            if record := self._by_fingerprint.get(mark):
                record.link = record.link.issued_by(request)

    def withdraw(self, mark: str) -> None:
        """Forget the token with this fingerprint, because the client never got it."""
        with self._lock:
            if record := self._by_fingerprint.pop(mark, None):
                self._issued.pop(record.token.jti, None)

    def note_use(self, token: Token) -> None:
        """Count a request that a token authorised."""
        with self._lock:
            if record := self._by_fingerprint.get(token.fingerprint):
                record.uses += 1

    def __len__(self) -> int:
        return len(self._issued)

    def issued(self) -> list[IssuedToken]:
        """Return every token that is remembered, in the order of issue."""
        with self._lock:
            return [record.as_issued() for record in self._issued.values()]

    def newest(self, count: int) -> list[IssuedToken]:
        """Return the tokens issued last, at most ``count``, newest first."""
        with self._lock:
            return [record.as_issued() for record in islice(reversed(self._issued.values()), count)]

    def with_fingerprint(self, mark: str) -> IssuedToken | None:
        """Return the token with a fingerprint, if it is remembered."""
        with self._lock:
            record = self._by_fingerprint.get(mark)
            return None if record is None else record.as_issued()

    def restore(self, issued: Iterable[IssuedToken]) -> None:
        """Take the place of the book that had issued these tokens. The keys decide whether they are well signed."""
        with self._lock:
            for kept in issued:
                token = Token(kept.jti, kept.client_id, kept.scopes, kept.issued_at, kept.expires_at, kept.fingerprint)
                link = TokenLink(kept.fingerprint, kept.request, kept.issued_at, kept.expires_at)
                record = _Record(token, link, kept.uses, kept.revoked)
                self._issued[kept.jti] = self._by_fingerprint[kept.fingerprint] = record

    def revoke_one(self, why: str, jti: str) -> None:
        """Revoke one token, by its id."""
        with self._lock:
            if record := self._issued.get(jti):
                record.revoked = record.revoked or why

    def revoke(self, why: str, client_id: str | None = None) -> int:
        """Revoke the tokens of one client, or all; return how many. ``why`` is the reason a refusal will tell."""
        with self._lock:
            revoked = [
                record
                for record in self._issued.values()
                if client_id in (None, record.token.client_id) and record.revoked is None
            ]
            for record in revoked:
                record.revoked = why
        return len(revoked)

    def _verify_signature(self, access_token: str) -> tuple[Token, SigningKey]:
        if len(access_token) > MAX_TOKEN_LENGTH:
            raise UnauthenticatedError(f"malformed_token: longer than {MAX_TOKEN_LENGTH} characters")
        key = self._keys.current()
        claims = key.verify(access_token)
        record = self._issued.get(str(claims["jti"]))
        # A seeded run repeats its jtis after a reset.
        if record is None or record.token.fingerprint != fingerprint(access_token):
            raise UnauthenticatedError(_UNKNOWN)
        return record.token, key

    def _still_known(self, token: Token) -> Token:
        record = self._issued.get(token.jti)
        if record is None or record.token is not token:
            raise UnauthenticatedError(_UNKNOWN)
        return token


def _microseconds(timestamp: float) -> float:
    """Round to what a claim can hold, so that a token is neither early at its issue nor late to expire."""
    return round(float(timestamp), 6)


def _numeric_date(timestamp: float) -> int | float:
    """Return a time as the platform's JWT library writes it: without a fraction where there is none."""
    return int(timestamp) if timestamp.is_integer() else timestamp


def _digest(access_token: str) -> bytes:
    return hashlib.sha256(access_token.encode("utf-8", "surrogateescape")).digest()
