"""Services by hand."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.web.dashboard.conftest import Dashboard


def test_the_full_url_of_a_service_is_copied(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/services")

    page.get_by_role("button", name="Copy the inbound URL of orders").click()

    expect(page.get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{dashboard.server.base_url}/v1/acme/orders"


def test_a_service_that_is_added_answers_at_the_url_shown_while_typing(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/services")
    page.get_by_role("button", name="Add service").click()
    dialog = page.get_by_role("dialog", name="Add service")

    dialog.get_by_label("Source").select_option("anything")
    dialog.get_by_label("Vanity URL").fill("Returns")
    expect(dialog.get_by_text(f"{dashboard.server.base_url}/v1/acme/returns")).to_be_visible()
    dialog.get_by_role("button", name="Add service").click()

    expect(page.get_by_role("heading", name="returns active")).to_be_visible()
    assert dashboard.post(path="/v1/acme/returns") == 200


def test_a_vanity_url_that_is_taken_is_refused_in_the_dialog(dashboard: Dashboard) -> None:
    dashboard.tolerate("409")
    page = dashboard.open("/dashboard/services")
    page.get_by_role("button", name="Add service").click()
    dialog = page.get_by_role("dialog", name="Add service")

    dialog.get_by_label("Vanity URL").fill("orders")
    page.keyboard.press("Enter")

    expect(dialog.get_by_role("alert")).to_contain_text("choose another vanity URL")


def test_a_service_is_switched_off_and_on_again(dashboard: Dashboard) -> None:
    token = dashboard.token()
    page = dashboard.open("/dashboard/services")

    page.get_by_role("button", name="Deactivate anything").click()
    expect(page.get_by_role("heading", name="anything inactive")).to_be_visible()
    assert dashboard.post(token=token) == 404
    expect(page.get_by_role("button", name="Activate anything")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="anything active")).to_be_visible()
    assert dashboard.post(token=token) == 200


def test_a_deleted_service_is_gone(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/services")

    page.get_by_role("button", name="Delete products").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete service").click()

    expect(page.get_by_role("heading", level=2)).to_have_text(["orders active", "anything active"])
    expect(page.get_by_role("dialog")).to_have_count(0)
