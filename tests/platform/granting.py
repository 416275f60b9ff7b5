"""Getting a token from the platform without HTTP."""

from __future__ import annotations

import json
from unittest.mock import patch

from sandbox.journal.entry import Exchange
from sandbox.platform.endpoints.token import ENDPOINT
from sandbox.platform.platform import Platform
from sandbox.platform.serve import handle
from sandbox.platform.token_request import TokenRequest


def grant(platform: Platform, exchange: Exchange, request: TokenRequest) -> str:
    """Return the access token that a token request gets; raise a ``RefusalError``."""
    with patch("sandbox.platform.endpoints.token.read_token_request", lambda *_, **__: request):
        answer = handle(platform, exchange, ENDPOINT)
    access_token: str = json.loads(answer.body)["access_token"]
    return access_token
