"""A token that a client sends where none belongs does not stand in the journal either."""

from __future__ import annotations

import json

import pytest

from sandbox.journal.known_secrets import fingerprint
from tests.web.emulated.sending import FORM, bearer, send


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/v1/acme/orders?token={token}", [], b"{}"),
        ("/v1/acme/orders", [("X-Auth-Token", "{token}")], b"{}"),
        ("/v1/acme/orders", [("Token", "Bearer {token}")], b"{}"),
        ("/v1/acme/{token}", ["authorized"], b"{}"),
        ("/v1/{token}/orders", ["authorized"], b"{}"),
        ("/{token}", [], b""),
        ("/oauth/token", [FORM], b"token={token}"),
        ("/oauth/token", [FORM], b"grant_type=client_credentials&client_id={token}&client_secret=x"),
        ("/oauth/token", [FORM], b"grant_type={token}"),
    ],
    ids=["query", "header", "bearer", "vanity URL", "company", "path", "form", "client id", "grant type"],
)
@pytest.mark.parametrize("profile", ["modern", "legacy"])
def test_misplaced_token_is_a_fingerprint_in_the_journal(make_integration, profile, path, headers, body):
    integration = make_integration(wire_profile=profile)
    token = integration.token()
    sent = [
        bearer(token) if header == "authorized" else (header[0], header[1].replace("{token}", token))
        for header in headers
    ]

    send(integration, "POST", path.replace("{token}", token), sent, body.replace(b"{token}", token.encode()))

    journal = json.dumps(integration.control("GET", "/requests").json)
    assert token not in journal
    assert token.lower() not in journal
    assert fingerprint(token) in journal
