"""Issued tokens on the pages: the time left for them on the sandbox clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sandbox.journal.entry import Entry
from sandbox.platform.platform import Platform
from sandbox.platform.tokens import IssuedToken

SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class TokenLife:
    """A token at a moment of the sandbox clock; ``client_name`` is ``None`` if the client was deleted."""

    token: IssuedToken
    client_name: str | None
    at: float

    @property
    def left(self) -> float:
        """Seconds until it expires; negative when it has."""
        return self.token.expires_at - self.at

    @property
    def state(self) -> str:
        """The state of the token in one word."""
        if self.token.revoked:
            return "revoked"
        return "expired" if self.left <= 0 else "early" if self.at < self.token.issued_at else "valid"


def newest_tokens(platform: Platform) -> tuple[list[TokenLife], int]:
    """Return the tokens issued last, newest first, and how many there are in all."""
    now = platform.clock.timestamp()
    return [_life(platform, token, now) for token in platform.tokens.newest(SHOWN)], len(platform.tokens)


def token_of(platform: Platform, entry: Entry) -> TokenLife | None:
    """Return the token that an entry came with or was answered with, if it was issued here and is remembered."""
    token = None if entry.token is None else platform.tokens.with_fingerprint(entry.token.fingerprint)
    return None if token is None else _life(platform, token, entry.received_at)


def _life(platform: Platform, token: IssuedToken, at: float) -> TokenLife:
    client = platform.store.find_client(token.client_id)
    return TokenLife(token, client.name if client else None, at)
