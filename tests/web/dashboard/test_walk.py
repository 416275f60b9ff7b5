"""A person finds why an order was refused, sends it corrected, makes the next one fail and moves the clock."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from sandbox.state.seed import demo_seed_file
from tests.web.dashboard.conftest import Dashboard

ORDERS = "/v1/acme/orders"
MAX_TABS = 90


class Mouse:
    """Acts by clicks."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, control: Locator) -> None:
        control.click()

    def write(self, control: Locator, text: str) -> None:
        control.click()
        control.fill(text)


class Keyboard(Mouse):
    """Acts by keys alone, from the place where the focus is."""

    def press(self, control: Locator) -> None:
        self._reach(control)
        self.page.keyboard.press("Enter")

    def write(self, control: Locator, text: str) -> None:
        self._reach(control)
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(text)

    def _reach(self, control: Locator) -> None:
        control.wait_for()
        for _ in range(MAX_TABS):
            if control.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{MAX_TABS} presses of Tab do not lead to {control}")


@pytest.mark.parametrize("hand", [Mouse, Keyboard])
def test_order_is_explained_corrected_failed_and_outlived(dashboard: Dashboard, hand: Callable[[Page], Mouse]) -> None:
    order = json.loads((demo_seed_file().parent / "orders" / "order.json").read_text(encoding="utf-8"))
    token = dashboard.token()
    assert dashboard.post(json.dumps({**order, "lines": "none"}), ORDERS, token) == 422
    page = dashboard.open()
    person = hand(page)

    person.press(page.get_by_role("link").filter(has_text="422").first)
    pane = page.locator(".pane")
    expect(pane).to_contain_text("The body does not have the structure")
    expect(pane).to_contain_text("lines")

    person.press(pane.locator("summary", has_text="Edit and send"))
    person.write(pane.get_by_role("textbox", name="Body"), json.dumps(order))
    person.press(pane.get_by_role("button", name="Send", exact=True))
    expect(pane.get_by_role("heading").first).to_contain_text("200")

    person.press(pane.locator("summary", has_text="Fail the next one like this"))
    person.press(pane.get_by_role("button", name="503"))
    expect(page.get_by_role("status").first).to_contain_text("The next one like this fails")
    assert [dashboard.post(json.dumps(order), ORDERS, token) for _ in range(2)] == [503, 200]

    person.press(page.get_by_role("button", name="+24 h"))
    expect(page.get_by_role("banner")).to_contain_text("moved")
    assert dashboard.post(json.dumps(order), ORDERS, token) == 401
    expect(page.locator(".log").get_by_text("token_expired")).to_be_visible()
