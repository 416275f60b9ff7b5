"""A browser that asks for a page gets a page also where there is none; a program gets problem details."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from sandbox import Sandbox
from sandbox.web.app import SandboxApp
from tests.conftest import Integration
from tests.web.control.problem import detail

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
FOREIGN = {"Origin": "https://shop.example"}


def ask(integration: Integration, method: str, path: str, **options: Any) -> TestResponse:
    return integration.http.open(f"/_sandbox{path}", method=method, **options)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "said"),
    [
        ("GET", "/nope", {}, 404, "There is nothing at /_sandbox/nope"),
        ("GET", "/requests/1/2/3", {}, 404, "There is nothing at /_sandbox/requests/1/2/3"),
        ("GET", "/dashboard/services/99", {}, 404, "There is no service 99"),
        ("GET", "/dashboard/%E2%80%AEnope", {}, 404, '<span class="unseen">U+202E</span>nope'),
        ("GET", "/dashboard/act", {}, 405, "GET is not allowed at /_sandbox/dashboard/act"),
        ("PUT", "/dashboard/settings", {}, 405, "PUT is not allowed at"),
        ("POST", "/dashboard/act", FOREIGN, 403, "may not use the control API"),
        ("GET", "/dashboard/clock", {"Host": "shop.example"}, 403, "is not served to the host"),
    ],
)
@pytest.mark.parametrize("accept", [BROWSER["Accept"], "text/html"])
def test_a_browser_gets_a_page(
    *, integration: Integration, method: str, path: str, headers: dict[str, str], status: int, said: str, accept: str
) -> None:
    answer = ask(integration, method, path, headers={**headers, "Accept": accept})

    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert said in answer.text
    assert 'href="/_sandbox/"' in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/problem+json, text/html", ""])
@pytest.mark.parametrize(("path", "status"), [("/nope", 404), ("/dashboard/act", 405)])
def test_a_program_gets_problem_details(integration: Integration, path: str, status: int, accept: str) -> None:
    assert detail(ask(integration, "GET", path, headers={"Accept": accept}), status)


def test_the_control_api_answers_a_browser_as_it_answers_a_program(integration: Integration) -> None:
    assert "'nope'" in detail(ask(integration, "GET", "/requests/nope", headers=BROWSER), 404)


@pytest.mark.parametrize("headers", [{**FOREIGN}, {"Host": "shop.example"}])
def test_the_page_for_another_site_shows_nothing_of_the_sandbox(
    integration: Integration, headers: dict[str, str]
) -> None:
    integration.sandbox.clock.change(now="2031-05-05T00:00:00Z", frozen=True)

    answer = ask(integration, "POST", "/dashboard/act", headers={**headers, **BROWSER})
    assert (answer.status_code, "2031" in answer.text, "Version" in answer.text) == (403, False, False)


def test_a_browser_without_the_key_is_asked_for_it(make_sandbox: Callable[..., Sandbox]) -> None:
    client = Client(SandboxApp(make_sandbox(), control_key="correct-horse-battery-staple"))

    answer = client.get("/_sandbox/", headers=BROWSER)
    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert len(answer.headers.getlist("WWW-Authenticate")) == 2
    assert "needs its key" in answer.text
