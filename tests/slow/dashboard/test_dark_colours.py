"""No page and no dialog violates a rule of axe in the dark."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.slow.dashboard.test_accessibility import DIALOGS, PAGES, populate, violations
from tests.web.dashboard.conftest import Dashboard

COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""The rules about colours: the others would find what they find in the light."""


@pytest.fixture
def dark(open_dashboard: Callable[..., Dashboard]) -> Dashboard:
    dashboard = open_dashboard(color_scheme="dark")
    populate(dashboard)
    return dashboard


def test_no_page_violates_a_rule_about_colours(dark: Dashboard) -> None:
    for name, path in PAGES.items():
        page = dark.open(path)

        assert violations(page, COLOURS) == [], name


def test_no_dialog_violates_a_rule_about_colours(dark: Dashboard) -> None:
    for name, (path, button) in DIALOGS.items():
        page = dark.open(path)
        page.get_by_role("button", name=button, exact=True).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()

        assert violations(page, COLOURS) == [], name
