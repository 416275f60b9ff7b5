"""For each test a fresh sandbox, its server, and a page that complains about everything."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from sandbox import Sandbox, SandboxServer
from tests.browser import PATIENCE_MS


class Dashboard:
    """A page on the dashboard of a running sandbox, and the sandbox's client at work beside it."""

    def __init__(self, page: Page, server: SandboxServer) -> None:
        self.page = page
        self.server = server
        self.sandbox = server.sandbox
        self.url = f"{server.base_url}/_sandbox"
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        self.tolerated: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._on_request)
        credentials = next(iter(server.sandbox.credentials.values()), None)
        self.client_id = credentials.client.id if credentials else ""
        self.client_secret = credentials.secret if credentials else ""

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.server.base_url}/", "data:", "blob:")):
            self.strangers.append(request.url)

    def tolerate(self, pattern: str) -> None:
        """Expect a complaint: a call that the sandbox refuses is one to Chromium."""
        self.tolerated.append(pattern)

    def check(self) -> None:
        """Fail for what the browser complained about, and for any request beyond the sandbox."""
        assert [text for text in self.complaints if not any(re.search(known, text) for known in self.tolerated)] == []
        assert self.strangers == []

    def open(self, path: str = "/") -> Page:
        """Open a page of the dashboard."""
        self.page.goto(f"{self.url}{path}")
        return self.page

    def token(self, client_id: str | None = None, client_secret: str | None = None) -> str:
        """Get an access token as an integration does."""
        answer = self.request_token(client_id, client_secret)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def request_token(self, client_id: str | None = None, client_secret: str | None = None) -> requests.Response:
        """Send a token request."""
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id or self.client_id,
            "client_secret": client_secret or self.client_secret,
        }
        return requests.post(f"{self.server.base_url}/oauth/token", data=form, timeout=10)

    def post(
        self, body: bytes | str = '{"order": "1001"}', path: str = "/v1/acme/anything", token: str | None = None
    ) -> int:
        """Post a payload; return the status."""
        headers = {"Authorization": f"Bearer {token or self.token()}", "Content-Type": "application/json"}
        data = body.encode() if isinstance(body, str) else body
        answer = requests.post(f"{self.server.base_url}{path}", data=data, headers=headers, timeout=10)
        return answer.status_code


@pytest.fixture
def server(sandbox: Sandbox) -> Iterator[SandboxServer]:
    """A running sandbox with the demo seed."""
    with SandboxServer(sandbox) as server:
        yield server
    assert server.errors == []


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open browser contexts with options of a test's own."""
    contexts: list[BrowserContext] = []

    def open_one(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        return context

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def open_dashboard(
    open_context: Callable[..., BrowserContext], server: SandboxServer
) -> Iterator[Callable[..., Dashboard]]:
    """Open dashboards with browser options of a test's own; what they complain about fails the test."""
    opened: list[Dashboard] = []

    def open_one(**options: Any) -> Dashboard:
        dashboard = Dashboard(open_context(**options).new_page(), server)
        opened.append(dashboard)
        return dashboard

    yield open_one
    for dashboard in opened:
        dashboard.check()


@pytest.fixture
def dashboard(open_dashboard: Callable[..., Dashboard]) -> Dashboard:
    """A page of a running sandbox, 1280 pixels wide, that may use the clipboard."""
    return open_dashboard(permissions=["clipboard-read", "clipboard-write"])
