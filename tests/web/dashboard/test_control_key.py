"""A person whose browser asks for the key uses the dashboard as anybody else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Error, expect

from sandbox import Sandbox, SandboxServer
from tests.web.dashboard.conftest import Dashboard

KEY = "correct-horse-battery-staple"


@pytest.fixture
def server(make_sandbox: Callable[..., Sandbox]) -> Iterator[SandboxServer]:
    """A running sandbox that needs a key."""
    with SandboxServer(make_sandbox(control_key=KEY)) as server:
        yield server
    assert server.errors == []


@pytest.fixture
def dashboard(open_dashboard: Callable[..., Dashboard]) -> Dashboard:
    """A page in a browser that knows the key as the password of a user."""
    return open_dashboard(http_credentials={"username": "anybody", "password": KEY})


def test_requests_arrive_on_the_page_as_they_come(dashboard: Dashboard) -> None:
    dashboard.page.add_init_script("window.setInterval = () => 0")  # so that only the stream tells the page
    page = dashboard.open()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()

    assert dashboard.post() == 200

    expect(page.locator(".row")).to_have_count(2)


def test_buttons_steer_the_sandbox(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/clock")

    page.get_by_role("button", name="Freeze").click()

    expect(page.locator("#status")).not_to_be_empty()
    assert dashboard.sandbox.clock.frozen


def test_without_the_key_the_browser_shows_nothing(open_dashboard: Callable[..., Dashboard]) -> None:
    dashboard = open_dashboard()
    dashboard.tolerate("401")

    with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):  # where nobody answers its prompt
        dashboard.page.goto(f"{dashboard.url}/")
