"""The journal over HTTP: listing, filters, cursor, one entry, its body."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from werkzeug.test import Client

from sandbox.web.app import SandboxApp
from tests.conftest import ORDER, Integration
from tests.web.control.problem import detail

NOON = "2026-11-23T12:00:00.000000Z"


def listed(integration: Integration, **query: Any) -> list[Any]:
    response = integration.control("GET", "/requests", **query)
    assert response.status_code == 200, response.text
    entries: list[Any] = response.get_json()["entries"]
    return entries


@pytest.fixture
def used(integration: Integration) -> Integration:
    """Seq 1: token · 2: accepted · 3: 422 · 4: 401, an hour later · 5: 404."""
    integration.control("PUT", "/clock", {"now": NOON, "frozen": True})
    token = integration.token()
    integration.post({"order": "1001", "lines": [{"sku": "TEA-01"}]}, token=token)
    integration.post(b'{"nothing": "of it"}', "/v1/acme/orders", token)
    integration.control("POST", "/clock/advance", {"seconds": 3600})
    integration.post(b"x", "/v1/beta/orders", "nonsense")
    integration.http.get("/favicon.ico")
    return integration


def test_entry_tells_all_there_is_to_know(integration: Integration) -> None:
    integration.control("PUT", "/clock", {"now": NOON, "frozen": True})
    token = integration.token()
    integration.http.post(
        "/v1/acme/anything?a=1&client_secret=hush",
        data=b'{"order": "1001"}',
        headers={"Authorization": f"Bearer {token}", "X-Shop": "web"},
        content_type="application/json",
    )

    entry = listed(integration, kind="inbound")[0]

    assert (
        entry
        | {
            "id": f"{integration.sandbox.journal.id}-2",
            "seq": 2,
            "kind": "inbound",
            "received_at": NOON,
            "method": "POST",
            "path": "/v1/acme/anything",
            "body_size": 17,
            "body": '{"order": "1001"}',
            "body_encoding": "utf-8",
            "json": {"order": "1001"},
            "client_id": integration.client_id,
            "company": "acme",
            "vanity_url": "anything",
            "outcome": "accepted",
            "reason": None,
            "status": 200,
            "fault": None,
            "response_body": '{"message":"Payload stored successfully."}',
        }
        == entry
    )
    assert "hush" not in entry["query"]
    headers = {header["name"].lower(): header["value"] for header in entry["headers"]}
    assert headers["x-shop"] == "web"
    assert headers["authorization"].startswith("Bearer sha256:")
    assert {"name": "Content-Type", "value": "application/json"} in entry["response_headers"]


def test_reason_tells_what_the_wire_does_not(used: Integration) -> None:
    reasons = {entry["seq"]: entry["reason"] for entry in listed(used)}

    assert reasons[2] is None
    assert reasons[3].startswith("entity_mismatch: ")
    assert reasons[4].startswith("malformed_token: ")
    assert reasons[5] == "unknown_route"


@pytest.mark.parametrize(
    ("query", "seqs"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"kind": "token"}, [1]),
        ({"kind": "inbound"}, [2, 3, 4]),
        ({"kind": "other"}, [5]),
        ({"company": "beta"}, [4]),
        ({"vanity_url": "orders"}, [3, 4]),
        ({"client_id": "9d3c6f0e-4b7a-4c59-8f21-5e0a1b2c3d4e"}, [1, 2, 3]),
        ({"outcome": "accepted"}, [1, 2]),
        ({"outcome": "rejected"}, [3, 4, 5]),
        ({"outcome": "faulted"}, []),
        ({"status": "422"}, [3]),
        ({"since": "2026-11-23T13:00:00Z"}, [4, 5]),
        ({"until": NOON}, [1, 2, 3]),
        ({"since": "2026-11-23T13:00:00.000001Z"}, []),
        ({"json_path": "$.lines[?@.sku=='TEA-01']"}, [2]),
        ({"kind": "inbound", "outcome": "rejected", "company": "acme"}, [3]),
        ({"after": "3"}, [4, 5]),
        ({"after": "5"}, []),
        ({"after": "99"}, []),
    ],
    ids=lambda value: "&".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else None,
)
def test_filters_choose_entries(used: Integration, query: dict[str, str], seqs: list[int]) -> None:
    assert [entry["seq"] for entry in listed(used, **query)] == seqs


@pytest.mark.parametrize(
    "since", ["2026-11-23T14:00:00+01:00", "2026-11-23 14:00:00+01:00", "2026-11-23T14:00:00%2B01:00"]
)
def test_instant_with_a_plus_needs_no_escaping(used: Integration, since: str) -> None:
    response = used.http.get(f"/_sandbox/requests?since={since}")

    assert [entry["seq"] for entry in response.get_json()["entries"]] == [4, 5]


def test_cursor_leads_to_the_end(used: Integration) -> None:
    pages, after = [], 0
    while after is not None:
        page = used.control("GET", "/requests", limit=2, after=after).get_json()
        pages.append([entry["seq"] for entry in page["entries"]])
        after = page["next_after"]

    assert pages == [[1, 2], [3, 4], [5]]


def test_id_of_an_entry_is_a_cursor_too(used: Integration) -> None:
    last = listed(used)[-2]["id"]

    assert [entry["seq"] for entry in listed(used, after=last)] == [5]


def test_cursor_from_before_a_reset_misses_nothing(used: Integration) -> None:
    last = listed(used)[-1]["id"]
    used.control("POST", "/reset")
    used.token()

    assert [entry["seq"] for entry in listed(used, after=last)] == [1]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [({"limit": 2}, [4, 5]), ({"limit": 2, "after": 4}, [5]), ({"limit": 9, "kind": "token"}, [1])],
    ids=str,
)
def test_newest_requests_are_listed_oldest_first(used: Integration, query: dict[str, Any], numbers: list[int]) -> None:
    page = used.control("GET", "/requests", newest="true", **query).json

    assert [entry["seq"] for entry in page["entries"]] == numbers
    assert page["next_after"] is None


def test_page_is_full_when_just_as_many_are_left(used: Integration) -> None:
    page = used.control("GET", "/requests", limit=5).get_json()

    assert (len(page["entries"]), page["next_after"]) == (5, None)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("kind=orders", "query.kind: 'orders' is not allowed; use one of token, inbound, login, start"),
        ("outcome=lost", "query.outcome: 'lost' is not allowed; use one of accepted, rejected, faulted"),
        ("status=99", "query.status: '99' is not allowed; use a number from 100 to 599"),
        ("status=ok", "query.status: 'ok' is not allowed; use a whole number"),
        ("limit=0", "query.limit: '0' is not allowed; use a number from 1 to 1000"),
        ("limit=1001", "query.limit: '1001' is not allowed; use a number from 1 to 1000"),
        ("limit=many", "query.limit: 'many' is not allowed; use a whole number"),
        ("after=abc", "query.after: 'abc' is not allowed; use the seq or id of an entry"),
        ("after=-1", "query.after: '-1' is not allowed; use the seq or id of an entry"),
        ("since=yesterday", "query.since: 'yesterday' is not allowed; use a time with a zone"),
        ("until=2026-11-23", "query.until: '2026-11-23' is not allowed; use a time with a zone"),
        ("json_path=$[", "query.json_path: '$[' is not allowed; use an RFC 9535 JSONPath"),
        ("vanity=orders", "query.vanity: unknown; did you mean 'vanity_url'? known: "),
        ("kind=token&kind=inbound", "query.kind: given more than once; give it once"),
    ],
)  # fmt: skip
def test_bad_filter_is_refused_with_what_is_allowed(integration: Integration, query: str, told: str) -> None:
    assert told in detail(integration.http.get(f"/_sandbox/requests?{query}"), 422)


def test_large_body_is_left_out_of_the_listing_but_there_by_id(integration: Integration) -> None:
    body = b'{"a": "' + b"x" * 70_000 + b'"}'
    integration.post(body)

    entry = listed(integration, kind="inbound")[0]
    whole = integration.control("GET", f"/requests/{entry['id']}").get_json()

    assert (entry["body"], entry["json"], entry["body_size"]) == (None, None, len(body))
    assert (whole["body"], whole["json"]) == (body.decode(), {"a": "x" * 70_000})


def test_body_that_is_not_text_is_in_base64(integration: Integration) -> None:
    body = bytes(range(256))
    integration.post(body)

    entry = listed(integration, kind="inbound")[0]

    assert (entry["body_encoding"], base64.b64decode(entry["body"]), entry["json"]) == ("base64", body, None)


@pytest.mark.parametrize(
    "body",
    [b'{"a":1, "a":2,\r\n "\xc3\xa9": 1.10 }\n', bytes(range(256)), b"\xef\xbb\xbf{}", b"<script>x</script>"],
    ids=["JSON", "binary", "BOM", "HTML"],
)
def test_body_comes_back_byte_for_byte(integration: Integration, body: bytes) -> None:
    integration.post(body)

    response = integration.control("GET", "/requests/2/body")

    assert response.data == body
    assert response.content_type == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"].startswith("attachment")


def test_empty_body_comes_back_empty(integration: Integration) -> None:
    integration.http.get("/nowhere")

    response = Client(SandboxApp(integration.sandbox)).get("/_sandbox/requests/1/body")
    assert (response.status_code, response.data) == (200, b"")


def test_entry_is_found_by_sequence_number_too(used: Integration) -> None:
    by_id = used.control("GET", f"/requests/{used.sandbox.journal.id}-3").get_json()

    assert used.control("GET", "/requests/3").get_json() == by_id
    assert by_id["seq"] == 3


@pytest.mark.parametrize("entry_id", ["0", "6", "-1", "x", "other-3", "99999999999999999999999", "%2e%2e", "3%00", "٣"])
@pytest.mark.parametrize("suffix", ["", "/body"])
def test_unknown_entry_is_not_found(used: Integration, entry_id: str, suffix: str) -> None:
    told = detail(used.http.get(f"/_sandbox/requests/{entry_id}{suffix}"), 404)

    assert told.startswith(("there is no journal entry ", "there is nothing at "))


def test_emptied_journal_goes_on_counting(used: Integration) -> None:
    response = used.control("DELETE", "/requests")
    used.token()

    assert response.get_json() == {"deleted": 5}
    assert [entry["seq"] for entry in listed(used)] == [6]


def test_filter_does_not_go_unheard_when_deleting(used: Integration) -> None:
    response = used.http.delete("/_sandbox/requests?kind=token")

    assert detail(response, 422) == "query.kind: unknown; DELETE /_sandbox/requests takes no query parameters"
    assert len(listed(used)) == 5


def test_dropped_entries_are_counted(integration: Integration) -> None:
    integration.control("PATCH", "/settings", {"journal_entries": 2})
    for _ in range(5):
        integration.http.get("/nowhere")

    page = integration.control("GET", "/requests").get_json()
    assert ([entry["seq"] for entry in page["entries"]], page["dropped"]) == ([4, 5], 3)


def test_control_requests_are_not_in_the_journal(integration: Integration) -> None:
    for path in ("/health", "/requests", "/nowhere", ""):
        integration.control("GET", path)

    assert listed(integration) == []


def test_order_of_the_demo_is_listed_as_it_was_sent(integration: Integration) -> None:
    integration.post(ORDER)

    assert listed(integration, outcome="accepted", kind="inbound")[0]["json"] == ORDER
