"""The token endpoint (WIRE A, RFC 6749 §4.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sandbox.foundation.answer import Answer
from sandbox.foundation.settings import Settings
from sandbox.journal.endpoint import EndpointKind
from sandbox.journal.entry import Exchange
from sandbox.platform.platform import Platform
from sandbox.platform.token_request import read_token_request


class TokenEndpoint:
    """Issues access tokens for the credentials of an OAuth client."""

    def __init__(self, kind: EndpointKind) -> None:
        self.kind = kind

    def subject_of(self, path: str, settings: Settings) -> Mapping[str, str] | None:
        """Match the setting ``token_path``; there is nothing else in it."""
        return {} if path == settings.token_path else None

    def methods(self, settings: Settings) -> Sequence[str]:
        """Return the methods of the setting ``token_methods``; GET brings HEAD."""
        allowed = settings.token_methods
        return [name for name in ("GET", "HEAD", "POST") if ("GET" if name == "HEAD" else name) in allowed]

    def handle(self, exchange: Exchange, platform: Platform) -> Answer:
        """Answer a token request."""
        access_token = platform.grant_token(exchange, read_token_request(exchange.request, platform.wire))
        return platform.wire.token(access_token, platform.settings.token_lifetime)


ENDPOINT: Final = TokenEndpoint
