"""The life of an order, walked in the browser as the vendor's pages describe it."""

from __future__ import annotations

from playwright.sync_api import expect

from sandbox import faults
from sandbox.faults import make_rule
from tests.web.dashboard.conftest import Dashboard


def test_order_waits_runs_fails_and_is_resynced(dashboard: Dashboard) -> None:
    sandbox = dashboard.sandbox
    sandbox.change_settings({"processing": "scheduled"})
    sandbox.clock.freeze()
    sandbox.clock.travel_to("2026-11-27T10:03:00Z")
    sandbox.platform.faults.add(make_rule(faults.failed("no stock"), reference="1001", times=1))
    page = dashboard.open("/dashboard/services")
    page.get_by_role("link", name="anything", exact=True).click()
    page.get_by_role("combobox", name="Schedule").fill("*/15 * * * *")
    page.get_by_label("Destination").fill("NetSuite")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("2026-11-27 10:15:00")).to_be_visible()
    dashboard.post('{"order": "1001"}')

    page = dashboard.open("/dashboard/sync-report")
    expect(page.get_by_text("1 waiting for a run")).to_be_visible()
    sandbox.clock.advance("12m")
    page = dashboard.open("/dashboard/sync-report")
    row = page.get_by_role("row", name="1001")
    expect(row).to_contain_text("Failed")
    expect(row).to_contain_text("NetSuite")
    row.get_by_role("button", name="Resync 1001").click()
    expect(page.get_by_role("status")).to_have_text("Resynced")
    expect(page.get_by_role("row", name="1001").get_by_text("OK", exact=True).first).to_be_visible()

    page.get_by_role("link", name="run-2").click()
    expect(page.get_by_role("heading", name="run-2 complete")).to_be_visible()
    expect(page.get_by_text("1001 to NetSuite: OK")).to_be_visible()


def test_service_is_run_by_hand_and_its_schedule_taken_away(dashboard: Dashboard) -> None:
    dashboard.sandbox.change_settings({"processing": "scheduled"})
    dashboard.post('{"order": "1001"}')
    page = dashboard.open("/dashboard/services/3")

    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("status")).to_have_text("The service ran")
    assert [run.requested_by for run in dashboard.sandbox.platform.processing.runs()] == ["cli"]
    page.get_by_role("combobox", name="Schedule").fill("every 2 hours")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("(every 2 hours, UTC)")).to_be_visible()
    page.get_by_role("combobox", name="Schedule").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("by hand only", exact=True)).to_be_visible()


def test_schedule_that_never_comes_is_refused_in_the_form(dashboard: Dashboard) -> None:
    dashboard.tolerate("422")
    page = dashboard.open("/dashboard/services/3")

    page.get_by_role("combobox", name="Schedule").fill("0 0 30 2 *")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("alert")).to_contain_text("use a preset")


def test_failed_orders_are_found_downloaded_and_resynced_together(dashboard: Dashboard) -> None:
    sandbox = dashboard.sandbox
    sandbox.platform.faults.add(make_rule(faults.failed("no stock"), endpoint="processing", times=2))
    dashboard.post('[{"order": "1001"}, {"order": "1002"}, {"order": "1003"}]')
    page = dashboard.open("/dashboard/sync-report")

    page.get_by_label("Status").select_option("Failed")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("row", name="1003")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    rows = download.value.path().read_text(encoding="utf-8").splitlines()
    assert sorted(row.split(",")[4] for row in rows) == ["1001", "1002", "Reference"]
    page.get_by_role("button", name="Resync the 2 failed").click()

    expect(page.get_by_role("status")).to_have_text("Resynced")
    page.get_by_label("Status").select_option("OK")
    page.get_by_role("button", name="Filter").click()
    for reference in ("1001", "1002", "1003"):
        expect(page.get_by_role("row", name=reference)).to_be_visible()
