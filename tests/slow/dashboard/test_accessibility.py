"""No page violates a rule of axe, none is wider than the window. `tests/slow` looks at the colours in the dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from sandbox.faults.rules import make_rule
from sandbox.platform.flows.model import ApiKeySeed, FlowRun, FlowRunsSnapshot
from tests.web.dashboard.conftest import Dashboard

RUN = "01hx3v9k2m8e5n7q4r6s0t1w2x"
PAGES = {
    "requests": "/",
    "opened": "/?open=2",
    "compared": "/?open=4&with=2&status=9",
    "nothing found": "/?text=nothing",
    "connectors": "/dashboard/connectors",
    "settings": "/dashboard/connectors/1",
    "authentication": "/dashboard/connectors/1/authentication",
    "services": "/dashboard/services",
    "service": "/dashboard/services/3",
    "sync report": "/dashboard/sync-report?days=15",
    "runs": "/dashboard/runs",
    "run": "/dashboard/runs/run-1",
    "flows": "/dashboard/flows",
    "run of a flow": f"/dashboard/flow-runs/{RUN}",
    "clock": "/dashboard/clock",
    "faults": "/dashboard/faults",
    "new rule": "/dashboard/faults/new?fault.kind=sequence&fault.steps[0].kind=status&times=0",
    "rule": "/dashboard/faults/fault-1",
    "findings": "/dashboard/findings",
    "changed settings": "/dashboard/settings",
    "state": "/dashboard/state",
    "reset": "/dashboard/state/reset",
    "seed": "/dashboard/state/seed",
    "add connector": "/dashboard/connectors/new",
    "add entity": "/dashboard/connectors/1/entities/new",
    "add client": "/dashboard/connectors/1/oauth-clients/new",
    "add service": "/dashboard/services/new",
    "delete connector": "/dashboard/connectors/1/delete",
    "delete service": "/dashboard/services/1/delete",
    "try it": "/dashboard/try",
    "error": "/dashboard/connectors/99",
}
DIALOGS = {
    "clear the journal": ("/", "Clear the journal"),
    "add connector": ("/dashboard/connectors", "Add connector"),
    "add entity": ("/dashboard/connectors/1", "Add custom entity"),
    "create client": ("/dashboard/connectors/1/authentication", "Create an OAuth2 client"),
    "add service": ("/dashboard/services", "Add service"),
    "delete service": ("/dashboard/services", "Delete orders"),
}


def populate(dashboard: Dashboard) -> None:
    """Leave something on every page: outcomes of each kind, a rule, an inactive service, an expired token."""
    dashboard.tolerate("404")
    sandbox = dashboard.sandbox
    token = dashboard.token()
    dashboard.post("{}", "/v1/acme/orders", token)
    sandbox.platform.faults.add(
        make_rule({"kind": "status", "code": 503}, name="unwell", times=1, vanity_url="anything")
    )
    dashboard.post(token=token)
    sandbox.clock.advance(hours=25)
    dashboard.post(token=token)
    dashboard.token()
    sandbox.store.change_service(2, active=False)
    sandbox.change_settings({"token_lifetime": 60})
    flow, at = sandbox.store.flows.flows()[0], sandbox.clock.timestamp()
    run = FlowRun(
        id=RUN,
        number=1,
        flow_id=flow.id,
        flow=flow.name,
        company="acme",
        version=1,
        trigger="API",
        started_at=at,
        ends_at=at,
        failed=True,
        environment="2",
        variables='{"x": 1}',
        retries=RUN,
    )
    sandbox.platform.runs.restore(FlowRunsSnapshot(read=0, runs=(run,), begun=()))
    sandbox.store.flows.add_api_key("acme", ApiKeySeed("Build server"))


def violations(page: Page, options: dict[str, object] | None = None) -> list[str]:
    results = Axe().run(page, options=options)
    return [
        f"{found['id']}: {node['html']} {node['failureSummary']}"
        for found in results.response["violations"]
        for node in found["nodes"]
    ]


def test_no_page_violates_a_rule_of_axe(dashboard: Dashboard) -> None:
    populate(dashboard)

    for name, path in PAGES.items():
        page = dashboard.open(path)

        assert violations(page) == [], name


def test_no_dialog_violates_a_rule_of_axe(dashboard: Dashboard) -> None:
    populate(dashboard)

    for name, (path, button) in DIALOGS.items():
        page = dashboard.open(path)
        page.get_by_role("button", name=button, exact=True).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()

        assert violations(page) == [], name


def test_credentials_on_display_violate_no_rule_of_axe(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/connectors/1/authentication")
    page.get_by_role("button", name="Create an OAuth2 client").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Order export")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Your new credentials")).to_be_visible()

    assert violations(page) == []


def test_no_page_is_wider_than_the_window(dashboard: Dashboard) -> None:
    populate(dashboard)

    wider = {}
    for name, path in PAGES.items():
        page = dashboard.open(path)
        for width in (360, 1280, 2560):
            page.set_viewport_size({"width": width, "height": 900})
            found = page.evaluate("document.documentElement.scrollWidth")
            if found > width:
                wider[name, width] = found

    assert wider == {}


@pytest.mark.parametrize("api", ["emulated", "control"])
def test_the_reference_is_drawn_offline(dashboard: Dashboard, api: str) -> None:
    page = dashboard.open(f"/docs?api={api}")

    expect(page.locator(".swagger-ui .info .title")).to_contain_text("Patchworks")
    expect(page.locator(".opblock").first).to_be_visible()


def test_the_frame_of_the_reference_violates_no_rule_of_axe(dashboard: Dashboard) -> None:
    page = dashboard.open("/docs")
    expect(page.locator(".opblock").first).to_be_visible()

    results = Axe().run(page, context={"exclude": [["#swagger-ui"]]})

    assert results.response["violations"] == []


def test_the_keyboard_reaches_the_content_first(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/services")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("main")).to_be_focused()


def test_a_dialog_gives_the_focus_back(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/services")
    opener = page.get_by_role("button", name="Delete orders")
    opener.click()
    expect(page.get_by_role("dialog")).to_be_visible()

    page.keyboard.press("Escape")

    expect(opener).to_be_focused()
