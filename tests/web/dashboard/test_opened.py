"""An opened request: its parts, and the acts on it, by forms and in a browser."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from playwright.sync_api import Locator, Page, expect
from werkzeug.test import TestResponse

from sandbox.foundation.strict_json import parse_json
from sandbox.journal.entry import Entry
from sandbox.web.dashboard.opened import MAX_COMPARED, MAX_EDITED, compare
from sandbox.web.dashboard.requests import next_failures
from tests.conftest import Integration
from tests.slow.dashboard.test_accessibility import violations
from tests.web.dashboard.conftest import Dashboard
from tests.web.dashboard.forms import Forms

SEND = "/_sandbox/dashboard/requests/{}/send"


def entries(integration: Integration) -> list[Entry]:
    return list(integration.sandbox.journal.snapshot())


def send(integration: Integration, entry: object, **form: str) -> TestResponse:
    return integration.http.post(SEND.format(entry), data=form)


def pane(page: Page) -> Locator:
    return page.locator(".pane")


# --- by forms ---------------------------------------------------------------------------------------------------------


def test_request_that_is_sent_again_is_opened_beside_the_first(integration: Integration) -> None:
    integration.post({"order": "1001"})
    first = entries(integration)[-1]

    answer = send(integration, first.id)

    second = entries(integration)[-1]
    assert (answer.status_code, second.json, second.status) == (303, {"order": "1001"}, 200)
    assert answer.headers["Location"] == f"/_sandbox/?open={second.id}&with={first.id}"
    page = integration.http.get(answer.headers["Location"]).text
    assert "Compared with" in page


def test_comparison_keeps_the_filters_and_the_page_of_the_list(integration: Integration) -> None:
    for order in range(3):
        integration.post({"order": order})
    shown = integration.http.get("/_sandbox/?kind=inbound&before=5&open=2").text

    form = next(form for form in Forms(shown).every if "with" in form)

    assert form.to_dict() == {"kind": "inbound", "open": entries(integration)[1].id, "before": "5"} | {
        "with": form["with"]
    }


@pytest.mark.parametrize(
    ("first", "written", "sent"),
    [
        (b"a\nb", "a\r\nc", b"a\nc"),
        (b"a\r\nb", "a\r\nc", b"a\r\nc"),
        (b"{}", "\u00fc", "\u00fc".encode()),
        (b"{}", "", b""),
    ],
)
def test_edited_body_is_sent_as_it_was_written(
    integration: Integration, first: bytes, written: str, sent: bytes
) -> None:
    integration.post(first)

    send(integration, 2, body=written, target="/v1/acme/anything")

    assert entries(integration)[-1].body == sent


@pytest.mark.parametrize(
    ("entry", "form", "status", "said"),
    [
        (9, {}, 404, "There is no journal entry"),
        (1, {}, 400, "cannot be sent again"),
        (2, {"target": "//elsewhere"}, 303, ""),
        (2, {"target": "elsewhere"}, 400, "a path that begins with /"),
    ],
)
def test_act_that_cannot_be_done_says_why(
    integration: Integration, entry: int, form: dict[str, str], status: int, said: str
) -> None:
    integration.post()

    answer = send(integration, entry, **form)

    assert (answer.status_code, said in answer.text) == (status, True)


def test_page_of_another_site_sends_nothing(integration: Integration) -> None:
    integration.post()

    answer = integration.http.post(SEND.format(2), headers={"Origin": "https://evil.example"})

    assert (answer.status_code, len(entries(integration))) == (403, 2)


@pytest.mark.parametrize("number", [1, 2], ids=["token", "inbound"])
def test_next_request_like_it_fails_in_each_way_that_is_offered(integration: Integration, number: int) -> None:
    integration.post()
    page = unescape(integration.http.get(f"/_sandbox/?open={number}").text)

    offered = next_failures(entries(integration)[number - 1])

    assert len(offered) >= 5
    for _, rule in offered:
        assert f'name="body" value="{rule}"' in page
        added = integration.control("POST", "/faults", parse_json(rule.encode()))
        assert added.status_code == 201, added.text
    assert integration.sandbox.platform.faults.rules()[0].rule.match.endpoint == ("token", "inbound")[number - 1]


def test_requests_to_no_service_have_nothing_to_fail(integration: Integration) -> None:
    integration.http.get("/elsewhere")

    assert next_failures(entries(integration)[-1]) == []
    assert "Fail the next one" not in integration.http.get("/_sandbox/?open=1").text


def test_payload_shows_which_of_its_attempts_is_open(integration: Integration) -> None:
    token = integration.token()
    integration.control("POST", "/faults", {"fault": {"kind": "status", "code": 503}, "times": 1})
    integration.post(token=token)
    one = integration.http.get("/_sandbox/?open=2").text
    integration.post(token=token)

    two = integration.http.get("/_sandbox/?open=2", headers={"X-Known-Pane": entries(integration)[1].id}).text

    assert "Attempts of this payload" not in one
    assert "2 attempts" in two
    assert re.search(r'aria-current="true"><span class="outcome faulted">', two)
    for elsewhere in ("status=200", "before=2", "after=2"):  # on a page that lists one of them, or none
        assert "2 attempts" in integration.http.get(f"/_sandbox/?open=2&{elsewhere}").text


@pytest.mark.parametrize(
    ("body", "whole", "offered"),
    [
        (b"x" * 1_000, "", "Edit and send"),
        (b"x" * 60_000, "", "Show all of the body to edit it"),
        (b"x" * 60_000, "&whole=1", "Edit and send"),
        (b"x" * (MAX_EDITED + 1), "&whole=1", None),
        (b"\xff", "", None),
    ],
    ids=["short", "cut", "whole", "large", "bytes"],
)
def test_body_of_a_size_that_a_form_takes_is_editable(
    integration: Integration, body: bytes, whole: str, offered: str | None
) -> None:
    integration.post(body)

    page = integration.http.get(f"/_sandbox/?open=2{whole}").text

    found = [text for text in ("Edit and send", "Show all of the body to edit it") if text in page]
    assert found == ([offered] if offered else [])
    assert "Send again" in page


def test_filters_stay_when_a_request_is_sent_again(integration: Integration) -> None:
    integration.post()
    page = unescape(integration.http.get("/_sandbox/?open=2&kind=inbound").text)
    (action,) = set(re.findall(r'action="([^"]*/send[^"]*)"', page))

    answer = integration.http.post(action)

    assert answer.headers["Location"].startswith("/_sandbox/?kind=inbound&open=")


def test_missing_fields_are_named_where_they_belong(integration: Integration) -> None:
    order = {**integration.sandbox.store.entities(1)[0].sample, "lines": [{"sku": 1}], "note": 7}  # type: ignore[dict-item]
    del order["currency"]
    integration.post(order, "/v1/acme/orders")

    page = integration.http.get("/_sandbox/?open=2").text

    notes = re.findall(r'<span class="said">(.*?)</span>', page)
    assert notes[:2] == [
        "currency: The currency field is required.",
        "not here: id, barcode, name, options, quantity, unit_price, discount, tax_rate, tax, total",
    ]
    assert notes[2:] == ["The lines.0.sku field must be a string.", "The note field must be a string."]


# --- compared ---------------------------------------------------------------------------------------------------------


def test_requests_are_compared_place_by_place(integration: Integration) -> None:
    integration.post({"number": "A-1", "lines": [{"qty": 1}]})
    integration.post({"number": "A-1", "lines": [{"qty": 2}], "note": "x"})
    _, first, _, second = entries(integration)

    found = compare(first, second)

    assert [str(each) for each in found.parts["Payload"]] == [
        "$.lines[0].qty: expected 1, got 2",
        '$.note: unexpected "x"',
    ]
    assert (found.parts["Request"], found.more) == ([], 0)


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (b'{"a": 1}', b'{"a":1}', "$: the same JSON in other bytes"),
        (b"a", b"\xff", "$: expected "),
        (b"x" * MAX_COMPARED + b"y", b"x", "$: the bytes differ; more than"),
        (json.dumps(list(range(300))).encode(), json.dumps(list(range(600, 900))).encode(), "$[0]: expected 0"),
    ],
)
def test_bodies_of_any_kind_are_compared(integration: Integration, one: bytes, other: bytes, said: str) -> None:
    integration.post(one)
    integration.post(other)
    _, first, _, second = entries(integration)

    found = compare(first, second)

    assert str(found.parts["Payload"][0]).startswith(said)
    assert len(found.parts["Payload"]) <= 100
    assert found.more in (0, 200)
    assert integration.http.get(f"/_sandbox/?open={second.id}&with={first.id}").status_code == 200


# --- in a browser -----------------------------------------------------------------------------------------------------


def test_refused_field_leads_to_its_line_and_the_line_to_its_path(dashboard: Dashboard) -> None:
    order = dashboard.sandbox.store.entities(1)[0].sample
    assert isinstance(order, dict)
    dashboard.post(json.dumps({**order, "number": 17}), "/v1/acme/orders", dashboard.token())
    page = dashboard.open("/?open=2")
    opened = pane(page)
    expect(opened.get_by_role("tab")).to_have_text(["Answer", "Request", "As code"])
    expect(opened.get_by_label("Request body", exact=True)).to_be_hidden()

    opened.get_by_label("Wrong fields").get_by_role("link").first.click()

    tree = opened.get_by_label("Request body", exact=True)
    expect(tree).to_be_focused()
    expect(tree.locator("[data-marked]")).to_contain_text('"number": 17')
    expect(opened.locator("[data-path]").filter(visible=True)).to_have_text("$.number")
    tree.locator('[data-step=".sku"]').first.click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    opened.get_by_role("button", name="Copy the JSONPath of the line").filter(visible=True).click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "$.lines[0].sku"


def test_line_of_a_tree_folds_by_the_keyboard(dashboard: Dashboard) -> None:
    dashboard.post('{"a": {"b": 1}}', token=dashboard.token())
    page = dashboard.open("/?open=2")
    tree = pane(page).get_by_label("Request body", exact=True)
    tree.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(tree.locator("[data-marked]")).to_contain_text('"a"')

    page.keyboard.press("ArrowLeft")
    expect(tree.locator('[data-step=".b"]')).to_be_hidden()
    page.keyboard.press("ArrowRight")

    expect(tree.locator('[data-step=".b"]')).to_be_visible()


def test_refused_request_is_corrected_sent_again_and_made_to_fail(dashboard: Dashboard) -> None:
    token = dashboard.token()
    dashboard.post("", "/v1/acme/anything", token)
    page = dashboard.open("/?open=2")
    opened = pane(page)

    opened.get_by_text("Edit and send").click()
    opened.get_by_label("Body", exact=True).fill('{\n  "order": "1002"\n}')
    opened.get_by_role("button", name="Send", exact=True).click()

    expect(opened.get_by_role("heading", name="Compared with #2")).to_be_visible()
    expect(opened).to_contain_text("expected 422, got 200")
    assert dashboard.sandbox.journal.get("3").body == b'{\n  "order": "1002"\n}'
    opened.get_by_role("button", name="Send again").click()
    expect(opened.get_by_role("heading", name="Compared with #3")).to_be_visible()
    opened.get_by_text("Fail the next one like this").click()
    opened.get_by_role("button", name="503").click()
    expect(page.get_by_role("status")).to_contain_text("The next one like this fails: 503")
    assert dashboard.post(token=token) == 503
    assert dashboard.post(token=token) == 200


def test_other_request_is_chosen_to_compare_with(dashboard: Dashboard) -> None:
    token = dashboard.token()
    for number in range(3):
        dashboard.post(f'{{"order": {number}}}', token=token)
    page = dashboard.open("/?open=3")
    opened = pane(page)
    opened.get_by_text("Compare with").click()

    opened.get_by_label("Another request").select_option(dashboard.sandbox.journal.get("2").id)
    opened.get_by_role("button", name="Compare").click()

    expect(opened.get_by_role("link", name="$.order")).to_be_visible()
    expect(opened).to_contain_text("expected 0, got 1")
    expect(page).to_have_url(re.compile("with="))


def test_list_with_an_opened_request_violates_no_rule_of_axe(dashboard: Dashboard) -> None:
    dashboard.post("{}", "/v1/acme/orders")

    assert violations(dashboard.open("/?open=2")) == []
