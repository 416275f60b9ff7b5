"""Every page without a browser: what it holds, and what it forbids the browser to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, template_rendered

import sandbox.web.dashboard
from sandbox._version import __version__
from sandbox.faults.rules import make_rule
from tests.conftest import Integration
from tests.journal.journals import exchange

STATIC = Path(sandbox.web.dashboard.__file__).parent / "static"
PATHS = [
    "/",
    "/dashboard/connectors",
    "/dashboard/connectors/1",
    "/dashboard/connectors/1/authentication",
    "/dashboard/services",
    "/dashboard/services/3",
    "/dashboard/sync-report",
    "/dashboard/runs",
    "/dashboard/flows",
    "/dashboard/clock",
    "/dashboard/faults",
    "/dashboard/try",
    "/docs",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_runs_no_script_but_its_own_and_is_kept_nowhere(integration: Integration, path: str) -> None:
    answer = integration.http.get(f"/_sandbox{path}")

    policy = answer.headers["Content-Security-Policy"]
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", PATHS)
def test_a_page_holds_no_inline_script_or_style_and_refers_to_nothing_elsewhere(
    integration: Integration, path: str
) -> None:
    integration.post({"order": "1001"})

    page = integration.http.get(f"/_sandbox{path}").text

    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page) == []
    assert re.findall(r'(?:src|href|action)="(?!/_sandbox|#|\?|openapi)[^"]*"', page) == []


def test_only_pages_but_the_reference_ask_for_trusted_types(integration: Integration) -> None:
    policies = {path: integration.http.get(f"/_sandbox{path}").headers["Content-Security-Policy"] for path in PATHS}

    assert [path for path, policy in policies.items() if "require-trusted-types-for 'script'" not in policy] == [
        "/docs"
    ]


def test_no_module_puts_text_into_a_page_as_markup() -> None:
    sinks = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function")

    assert {path.name for path in STATIC.rglob("*.js") if sinks.search(path.read_text("utf-8"))} == set()


@pytest.mark.parametrize("path", [*PATHS, "/?open=2", "/?open=9", "/dashboard/connectors/99"])
def test_no_page_has_a_variable_with_the_name_of_one_that_every_page_has(integration: Integration, path: str) -> None:
    integration.post({"order": "1001"})
    integration.sandbox.clock.freeze()
    hidden: list[str] = []

    def compare(app: Flask, context: dict[str, Any], **_: object) -> None:
        for shared in app.template_context_processors["pages"]:
            hidden.extend(name for name, value in shared().items() if context[name] != value)

    with template_rendered.connected_to(compare):
        page = integration.http.get(f"/_sandbox{path}").text

    assert hidden == []
    assert f'<p class="version">Version {__version__}</p>' in page


@pytest.mark.parametrize("path", PATHS)
def test_no_page_holds_a_secret(integration: Integration, path: str) -> None:
    integration.post({"order": "1001"})

    assert integration.client_secret not in integration.http.get(f"/_sandbox{path}").text


def test_what_does_not_exist_is_told_to_a_person(integration: Integration) -> None:
    answer = integration.http.get("/_sandbox/dashboard/connectors/99")

    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "There is no connector 99" in answer.text


def test_a_request_that_is_gone_is_told_beside_the_list(integration: Integration) -> None:
    integration.token()

    page = integration.http.get("/_sandbox/?open=no-such-entry").text

    assert "This request is gone" in page
    assert "1 shown of 1 in the journal" in page


def test_a_pane_that_the_browser_has_already_is_not_sent_again(integration: Integration) -> None:
    integration.post("a payload of its own")
    entry = integration.sandbox.journal.get("2")

    page = integration.http.get("/_sandbox/?open=2&text=token", headers={"X-Known-Pane": entry.id}).text

    assert f'data-version="{entry.id}"' in page
    assert "a payload of its own" not in page


@pytest.mark.parametrize("wire_profile", ["modern", "legacy"])
def test_an_opened_request_begins_with_every_field_that_was_refused(
    make_integration: Callable[..., Integration], wire_profile: str
) -> None:
    integration = make_integration(wire_profile=wire_profile)
    answer = integration.post({"id": 7, "currency": 1}, path="/v1/acme/orders")

    page = integration.http.get("/_sandbox/?open=2").text

    verdict = page.partition('<div class="verdict')[2].partition("</div>")[0]
    found = re.findall(r'<li><a href="#(.*?)" data-line><code>(.*?)</code>', verdict)
    assert len(found) > 1
    assert [name for _, name in found] == list(answer.json["errors"])  # type: ignore[index]
    assert all(re.search(rf'class="line wrong" id="{line}"', page) for line, _ in found)


def test_a_move_of_the_clock_stands_between_the_requests_before_and_after(integration: Integration) -> None:
    journal = integration.sandbox.journal
    for received_at, wall_time in ((0.0, 0.0), (20.0, 20.0), (86_420.0, 21.0), (82_820.0, 22.0), (82_820.0, 99.0)):
        journal.close(exchange(received_at=received_at, wall_time=wall_time), 200, (), b"")

    page = integration.http.get("/_sandbox/").text

    jumps = re.findall(r'<span class="number">(#\d)|<li class="jump"[^>]*>(.*?)</li>', page)
    assert [number or jump for number, jump in jumps] == [
        "#5",
        "#4",
        "1 h earlier on the sandbox clock",
        "#3",
        "1 d later on the sandbox clock",
        "#2",
        "#1",
    ]


def test_a_row_has_the_number_by_which_other_requests_name_it(integration: Integration) -> None:
    integration.post()

    page = integration.http.get("/_sandbox/?open=2").text

    assert re.findall(r'<span class="number">(.*?)</span>', page) == ["#2", "#1"]
    assert "request 1</a>" in page


@pytest.mark.parametrize(
    ("effect", "answer", "marks", "facts"),
    [
        (
            "latency: answered 200, 2.000 s late",
            (200, 2_000.0),
            [">latency<", " +2,000 ms<"],
            ["answered 2,000 ms later (latency)"],
        ),
        (
            "connection_reset: no answer: the connection was reset",
            (0, 0.0),
            [">connection_reset<"],
            ["never answered", "no answer: the connection was reset"],
        ),
        ("status: answered 503", (503, 0.0), [">status<"], ["Answered in"]),
    ],
    ids=["late", "no answer", "other answer"],
)
def test_a_page_shows_what_a_fault_did_to_the_answer(
    integration: Integration, effect: str, answer: tuple[int, float], marks: list[str], facts: list[str]
) -> None:
    status, delay_ms = answer
    faulted = exchange(fault="fault-1", effect=effect, delay_ms=delay_ms)
    integration.sandbox.journal.close(faulted, status, (), b"")

    page = integration.http.get("/_sandbox/?open=1").text

    row, _, pane = page.partition('<section class="pane"')
    assert [mark for mark in marks if mark not in row] == []
    assert [fact for fact in [effect, *facts] if fact not in pane] == []


def test_an_empty_sandbox_says_what_to_do_next(integration: Integration) -> None:
    store = integration.sandbox.store
    for service in store.services():
        store.delete_service(service.id)
    integration.sandbox.delete_connector(1)

    pages = {path: integration.http.get(f"/_sandbox{path}").text for path in PATHS}

    assert "No connector yet" in pages["/dashboard/connectors"]
    assert "No service yet" in pages["/dashboard/services"]
    assert "No token yet" in pages["/dashboard/clock"]
    assert "Nothing to post to yet" in pages["/dashboard/try"]
    assert "No requests yet" in pages["/"]


def test_a_presets_folder_that_cannot_be_read_is_told_and_the_packaged_ones_stay(
    make_integration: Callable[..., Integration], tmp_path: Path
) -> None:
    (tmp_path / "half.yaml").write_text("title: [")
    integration = make_integration(presets_dir=str(tmp_path))

    page = integration.http.get("/_sandbox/dashboard/faults").text

    assert "half.yaml" in page
    assert "Flaky network" in page


def test_a_rule_shows_all_its_conditions_and_when_it_acts(integration: Integration) -> None:
    rule = make_rule({"kind": "status", "code": 503}, name="<b>", method="POST", after=2, times=3, every=2, accept=True)
    integration.sandbox.platform.faults.add(rule)

    page = integration.http.get("/_sandbox/dashboard/faults").text

    assert "&lt;b&gt;" in page
    for text in ("method POST", "after 2", "every 2", "0</b> hits of 3", "payload is stored first"):
        assert text in page


@pytest.mark.parametrize(
    ("sample", "shown"),
    [
        ('{"a": 1, "b": [{"c": null}]}', "3 fields detected"),
        ('[{"a": 1}, {"b": "x"}]', "2 fields detected"),
        ('"text"', "There is no field in this sample"),
        ("{", "This is not JSON"),
        (" ", '<div id="detected">\n\n</div>'),
        ('{"a": 1, "a": 2}', "the key &#39;a&#39; is there more than once in one object"),
    ],
    ids=["object", "batch", "scalar", "no JSON", "empty", "repeated key"],
)
def test_the_fields_of_a_sample_are_shown_before_it_is_added(integration: Integration, sample: str, shown: str) -> None:
    answer = integration.http.post("/_sandbox/dashboard/detected-fields", data=sample, content_type="application/json")

    assert shown in answer.text
    assert len(integration.sandbox.store.entities(1)) == 3


def test_the_name_of_a_sample_cannot_leave_its_header(integration: Integration) -> None:
    entity = integration.sandbox.store.add_entity(1, "custom", 'a";\\X: y', {"a": 1})

    answer = integration.http.get(f"/_sandbox/dashboard/connectors/1/entities/{entity.id}/sample")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="a---X--y.json"'


def test_a_token_that_is_not_valid_says_why(integration: Integration) -> None:
    integration.token()
    integration.sandbox.revoke_tokens()
    integration.token()
    integration.sandbox.clock.advance(hours=-1)

    page = integration.http.get("/_sandbox/dashboard/clock").text

    assert "revoked" in page
    assert "not valid yet" in page


@pytest.mark.parametrize("scope", ["access-inbound", "send-orders"])
def test_scope_stands_beside_the_credentials(make_integration: Callable[..., Integration], scope: str) -> None:
    integration = make_integration(required_scope=scope)

    tab = integration.http.get("/_sandbox/dashboard/connectors/1/authentication").text
    issued = integration.http.post("/_sandbox/dashboard/connectors/1/oauth-clients/new", data={"name": "Order export"})
    form = integration.http.get("/_sandbox/dashboard/try").text

    assert f"<code>{scope}</code>" in tab.replace("<wbr>", "")
    assert f"<code>************{integration.client_secret[-4:]}</code>" in tab.replace("<wbr>", "")
    assert f"<code>{scope}</code>" in issued.text.replace("<wbr>", "")
    assert f'name="scope" value="{scope}"' in form


@pytest.mark.parametrize(("clients", "noted"), [(1, False), (2, True), (3, True)])
def test_page_notes_that_the_platforms_own_makes_two_clients(
    integration: Integration, clients: int, noted: bool
) -> None:
    for number in range(1, clients):
        integration.sandbox.store.add_client(1, f"Client {number}")

    page = integration.http.get("/_sandbox/dashboard/connectors/1/authentication").text

    assert ("lets a user make two clients for a connector" in page) is noted


def test_live_connector_is_marked_by_colour() -> None:
    rules = re.findall(r"(\.tag[^{}]*)\{([^}]*)\}", (STATIC / "style.css").read_text("utf-8"))

    assert any(".live" in selector and "var(--accent)" in rule for selector, rule in rules)
