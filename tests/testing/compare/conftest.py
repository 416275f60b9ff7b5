"""A story of every kind of answer, as the export of a journal."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.journal.export.har import as_har
from tests.conftest import ORDER, Integration

ORIGIN = "http://inbound.pwks.co"
Har = dict[str, Any]


def exported(integration: Integration) -> Har:
    """Return the journal of an integration as a HAR."""
    entries = list(integration.sandbox.journal.entries())
    har: Har = json.loads("".join(as_har(entries, ORIGIN, 0)))
    return har


def tell_story(integration: Integration) -> None:
    """Send requests of every kind: good ones, and one for each refusal that needs no fault."""
    http, sandbox = integration.http, integration.sandbox
    token = integration.token(scope="access-inbound")
    basic = base64.b64encode(f"{integration.client_id}:{integration.client_secret}".encode()).decode()
    http.post("/oauth/token", json=integration.credentials(), headers={"Accept": "application/json"})
    grant = {"grant_type": "client_credentials"}
    by_basic = http.post("/oauth/token", data=grant, headers={"Authorization": f"Basic {basic}"})
    http.get("/oauth/token", query_string=integration.credentials())
    http.post("/oauth/token", data=integration.credentials(), content_type="multipart/form-data")
    integration.request_token(client_secret="wrong-secret-of-ten")
    integration.request_token(client_id="9d3c6f0e-4b7a-4c59-8f21-000000000000")
    integration.request_token(client_secret=None)
    integration.request_token(grant_type="password")
    integration.request_token(scope="bogus")
    http.post("/oauth/token", data=b"{broken", content_type="application/json")
    integration.post(ORDER, "/v1/acme/anything", token)
    integration.post(ORDER, "/v1/acme/anything", by_basic.json["access_token"])  # type: ignore[index]
    integration.post(b"\x00\xff binary", "/v1/acme/anything", token)
    integration.post({"order": 1}, "/v1/acme/orders", token)
    integration.post(b" ", "/v1/acme/orders", token)
    integration.post(ORDER, "/v1/acme/nothing", token)
    integration.post(ORDER, "/v1/acme/anything", "no-token-at-all")
    integration.post(ORDER, "/v1/acme/anything", token, **{"X-HTTP-Method-Override": "PUT"})
    http.post("/v1/acme/anything", data=b"x")
    http.get("/v1/acme/anything")
    http.post("/nothing/here", data=b"x")
    integration.post(b"x" * (sandbox.settings.body_limit + 1), "/v1/acme/anything", token)
    sandbox.clock.advance("24h")
    integration.post(ORDER, "/v1/acme/anything", token)
    integration.post(ORDER, "/v1/acme/anything")


@pytest.fixture
def make_story(make_integration: Callable[..., Integration]) -> Callable[..., Har]:
    """Tell the story under settings, and return its HAR."""

    def make(**settings: Any) -> Har:
        integration = make_integration(**{"body_limit": 10_000, **settings})
        tell_story(integration)
        return exported(integration)

    return make
