"""The pages on processing without a browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from sandbox import faults
from sandbox.faults import make_rule
from tests.conftest import Integration


@pytest.fixture
def orders(integration: Integration) -> Integration:
    integration.sandbox.platform.faults.add(make_rule(faults.failed("<no stock>"), reference="1002", times=1))
    integration.sandbox.platform.faults.add(make_rule(faults.pending(), reference="1003"))
    integration.post([{"order": "1001"}, {"order": "1002"}, {"order": "1003"}])
    return integration


def page(integration: Integration, path: str, status: int = 200) -> str:
    answer = integration.http.get(f"/_sandbox/dashboard{path}")
    assert answer.status_code == status
    return answer.text


def references(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><bdi>(.*?)</bdi>', text)


def test_sync_report_shows_rows_newest_first_with_history_and_links(orders: Integration) -> None:
    text = page(orders, "/sync-report")

    assert references(text) == ["1003", "1002", "1001"]
    assert "&lt;no stock&gt;" in text
    assert 'href="/_sandbox/dashboard/runs/run-1"' in text
    assert f'href="/_sandbox/?open={orders.sandbox.journal.get("2").id}"' in text
    assert text.count('value="POST /sync-report/2/resync"') == text.count("Resync</button>") == 1
    assert "Resync the failed one" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=Failed", ["1002"]),
        ("status=pending", ["1003"]),
        ("service=acme/anything&search=1001", ["1001"]),
        ("service=acme/orders", []),
        ("search=shop", ["1003", "1002", "1001"]),
        ("entry=none", []),
        ("days=15", ["1003", "1002", "1001"]),
    ],
)
def test_sync_report_is_filtered(orders: Integration, query: str, found: list[str]) -> None:
    assert references(page(orders, f"/sync-report?{query}")) == found


@pytest.mark.parametrize("query", ["days=16", "days=0", "days=x", "status=good"])
def test_bad_filter_is_told_to_a_person(integration: Integration, query: str) -> None:
    assert "is not allowed; use" in page(integration, f"/sync-report?{query}", 400)


def test_opened_request_leads_to_its_rows(orders: Integration) -> None:
    entry = orders.sandbox.journal.get("2").id
    opened = orders.http.get("/_sandbox/?open=2").text

    link = f"/_sandbox/dashboard/sync-report?entry={entry}&amp;days=15"
    assert f'href="{link}"' in opened
    assert references(orders.http.get(link.replace("&amp;", "&")).text) == ["1003", "1002", "1001"]
    assert "in the sync report" not in orders.http.get("/_sandbox/?open=1").text


def test_report_without_resync_offers_none(orders: Integration) -> None:
    orders.control("PATCH", "/settings", {"resync": "never"})

    assert "Resync" not in page(orders, "/sync-report")


def test_runs_lead_to_their_logs(orders: Integration) -> None:
    assert 'href="/_sandbox/dashboard/runs/run-1"' in page(orders, "/runs")
    log = page(orders, "/runs/run-1")
    assert "1002 to Acme web shop: Failed: &lt;no stock&gt;" in log
    assert "pulled 3, pushed 1, pending 1, failed 1" in log
    assert "There is no run" in page(orders, "/runs/run-2", 404)


def test_service_shows_its_schedule_and_the_next_run(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(processing="scheduled")
    integration.sandbox.clock.travel_to("2026-11-27T10:03:00Z")
    integration.control("PATCH", "/services/3", {"schedule": "*/15 * * * *", "destination": "Net<Suite>"})
    text = page(integration, "/services/3")

    assert "Every 15th minute of every hour" in text
    assert "2026-11-27 10:15:00" in text
    assert "Net&lt;Suite&gt;" in text
    assert "1 waiting for a run" not in page(integration, "/sync-report")
    integration.post({"id": 1})
    assert "1 waiting for a run" in page(integration, "/sync-report")


def test_mapping_preview_is_of_the_newest_payload_or_a_given_one(integration: Integration) -> None:
    mappings = [
        {"source": "order", "destination": "tranid", "source_name": "Order"},
        {"source": "zip", "destination": "z"},
    ]
    integration.control("PATCH", "/services/3", {"mappings": mappings})
    integration.post({"order": "<1001>", "x": 1})
    integration.post({"order": "1002"})

    newest, given = page(integration, "/services/3"), page(integration, "/services/3?entry=2")
    assert "the payload of request 4" in newest
    assert "the payload of request 2" in given
    assert "&lt;1001&gt;" in given or "\\u003c1001\\u003e" in given
    assert "Not mapped: 1 field" in given
    assert "<h3>Missing in the payload</h3><ul><li><code>zip</code></li></ul>" in given
    assert "There is no accepted payload of this service" in page(integration, "/services/1?entry=2", 404)
    assert "There is no service 9" in page(integration, "/services/9", 404)
    assert "the sample of the entity" in page(integration, "/services/1")
