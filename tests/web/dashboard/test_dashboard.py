"""The pages for people: nothing on them runs, loads or shows what it should not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client

import sandbox.web.dashboard
from tests.conftest import Integration

STATIC = Path(sandbox.web.dashboard.__file__).parent / "static"
HOSTILE = "<script>alert('1')</script>\"'><img src=x onerror=alert(1)>"
DIRECTIVES = {"default-src": "'none'", "script-src": "'self'", "connect-src": "'self'", "frame-ancestors": "'none'"}


class Page(HTMLParser):
    """What a page would run and load, as a browser reads it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.loads: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "script" and "src" not in values and values.get("type") != "application/json":
            self.scripts.append(f"<{tag}>")
        self.scripts += [f"<{tag} {name}>" for name in values if name.startswith("on")]
        places = [values[name] for name in ("src", "href", "action", "formaction", "data") if name in values]
        self.scripts += [place for place in places if place.strip().lower().startswith("javascript:")]
        self.loads += [place for place in places if urlsplit(place).netloc not in ("", "localhost")]


def pages(integration: Integration) -> Iterator[tuple[str, str]]:
    """Yield path and HTML of every page, with the ids of things that exist filled in."""
    application = integration.http.application.control
    client = Client(integration.http.application)
    values = {"connector_id": 1, "service_id": 1, "entity_id": 1, "entry_id": 1, "api": "control", "path": "x"}
    for rule in application.url_map.iter_rules():
        if rule.endpoint.startswith("pages.") and "GET" in rule.methods and rule.arguments <= values.keys():
            path = rule.build({name: values[name] for name in rule.arguments})[1]
            response = client.get(path)
            if response.mimetype == "text/html":
                assert response.status_code in (200, 302, 303, 308), f"{path}: {response.status}"
                yield path, response.text


@pytest.fixture
def used(integration: Integration) -> Integration:
    """A sandbox in which everything that a user can name has a hostile name."""
    integration.control("POST", "/companies", {"name": HOSTILE})
    connector = integration.control("POST", "/connectors", {"company": "acme", "name": HOSTILE}).get_json()["id"]
    integration.control("POST", f"/connectors/{connector}/oauth-clients", {"name": HOSTILE})
    integration.control("POST", f"/connectors/{connector}/entities", {"type": HOSTILE, "name": HOSTILE})
    service = {"company": "acme", "connector_id": connector, "entity": HOSTILE, "vanity_url": "hostile"}
    assert integration.control("POST", "/services", service).status_code == 201
    integration.http.get(f"/{HOSTILE}", query_string={"q": HOSTILE}, headers={"X-Hostile": HOSTILE})
    integration.request_token(client_id=HOSTILE)
    integration.post(HOSTILE.encode(), content_type="text/html")
    integration.post({HOSTILE: HOSTILE}, f"/v1/acme/{HOSTILE}")
    return integration


def test_pages_show_hostile_names_as_text(used: Integration) -> None:
    shown = dict(pages(used))

    assert "/_sandbox/" in shown
    assert "&lt;script&gt;alert(" in shown["/_sandbox/"]
    assert [path for path, html in shown.items() if "<script>alert" in html or "<img src=x" in html] == []
    assert len(shown) > 1


def test_pages_hold_no_inline_script(used: Integration) -> None:
    assert {path: scripts for path, html in pages(used) if (scripts := Page(html).scripts)} == {}


def test_pages_need_nothing_from_elsewhere(used: Integration) -> None:
    assert {path: loads for path, html in pages(used) if (loads := Page(html).loads)} == {}


def test_own_scripts_and_styles_need_nothing_from_elsewhere() -> None:
    files = [path for path in STATIC.rglob("*") if path.suffix in (".js", ".css", ".svg", ".mjs")]
    remote = re.compile(r"(?:url\(|import|fetch\(|from)\s*[\"'(]?\s*(?:https?:)?//")

    assert files
    assert [path.name for path in files if remote.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("path", ["/", "/docs", "/docs?api=flows", "/docs?api=control"])
def test_pages_say_what_a_browser_may_do_on_them(integration: Integration, path: str) -> None:
    response = integration.http.get(f"/_sandbox{path}")

    policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
    assert {name: policy[name] for name in DIRECTIVES} == DIRECTIVES
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"


def test_reference_brings_along_all_that_it_loads(integration: Integration) -> None:
    html = integration.http.get("/_sandbox/docs").text
    assets = re.findall(r'<(?:script|link rel="stylesheet")[^>]*?(?:src|href)="(/[^"]+)"', html)

    assert len(assets) >= 3
    for path in assets:
        with integration.http.get(path) as response:
            assert response.status_code == 200
        assert response.mimetype in ("text/javascript", "text/css"), path


def test_address_without_the_slash_leads_to_the_dashboard(integration: Integration) -> None:
    response = integration.http.get("/_sandbox", follow_redirects=True)

    assert (response.status_code, response.mimetype, response.request.path) == (200, "text/html", "/_sandbox/")


def test_secrets_are_on_no_page(used: Integration) -> None:
    token = used.token()
    used.post(token=token)

    html = "".join(html for _, html in pages(used))
    assert used.client_secret not in html
    assert token not in html
