"""The trace as a reader opens it: a file, without a server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from sandbox.faults.rules import make_rule
from sandbox.journal.assertions.difference import Difference
from sandbox.testing.local import SandboxServer
from sandbox.testing.trace_recording import of_sandbox
from sandbox.web.dashboard.trace import Failure, Trace, as_html
from tests.conftest import Integration
from tests.slow.dashboard.test_accessibility import violations


@pytest.fixture
def file(integration: Integration, tmp_path: Path) -> Path:
    """The trace of a failed test, with a request of each kind, events and a rule."""
    sandbox = integration.sandbox
    sandbox.platform.faults.add(make_rule({"kind": "status", "code": 503}, times=1, vanity_url="anything"))
    token = integration.token()
    for _ in range(2):
        integration.post({"order": "1002", "lines": [{"qty": 2, "sku": "x" * 200}]}, token=token)
    integration.post({"order": "1003"}, "/v1/acme/orders", token=token)
    sandbox.clock.advance(hours=25)
    integration.post(b"\x00\xff", token=token)
    near = {sandbox.journal.get("3").id: [Difference("$.lines[0].qty", "expected 3, got 2")]}
    failure = Failure("call", "E   assert " + "wide" * 100, near)
    path = tmp_path / "trace.html"
    recording = of_sandbox(SandboxServer(sandbox).patchworks.backend)
    path.write_text(as_html(Trace("test_it.py::test_push", [recording], "failed", [failure])), encoding="utf-8")
    return path


def opened(context: BrowserContext, file: Path, anchor: str = "") -> tuple[Page, list[str]]:
    """Open a file; return the page and what the browser says about it."""
    page, said = context.new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
    page.goto(f"{file.as_uri()}{anchor}")
    return page, said


def test_trace_opens_as_a_file_in_every_width_and_scheme(
    open_context: Callable[..., BrowserContext], file: Path
) -> None:
    for scheme in ("light", "dark"):
        page, said = opened(open_context(color_scheme=scheme), file, "#r0-3")
        expect(page.locator("#r0-3")).to_be_visible()
        expect(page.locator("#r0-4")).to_be_hidden()

        for width in (360, 1280, 2560):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(page) == []
        assert said == []


def test_reader_follows_the_failure_to_the_wrong_line(open_context: Callable[..., BrowserContext], file: Path) -> None:
    page, said = opened(open_context(), file)

    page.get_by_role("link", name="#3 POST").click()
    pane = page.locator("#r0-3")
    expect(pane.get_by_text("nearest to the expectation")).to_be_visible()
    pane.get_by_role("link", name="$.lines[0].qty").click()
    expect(pane.locator("[data-marked]")).to_contain_text("expected 3, got 2")
    expect(pane.locator("[data-path]").first).to_have_text("$.lines[0].qty")
    pane.locator(".path").get_by_role("button").first.click()
    expect(page.get_by_role("status")).to_contain_text("opied")
    pane.get_by_role("tab", name="As code").click()
    expect(pane.get_by_text("curl -sS")).to_be_visible()
    pane.get_by_role("link", name="#2").click()
    expect(page.locator("#r0-2")).to_be_visible()
    page.locator("#r0-2").get_by_role("link", name="Close").click()
    expect(page.locator("#r0-2")).to_be_hidden()

    assert said == []


def test_trace_reads_without_scripts(open_context: Callable[..., BrowserContext], file: Path) -> None:
    page, _ = opened(open_context(java_script_enabled=False), file)

    page.get_by_role("link", name="#3 POST").click()
    pane = page.locator("#r0-3")
    expect(pane.get_by_text("curl -sS")).to_be_visible()
    pane.get_by_role("link", name="$.lines[0].qty").click()

    expect(pane.get_by_text("expected 3, got 2").last).to_be_visible()
    expect(pane.get_by_role("tab")).to_have_count(0)
