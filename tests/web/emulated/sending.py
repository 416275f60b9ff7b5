"""Requests that hold exactly what a test says, and what the journal made of them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

from werkzeug.test import TestResponse

from sandbox.journal.entry import Entry
from tests.conftest import Integration

FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")


def send(
    integration: Integration, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes | str = b""
) -> TestResponse:
    """Send these headers and no other but Host and Content-Length; the target is percent-encoded already."""
    path, _, query = target.partition("?")
    data = body.encode() if isinstance(body, str) else body
    return integration.http.open(
        path,
        method=method,
        query_string=query,
        headers=list(headers),
        input_stream=io.BytesIO(data),
        content_length=len(data) if data else None,
    )


def basic(credentials: str | bytes) -> tuple[str, str]:
    """Return the header of HTTP Basic."""
    data = credentials.encode() if isinstance(credentials, str) else credentials
    return "Authorization", f"Basic {base64.b64encode(data).decode()}"


def bearer(access_token: str) -> tuple[str, str]:
    """Return the header that carries an access token."""
    return "Authorization", f"Bearer {access_token}"


def last_entry(integration: Integration) -> Entry:
    """Return the newest entry of the journal."""
    return list(integration.sandbox.journal.snapshot())[-1]
