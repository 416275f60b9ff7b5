"""Try it: a token and a payload from the page, and lines that do exactly that elsewhere."""

from __future__ import annotations

import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

from tests.programs import program
from tests.web.dashboard.conftest import Dashboard

PAYLOAD = """{
  "name": "O'Neill & \\"Söhne\\" \U0001f600",
  "path": "C:\\\\temp",
  "shell": "$HOME `id` ${token} %s"
}
"""


def get_client(page: Page) -> None:
    page.get_by_role("button", name="Create a client for me").click()
    expect(page.get_by_label("Client secret")).not_to_have_value("")


def test_a_token_and_a_sample_payload_are_sent_from_the_page(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/try")
    get_client(page)

    page.get_by_role("button", name="Get a token").click()
    expect(page.get_by_text("200 OK")).to_have_count(1)
    page.get_by_role("button", name="Post the payload").click()

    expect(page.get_by_text("200 OK")).to_have_count(2)
    expect(page.get_by_text("Payload stored successfully.")).to_be_visible()
    token, inbound = dashboard.sandbox.journal.snapshot()
    assert (token.outcome, inbound.outcome, inbound.vanity_url) == ("accepted", "accepted", "orders")
    assert inbound.json == dashboard.sandbox.store.entities(1)[0].sample


def test_the_secret_of_a_made_client_is_gone_after_a_reload(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/try")
    get_client(page)
    secret = page.get_by_label("Client secret").input_value()

    page.reload()

    expect(page.get_by_label("Client secret")).to_have_value("")
    assert secret not in page.content()


def test_a_refusal_is_shown_as_the_platform_sends_it(dashboard: Dashboard) -> None:
    dashboard.tolerate("401")
    page = dashboard.open("/dashboard/try")

    page.get_by_label("Client secret").fill("wrong")
    page.get_by_role("button", name="Get a token").click()

    expect(page.get_by_text("401 Unauthorized")).to_be_visible()
    expect(page.get_by_label("Body of the answer")).to_contain_text("invalid_client")


RUNNERS = {
    "curl": ["bash", "-c"],
    "Python": [sys.executable, "-c"],
    "Node": ["node", "--input-type=module", "-e"],
    "PHP": ["php", "-r"],
}


@pytest.mark.parametrize("language", RUNNERS)
def test_the_lines_send_exactly_what_the_page_sends(dashboard: Dashboard, language: str) -> None:
    page = dashboard.open("/dashboard/try")
    get_client(page)
    page.get_by_label("Service").select_option("acme/anything")
    get_client(page)
    page.get_by_role("textbox", name="Payload").fill(PAYLOAD)
    page.get_by_role("tab", name=language).click()
    shown = page.get_by_label(f"The request as {language}", exact=True)
    expect(shown).to_contain_text("Söhne" if language in ("curl", "PHP") else "\\u00f6hne")
    expect(shown).not_to_contain_text("CLIENT_SECRET")
    lines = shown.inner_text()
    command = RUNNERS[language]
    program(command[0], in_ci=True)

    done = subprocess.run(
        [*command, lines.removeprefix("<?php")], capture_output=True, text=True, timeout=30, check=False
    )

    assert "Payload stored successfully." in done.stdout, done.stderr
    *_, inbound = dashboard.sandbox.journal.snapshot()
    assert inbound.text == PAYLOAD


def test_the_languages_are_walked_through_with_the_arrow_keys(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/try")
    page.get_by_role("tab", name="curl").focus()

    page.keyboard.press("ArrowRight")

    expect(page.get_by_role("tab", name="Python")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Python")).to_contain_text("import requests")
