"""Health and reset."""

from __future__ import annotations

import re

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


@pytest.mark.parametrize("path", ["/_sandbox/health", "/_sandbox/health/ready"])
def test_probe_gets_the_answer_of_the_control_api(integration: Integration, path: str) -> None:
    integration.sandbox.clock.freeze()
    probed = integration.http.get(path)
    viewed = integration.http.get(path, headers={"X-Request-Id": "by-its-view"})

    assert (probed.status_code, probed.data) == (viewed.status_code, viewed.data)
    assert [name for name, _ in probed.headers] == [name for name, _ in viewed.headers]
    assert re.fullmatch("[0-9a-f]{16}", probed.headers["X-Request-Id"])


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/_sandbox/health?full=1", {}, 422),
        ("GET", "/_sandbox/health", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("POST", "/_sandbox/health", {}, 405),
        ("HEAD", "/_sandbox/health", {}, 200),
        ("GET", "/_sandbox/health/", {}, 404),
    ],
)
def test_health_has_the_rules_of_the_control_api(
    integration: Integration, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    assert integration.http.open(path, method=method, headers=headers).status_code == status


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
