"""The list of requests: live, filtered, opened, and showing whatever was sent as what it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Locator, Page, Route, expect

from sandbox.journal.journal import Journal
from tests.journal.journals import exchange as made
from tests.web.dashboard.conftest import Dashboard


def rows(page: Page) -> Locator:
    return page.locator(".row")


def pane(page: Page) -> Locator:
    return page.locator(".pane")


def fill_journal(journal: Journal, count: int) -> None:
    """Put entries into a journal, faster than by requests."""
    for number in range(count):
        when, accepted = 1_790_000_000 + number, number % 10 != 0
        exchange = made(
            received_at=when,
            wall_time=when,
            company="acme",
            vanity_url="orders",
            accepted=accepted,
            reason=None if accepted else "blank_payload: payload required",
            body=b'{"number": %d}' % number,
            body_size=0,
        )
        journal.close(exchange, 200 if exchange.accepted else 422, (), b"{}")


# --- live -----------------------------------------------------------------------------------------------------------


def test_a_request_appears_by_itself_newest_first(dashboard: Dashboard) -> None:
    token = dashboard.token()
    dashboard.page.add_init_script("window.setInterval = () => 0")  # so that the page never looks by itself
    page = dashboard.open()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert dashboard.post('{"order": "live-1"}', token=token) == 200
    expect(rows(page)).to_have_count(2)

    assert dashboard.post('{"order": "live-2"}', token=token) == 200

    expect(rows(page)).to_have_count(3)
    expect(rows(page).first).to_contain_text("live-2")
    expect(page.locator(".picture")).to_contain_text("3 accepted")


def test_a_row_that_stays_is_the_same_element_when_another_arrives(dashboard: Dashboard) -> None:
    token = dashboard.token()
    page = dashboard.open()
    link = rows(page).first.get_by_role("link")
    link.focus()
    handle = link.element_handle()

    dashboard.post(token=token)

    expect(rows(page)).to_have_count(2)
    assert handle is not None
    assert handle.evaluate("link => link.isConnected && document.activeElement === link")


def test_paused_nothing_arrives_until_it_is_resumed(dashboard: Dashboard) -> None:
    token = dashboard.token()
    page = dashboard.open()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()

    page.get_by_role("button", name="Pause").click()
    dashboard.post(token=token)
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Resume").click()

    expect(rows(page)).to_have_count(2)


def test_after_a_reset_the_list_is_empty_and_tells_what_to_do(dashboard: Dashboard) -> None:
    dashboard.post()
    page = dashboard.open()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()

    dashboard.sandbox.reset()

    expect(page.get_by_text("No requests yet")).to_be_visible()
    expect(page.get_by_role("link", name="Send one now")).to_be_visible()


def test_clearing_the_journal_is_asked_for_twice(dashboard: Dashboard) -> None:
    dashboard.post()
    page = dashboard.open()

    page.get_by_role("button", name="Clear the journal").click()
    page.get_by_role("dialog").get_by_role("button", name="Clear the journal").click()

    expect(page.get_by_text("No requests yet")).to_be_visible()
    assert len(dashboard.sandbox.journal) == 0


# --- filters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "value", "shown"),
    [
        ("Kind", "token", ["/oauth/token"]),
        ("Outcome", "rejected", ["/v1/acme/orders", "/v1/acme/nope"]),
        ("Company", "acme", ["/v1/acme/orders", "/v1/acme/nope", "/v1/acme/anything"]),
        ("Service", "acme/anything", ["/v1/acme/anything"]),
        ("Status", "404", ["/v1/acme/nope"]),
        ("JSONPath", "$.order", ["/v1/acme/anything"]),
        ("Since (UTC)", "2999-01-01T00:00", []),
    ],
)
def test_a_filter_leaves_the_requests_it_names(dashboard: Dashboard, label: str, value: str, shown: list[str]) -> None:
    token = dashboard.token()
    for path in ("/v1/acme/anything", "/v1/acme/nope", "/v1/acme/orders"):
        dashboard.post('{"order": 1}' if path.endswith("anything") else "{}", path, token)
    page = dashboard.open()
    page.get_by_text("More filters").click()
    field = page.get_by_label(re.compile(f"^{re.escape(label)}"))

    if field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(value)
    else:
        field.fill(value)
        field.blur()

    expect(rows(page).locator(".what bdi")).to_have_text(shown)


def test_the_text_filter_searches_bodies_as_one_types_and_stands_in_the_address(dashboard: Dashboard) -> None:
    token = dashboard.token()
    dashboard.post('{"order": "TEA"}', token=token)
    dashboard.post('{"order": "POT"}', token=token)
    page = dashboard.open()

    page.get_by_label("Text").press_sequentially("pot")  # an id can have neither o nor t

    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("POT")
    expect(page).to_have_url(re.compile(r"\?text=pot$"))


def test_clearing_the_filters_brings_everything_back(dashboard: Dashboard) -> None:
    dashboard.post()
    page = dashboard.open("/?text=nothing+like+it&kind=inbound")
    expect(page.get_by_text("No request matches these filters")).to_be_visible()

    page.get_by_role("link", name="Clear filters").click()

    expect(rows(page)).to_have_count(2)
    expect(page.get_by_label("Kind")).to_have_value("")


def test_ten_thousand_entries_are_read_a_window_at_a_time(dashboard: Dashboard) -> None:
    fill_journal(dashboard.sandbox.journal, 10_000)
    page = dashboard.open()
    expect(rows(page)).to_have_count(100)
    expect(page.get_by_text("100 shown of 10,000 in the journal")).to_be_visible()

    page.get_by_role("link", name="Older requests").click()

    expect(rows(page).first).to_contain_text('"number": 9899')
    expect(rows(page)).to_have_count(100)
    page.get_by_role("link", name="Newest").click()
    expect(rows(page).first).to_contain_text('"number": 9999')


def test_on_an_older_window_new_requests_are_counted_and_do_not_disturb(dashboard: Dashboard) -> None:
    fill_journal(dashboard.sandbox.journal, 150)
    page = dashboard.open("/?before=51")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()

    dashboard.request_token()

    expect(page.get_by_text("1 new")).to_be_visible()
    expect(rows(page).first).to_contain_text('"number": 49')


# --- a request, opened ----------------------------------------------------------------------------------------------


def test_a_row_opens_to_everything_that_is_known_of_the_request(dashboard: Dashboard) -> None:
    token = dashboard.token()
    dashboard.post('{"order":"A-1"}', token=token)
    page = dashboard.open()

    rows(page).first.get_by_role("link").click()

    opened = pane(page)
    expect(opened.get_by_role("heading", level=2)).to_be_focused()
    expect(opened.get_by_label("Request body", exact=True)).to_contain_text('"order": "A-1"')
    opened.get_by_text("As received").click()
    expect(opened.get_by_label("Request body as received")).to_have_text('{"order":"A-1"}')
    expect(opened.get_by_role("table", name="Request headers")).to_contain_text("Bearer sha256:")
    opened.get_by_role("tab", name="Answer").click()
    expect(opened.get_by_label("Body of the answer")).to_contain_text("Payload stored successfully.")
    expect(opened).to_contain_text("Demo integration")
    assert token not in page.content()


def test_an_opened_request_shows_the_claims_of_its_token_on_the_sandbox_clock(dashboard: Dashboard) -> None:
    dashboard.sandbox.clock.change(now="2027-01-01T12:00:00Z", frozen=True)
    token = dashboard.token()
    dashboard.sandbox.clock.advance(hours=1)
    dashboard.post(token=token)
    page = dashboard.open("/?open=2")

    opened = pane(page)

    expect(opened.get_by_text("2027-01-02 12:00:00")).to_be_visible()
    expect(opened.get_by_text("23 h left")).to_be_visible()
    opened.get_by_text("Claims").click()
    claims = json.loads(opened.get_by_label("Claims of the access token").inner_text())
    assert claims == {
        "aud": dashboard.client_id,
        "jti": claims["jti"],
        "iat": 1798804800.0,
        "nbf": 1798804800.0,
        "exp": 1798891200.0,
        "scopes": ["access-inbound"],
    }


def test_a_refusal_is_told_in_words_and_by_its_reason(dashboard: Dashboard) -> None:
    token = dashboard.token()
    dashboard.sandbox.clock.advance(hours=24, seconds=5)
    assert dashboard.post(token=token) == 401
    page = dashboard.open()

    rows(page).first.get_by_role("link").click()

    expect(pane(page)).to_contain_text("the trigger to request a new one")
    expect(pane(page)).to_contain_text("token_expired: ")
    expect(pane(page)).to_contain_text(re.compile(r"expired \d+ s before"))


def test_a_request_is_copied_as_curl(dashboard: Dashboard) -> None:
    dashboard.post('{"name": "O\'Neill"}', token=dashboard.token())
    page = dashboard.open("/?open=2")

    page.get_by_role("tab", name="As code").click()
    page.get_by_role("button", name="Copy as curl").click()

    expect(page.get_by_role("status")).to_have_text("Copied")
    first, line = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert first == f"BASE_URL={dashboard.server.base_url}"
    assert '"$BASE_URL"/v1/acme/anything' in line
    assert line.endswith("""--data-raw '{"name": "O'"'"'Neill"}'""")


def test_closing_an_opened_request_returns_to_its_row(dashboard: Dashboard) -> None:
    dashboard.post()
    page = dashboard.open()
    rows(page).nth(1).get_by_role("link").click()
    expect(pane(page)).to_be_visible()

    page.keyboard.press("Escape")

    expect(pane(page)).to_be_hidden()
    expect(rows(page).nth(1).get_by_role("link")).to_be_focused()


def test_back_closes_an_opened_request(dashboard: Dashboard) -> None:
    dashboard.post()
    page = dashboard.open()
    rows(page).first.get_by_role("link").click()
    expect(pane(page)).to_be_visible()

    page.go_back()

    expect(pane(page)).to_be_hidden()


def test_keys_reach_the_search_the_rows_and_the_bars(dashboard: Dashboard) -> None:
    dashboard.post()
    page = dashboard.open()
    presses = 0

    while not page.evaluate("document.activeElement.matches('.row a')") and presses < 10:
        page.keyboard.press("Tab")
        presses += 1
        if page.evaluate("document.activeElement.textContent") == "Skip to the requests":
            page.keyboard.press("Enter")

    assert presses <= 5
    expect(rows(page).first.get_by_role("link")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows(page).nth(1).get_by_role("link")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(rows(page).first.get_by_role("link")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Text")).to_be_focused()
    page.keyboard.type("a/b")
    expect(page.get_by_label("Text")).to_have_value("a/b")
    page.get_by_label("Text").fill("")
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(rows(page).first.get_by_role("link")).to_be_focused()


def test_bar_of_a_picture_leads_to_its_requests(dashboard: Dashboard) -> None:
    journal, now = dashboard.sandbox.journal, dashboard.sandbox.clock.wall_timestamp()
    fill_journal(journal, 3)
    for _ in range(2):
        journal.close(made(received_at=now, wall_time=now, accepted=True), 200, (), b"")
    page = dashboard.open()

    bar = page.get_by_role("group", name="At most 2 requests").get_by_role("link").last
    expect(bar).to_have_accessible_name(re.compile(r"^\d\d:\d\d:\d\d: 2 accepted; median"))
    bar.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("of 5 in the journal")).to_be_visible()
    expect(rows(page)).to_have_count(2)
    page.get_by_role("link", name="Clear filters").click()
    expect(rows(page)).to_have_count(5)


# --- hostile payloads -----------------------------------------------------------------------------------------------

HOSTILE = {
    "script": "<script>window.pwned = 1</script>",
    "attribute": '"><img src=x onerror="window.pwned = 1">',
    "template": "{{ 7 * 7 }} ${7 * 7} </pre></article><style>*{display:none}</style>",
    "json": json.dumps({"</script><svg onload=window.pwned=1>": ["<b>", "&amp;"]}),
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_markup_in_a_payload_is_shown_as_what_it_is(dashboard: Dashboard, payload: str) -> None:
    dashboard.post(payload, token=dashboard.token())
    page = dashboard.open()

    rows(page).first.get_by_role("link").click()

    opened = pane(page).get_by_label("Request body as received")
    if opened.is_hidden():
        pane(page).get_by_text("As received").click()
    expect(opened).to_have_text(payload)
    expect(rows(page).first).to_contain_text(payload[:20])
    assert page.evaluate("window.pwned") is None


def test_a_hostile_name_is_shown_as_what_it_is_everywhere(dashboard: Dashboard) -> None:
    name = '<img src=x onerror="window.pwned = 1">'
    store = dashboard.sandbox.store
    store.add_connector("acme", name)
    store.add_entity(2, name, name, {name: 1})
    store.add_client(2, name)
    store.add_service("acme", 2, name, "hostile")

    for path in ("/connectors", "/connectors/2", "/connectors/2/authentication", "/services", "/try", "/clock"):
        page = dashboard.open(f"/dashboard{path}")

        assert page.evaluate("window.pwned") is None
        assert page.locator("img").count() == 0
        if path not in ("/clock", "/try"):
            expect(page.get_by_text(name).first).to_be_attached()


def test_marks_that_turn_the_direction_of_text_are_made_visible(dashboard: Dashboard) -> None:
    dashboard.post("invoice_\u202egnp.exe", token=dashboard.token())
    page = dashboard.open("/?open=2")

    body = pane(page).get_by_label("Request body as received")

    expect(body).to_have_text("invoice_U+202Egnp.exe")
    expect(body.locator(".unseen")).to_have_text("U+202E")


def test_five_megabytes_of_text_are_cut_and_shown_whole_on_request(dashboard: Dashboard) -> None:
    dashboard.post("0123456789" * 500_000, token=dashboard.token())
    page = dashboard.open()
    rows(page).first.get_by_role("link").click()
    opened = pane(page)
    expect(opened.get_by_text("The first 49,152 of 5,000,000 characters.")).to_be_visible()

    opened.get_by_role("link", name="Show all").click()

    expect(opened.get_by_text("The first 49,152")).to_be_hidden()
    length = opened.get_by_label("Request body as received").evaluate("pre => pre.textContent.length")
    assert length == 5_000_000


def test_bytes_that_are_no_text_are_shown_as_bytes(dashboard: Dashboard) -> None:
    dashboard.post(b"\xff\xfe\x00PNG", token=dashboard.token())
    page = dashboard.open("/?open=2")

    expect(pane(page).get_by_label("Bytes of the request body")).to_contain_text(
        re.compile(r"000000  ff fe 00 50 4e 47 +\.\.\.PNG")
    )


def test_the_payload_is_downloaded_byte_for_byte(dashboard: Dashboard) -> None:
    body = b"\xff\x00<script>\r\n"
    dashboard.post(body, token=dashboard.token())
    page = dashboard.open("/?open=2")

    with page.expect_download() as download:
        page.get_by_role("link", name="Download byte for byte").click()

    assert download.value.path().read_bytes() == body


# --- without JavaScript ---------------------------------------------------------------------------------------------


def test_without_javascript_the_list_reads_filters_and_opens(open_dashboard: Callable[..., Dashboard]) -> None:
    dashboard = open_dashboard(java_script_enabled=False)
    dashboard.post('{"order": "A-1"}')
    page = dashboard.open()
    expect(rows(page)).to_have_count(2)

    page.get_by_text("More filters").click()
    page.get_by_label("Kind").select_option("inbound")
    page.get_by_role("button", name="Filter").click()
    expect(rows(page)).to_have_count(1)
    rows(page).first.get_by_role("link").click()

    expect(pane(page)).to_contain_text("A-1")
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()


def test_request_that_arrives_while_the_page_is_renewed_is_shown(dashboard: Dashboard) -> None:
    dashboard.page.add_init_script("""
        window.setInterval = () => 0;  // so that only the stream tells the page
        window.EventSource = class extends EventSource {
          constructor(address) {
            super(address);
            this.addEventListener("request", ({ data }) => {
              document.documentElement.dataset.seq = JSON.parse(data).seq;
            });
          }
        };
    """)
    page = dashboard.open()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"{dashboard.url}/", hold, times=1)

    with page.expect_request(f"{dashboard.url}/"):
        token = dashboard.token()
    without_the_payload = requests.get(f"{dashboard.url}/", timeout=10).text
    dashboard.post(token=token)
    expect(page.locator("html")).to_have_attribute("data-seq", "2")
    held[0].fulfill(body=without_the_payload, content_type="text/html; charset=utf-8")

    expect(page.locator(".row")).to_have_count(2)
