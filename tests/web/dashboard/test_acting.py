"""Acting in the browser: rules, settings and the state, with JavaScript and without."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Route, expect

from sandbox.faults.rules import make_rule
from tests.web.dashboard.conftest import Dashboard


def test_rule_is_made_with_a_preview_and_errors_at_its_fields(dashboard: Dashboard) -> None:
    token = dashboard.token()
    dashboard.post('{"order": "1001"}', token=token)
    dashboard.tolerate("422")
    page = dashboard.open("/dashboard/faults")
    page.get_by_role("link", name="New rule").click()

    page.get_by_label("kind").select_option("status")
    page.get_by_label("code").fill("9999")
    page.get_by_label("vanity url").fill("anything")
    expect(page.get_by_text("1 of the newest 2 requests match")).to_be_visible()
    page.get_by_label("vanity url").fill("nothing")
    expect(page.get_by_text("0 of the newest 2 requests match")).to_be_visible()
    page.get_by_label("vanity url").fill("anything")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_text("from 200 to 599", exact=False).last).to_be_visible()
    expect(page.get_by_label("code")).to_be_focused()
    expect(page.get_by_label("vanity url")).to_have_value("anything")
    page.get_by_label("code").fill("502")
    page.keyboard.press("Enter")

    expect(page.locator(".rule")).to_contain_text("vanity_url anything")
    assert dashboard.post(token=token) == 502
    expect(page.locator(".hits")).to_have_text("1 hit")
    page.get_by_role("link", name="What it did").click()
    expect(page.locator(".log > li.row")).to_have_count(1)


def test_kind_that_is_chosen_before_the_script_runs_gets_its_fields(dashboard: Dashboard) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page = dashboard.page
    page.route("**/js/rule.js", hold)
    page.goto(f"{dashboard.url}/dashboard/faults/new", wait_until="commit")
    page.get_by_label("kind").select_option("status")
    held[0].continue_()

    expect(page.get_by_label("code")).to_be_visible()


def test_steps_of_a_sequence_come_one_by_one(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/faults/new?match.endpoint=inbound")
    page.get_by_label("kind").select_option("sequence")
    page.locator("#field-fault-steps-0--kind").select_option("status")
    page.locator("#field-fault-steps-0--code").fill("503")
    page.locator("#field-fault-steps-1--kind").select_option("pass")
    expect(page.locator("#field-fault-steps-2--kind")).to_be_visible()
    expect(page.locator("#field-fault-steps-0--code")).to_have_value("503")
    page.get_by_role("button", name="Add the rule").click()

    expect(page.locator(".rule")).to_contain_text("sequence")
    (state,) = dashboard.sandbox.platform.faults.rules()
    assert state.rule.document()["fault"]["steps"] == [{"kind": "status", "code": 503}, "pass"]


def test_setting_is_changed_refused_and_undone(dashboard: Dashboard) -> None:
    dashboard.tolerate("422")
    page = dashboard.open("/dashboard/settings")
    field = page.get_by_label("token lifetime", exact=True)
    field.fill("nine")
    page.keyboard.press("Enter")
    expect(page.locator("#setting-token_lifetime .problem")).to_contain_text("a whole number from 1")
    expect(field).to_be_focused()
    field.fill("60")
    page.get_by_role("button", name="Save token_lifetime").click()

    row = page.locator("#setting-token_lifetime")
    expect(row.locator(".origin")).to_have_text("changed while it runs")
    assert dashboard.sandbox.settings.token_lifetime == 60
    page.get_by_role("button", name="Undo token_lifetime").click()
    expect(row.locator(".origin")).to_have_text("default")


def test_everything_is_done_without_javascript(open_dashboard: Callable[..., Dashboard]) -> None:
    dashboard = open_dashboard(java_script_enabled=False)
    dashboard.tolerate("422")
    sandbox = dashboard.sandbox
    sandbox.clock.freeze()
    page = dashboard.open("/dashboard/faults")
    before = sandbox.clock.timestamp()

    page.get_by_role("button", name="+24 h").click()
    assert sandbox.clock.timestamp() - before == 86_400
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Back to real time").click()
    assert not sandbox.clock.moved
    page.get_by_role("button", name="Switch on: Two 503s, then fine").click()
    page.get_by_role("button", name="Remove two-503s").click()
    expect(page.locator(".rule")).to_have_count(0)
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("kind").select_option("status")
    page.get_by_role("button", name="Show the fields of this kind").click()
    page.get_by_role("button", name="Add the rule").click()
    expect(page.locator("#field-fault-code-error")).to_contain_text("missing; give a whole number")
    page.get_by_label("code").fill("503")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.locator(".rule")).to_have_count(1)
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("token lifetime", exact=True).fill("61")
    page.get_by_role("button", name="Save token_lifetime").click()
    assert sandbox.settings.token_lifetime == 61
    page.get_by_role("link", name="State", exact=True).click()
    page.get_by_role("link", name="Load a seed").click()
    page.get_by_label("or paste it").fill("companies: []")
    page.get_by_role("button", name="Load a seed").click()
    assert sandbox.store.companies() == []


def test_reset_from_the_keyboard(dashboard: Dashboard) -> None:
    dashboard.post()
    dashboard.sandbox.platform.faults.add(make_rule({"kind": "status", "code": 500}))
    page = dashboard.open("/dashboard/state")

    page.get_by_role("link", name="Reset the sandbox").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Reset the sandbox?")).to_be_visible()
    page.get_by_role("button", name="Reset the sandbox").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("No requests yet")).to_be_visible()
    assert len(dashboard.sandbox.journal) == 0
    assert dashboard.sandbox.platform.faults.rules() == []
