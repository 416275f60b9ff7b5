"""The page of findings, and the exports of what the filters of the list leave."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from tests.conftest import Integration
from tests.web.dashboard.test_cost import calls_of, fill

PAGE = "/_sandbox/dashboard/findings"


def found(html: str, section: str) -> dict[str, str]:
    """Return the findings of a section by their heading."""
    inside = html.partition(f'id="{section}">')[2].partition("</section>")[0]
    return {
        re.sub(r"<[^>]+>", "", heading): unescape(rest)
        for heading, rest in re.findall(r"<h3>(.*?)</h3>(.*?)</li>", inside, re.DOTALL)
    }


def test_refusals_are_grouped_by_reason_with_their_requests(integration: Integration) -> None:
    token = integration.token()
    for number in range(2):
        integration.post({"order": number}, "/v1/acme/nowhere", token)
    integration.post(token="wrong")
    integration.post({"order": 1}, token=token)

    refused = found(integration.http.get(PAGE).text, "refused")

    assert list(refused) == ["unknown_service", "malformed_token"]
    assert "<b>2</b> requests" in refused["unknown_service"]
    assert "No service has this vanity URL in this company." in refused["unknown_service"]
    (address,) = re.findall(r'href="([^"]*reason=[^"]*)"', refused["unknown_service"])
    assert integration.http.get(address).text.count("/v1/acme/nowhere") >= 2
    assert 'href="/_sandbox/?open=3"' in refused["unknown_service"]


def test_violations_of_the_contract_are_grouped_by_rule(integration: Integration) -> None:
    for _ in range(10):
        integration.http.get("/nothing", headers={"Accept": "application/json"})

    violations = found(integration.http.get(PAGE).text, "violations")

    assert "<b>10</b> requests" in violations["undocumented_path"]
    assert "and 2 more" in violations["undocumented_path"]
    assert "without a trailing slash" in violations["undocumented_path"]
    (address,) = re.findall(r'href="([^"]*violation=[^"]*)"', violations["undocumented_path"])
    integration.post()
    listed = integration.http.get(address).text
    assert listed.count('class="row"') == 10
    assert "/v1/acme/anything" not in listed.partition('data-region="rows"')[2].partition("</ol>")[0]


def test_violation_that_no_rule_has_is_refused_and_filters_nothing(integration: Integration) -> None:
    integration.post()

    html = integration.http.get("/_sandbox/?violation=%3Cb%3E").text

    assert "&#39;&lt;b&gt;&#39; is not allowed; use malformed_http, " in html
    assert html.count('class="row"') == 2


def test_payloads_stored_more_than_once_are_shown(integration: Integration) -> None:
    token = integration.token()
    for order in ("1001", "1001", "1002", "<b>", "<b>", "<b>"):
        integration.post({"order": order}, token=token)

    html = integration.http.get(PAGE).text

    stored = html.partition('id="stored">')[2]
    assert re.findall(r"<b>(\d+)</b> times", stored) == ["3", "2"]
    assert "&lt;b&gt;" in stored
    assert "2 payloads" in stored


def test_nothing_is_found_where_nothing_came(integration: Integration) -> None:
    html = integration.http.get(PAGE).text

    assert [text in html for text in ("There are no requests yet", "No request was refused")] == [True, True]


def test_page_looks_at_a_window_and_leads_to_the_one_before(
    integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.web.dashboard.findings.SEARCHED", 3)
    for _ in range(5):
        integration.http.get("/nothing")

    newest = integration.http.get(PAGE).text
    older = integration.http.get(f"{PAGE}?before=3").text

    assert "the newest 3 requests" in newest
    assert 'href="?before=3"' in newest
    assert "the requests 1 to 2" in older
    assert [integration.http.get(f"{PAGE}?before={odd}").status_code for odd in ("x", "0", "9" * 30, "-1")] == [200] * 4


@pytest.mark.parametrize("path", ["/dashboard/findings", "/dashboard/faults/new?fault.kind=hang&match.json_path=$.a"])
def test_page_costs_the_same_however_many_requests_there_are(
    integration: Integration, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.web.dashboard.findings.SEARCHED", 100)
    monkeypatch.setattr("sandbox.web.dashboard.rules.SEARCHED", 100)

    def look() -> None:
        assert integration.http.get(f"/_sandbox{path}").status_code == 200

    fill(integration.sandbox, 200)
    look()
    few = calls_of(look)
    fill(integration.sandbox, 4_000)

    assert calls_of(look) - few < 2_000


def test_list_exports_what_its_filters_leave(integration: Integration) -> None:
    token = integration.token()
    integration.post({"order": 1}, "/v1/acme/nowhere", token)
    integration.post({"order": 1}, token=token)
    query = {"outcome": "rejected", "service": "acme/nowhere", "since": "2020-01-01T00:00", "text": "nowhere"}

    html = integration.http.get("/_sandbox/", query_string=query).text

    address = next(unescape(link) for link in re.findall(r'href="([^"]*)"', html) if "format=ndjson" in link)
    lines = integration.http.get(address).text.splitlines()
    assert [json.loads(line)["path"] for line in lines] == ["/v1/acme/nowhere"]
    assert "but for the text" in html
