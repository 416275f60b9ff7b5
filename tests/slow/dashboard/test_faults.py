"""Failure by hand: presets, rules with their hits, and the request they acted on."""

from __future__ import annotations

from playwright.sync_api import expect

from sandbox.faults.rules import make_rule
from tests.web.dashboard.conftest import Dashboard

PRESET = "Switch on: Two 503s, then all is well"


def test_a_preset_is_switched_on_with_one_click_and_seen_to_act(dashboard: Dashboard) -> None:
    token = dashboard.token()
    title = next(preset for preset in preset_titles(dashboard) if "503" in preset)
    page = dashboard.open("/dashboard/faults")

    page.get_by_role("button", name=f"Switch on: {title}").click()
    expect(page.locator(".rule")).to_have_count(1)
    assert dashboard.post(token=token) == 503

    expect(page.locator(".hits")).to_have_text("1 hit of 2")
    dashboard.open()
    expect(page.locator(".row").first).to_contain_text("503")
    expect(page.locator(".row.faulted, .row .outcome.faulted").first).to_be_visible()
    page.locator(".row").first.get_by_role("link").click()
    expect(page.locator(".pane")).to_contain_text("A fault acted on this request")


def preset_titles(dashboard: Dashboard) -> list[str]:
    page = dashboard.open("/dashboard/faults")
    return page.locator(".presets h3").all_inner_texts()


def test_a_preset_can_be_for_one_service_only(dashboard: Dashboard) -> None:
    token = dashboard.token()
    page = dashboard.open("/dashboard/faults")
    page.get_by_label("For", exact=True).select_option("acme/orders")

    page.locator("#preset-two-503s-then-fine").click()
    expect(page.locator(".rule")).to_contain_text("vanity_url orders")

    assert dashboard.post(token=token) == 200
    assert dashboard.post("{}", "/v1/acme/orders", token) == 503


def test_a_rule_is_removed(dashboard: Dashboard) -> None:
    rules = dashboard.sandbox.platform.faults
    rules.add(make_rule({"kind": "status", "code": 500}, name="first"))
    rules.add(make_rule({"kind": "status", "code": 502}, name="second"))
    page = dashboard.open("/dashboard/faults")

    page.get_by_role("button", name="Remove first").click()

    expect(page.locator(".rule h3")).to_have_text(["second"])
    assert [state.rule.name for state in rules.rules()] == ["second"]


def test_all_rules_are_cleared(dashboard: Dashboard) -> None:
    dashboard.sandbox.platform.faults.add(make_rule({"kind": "status", "code": 500}))
    page = dashboard.open("/dashboard/faults")

    page.get_by_role("button", name="Clear all").click()

    expect(page.get_by_text("Everything works")).to_be_visible()
    assert dashboard.post() == 200
