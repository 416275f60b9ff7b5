"""Health and reset."""

from __future__ import annotations

import pytest

from sandbox import __version__
from tests.conftest import Integration


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_health_tells_version_time_and_how_full_the_journal_is(integration: Integration, path: str) -> None:
    integration.control("PUT", "/clock", {"now": "2026-11-23T12:00:00Z", "frozen": True})
    integration.post()

    health = integration.control("GET", path).get_json()
    assert health == {
        "status": "ok",
        "version": __version__,
        "now": "2026-11-23T12:00:00.000000Z",
        "journal_entries": 2,
        "journal_last_seq": 2,
        "journal_bytes": integration.sandbox.journal.bytes,
        "journal_dropped": 0,
    }


def test_reset_returns_to_the_seed(integration: Integration) -> None:
    token = integration.token()
    integration.control("POST", "/companies", {"name": "Beta"})
    integration.control("PUT", "/clock", {"frozen": True, "now": "2030-01-01T00:00:00Z"})
    integration.control("PATCH", "/settings", {"success_status": 201})

    response = integration.control("POST", "/reset")

    assert response.status_code == 200
    assert integration.control("GET", "/requests").get_json() == {"entries": [], "next_after": None, "dropped": 0}
    assert [company["slug"] for company in integration.control("GET", "/companies").get_json()] == ["acme"]
    assert integration.control("GET", "/clock").get_json()["frozen"] is False
    assert integration.post(token=token).status_code == 401
    assert integration.post().status_code == 200  # the same credentials


@pytest.mark.parametrize("body", [b"", b"{}", b"null"], ids=["none", "empty object", "null"])
def test_reset_takes_the_empty_bodies_that_clients_send(integration: Integration, body: bytes) -> None:
    response = integration.http.post("/_sandbox/reset", data=body, content_type="application/json")

    assert response.status_code == 200
