"""The setting ``inbound_auth``: payloads with HTTP Basic, which the vendor announces (FACTS 1.7)."""

from __future__ import annotations

import pytest

from tests.web.emulated.sending import basic, bearer, last_entry, send

URL = "/v1/acme/anything"
STORED = b'{"message":"Payload stored successfully."}'
UNAUTHENTICATED = b'{"message":"Unauthenticated."}'


def good(integration):
    return basic(f"{integration.client_id}:{integration.client_secret}")


def test_basic_is_off_by_default(both):
    response = send(both, "POST", URL, [good(both)], b"x")

    assert (response.status_code, response.data) == (401, UNAUTHENTICATED)
    assert "inbound_auth" in last_entry(both).reason


@pytest.mark.parametrize(
    ("setting", "by_basic", "by_token"), [("basic", 200, 401), ("both", 200, 200), ("bearer", 401, 200)]
)
def test_basic_counts_where_it_is_set_so(make_integration, profile, setting, by_basic, by_token):
    integration = make_integration(wire_profile=profile, inbound_auth=setting)

    statuses = [
        send(integration, "POST", URL, [header], b"x").status_code
        for header in (good(integration), bearer(integration.token()))
    ]

    assert statuses == [by_basic, by_token]


def test_payload_by_basic_is_stored_for_its_client(make_integration, profile):
    integration = make_integration(wire_profile=profile, inbound_auth="basic")

    response = send(integration, "POST", URL, [good(integration)], b"x")

    assert (response.status_code, response.data) == (200, STORED)
    entry = last_entry(integration)
    assert (entry.client_id, entry.accepted, entry.token) == (integration.client_id, True, None)
    assert good(integration)[1].partition(" ")[2] not in str(entry.headers)


@pytest.mark.parametrize("setting", ["basic", "both"])
@pytest.mark.parametrize(
    ("credentials", "reason"),
    [
        ("{client_id}:wrong", "wrong_credentials: HTTP Basic, wrong secret"),
        ("{client_id}:", "wrong_credentials: HTTP Basic, wrong secret"),
        ("nobody:{client_secret}", "wrong_credentials: HTTP Basic, no such OAuth client"),
        ("{client_id}", "no_credentials: HTTP Basic is there, but has no colon between id and secret"),
        (b"\xff:\xff", "wrong_credentials: HTTP Basic, no such OAuth client"),
    ],
)
def test_bad_basic_is_unauthenticated_like_a_bad_token(make_integration, setting, credentials, reason):
    integration = make_integration(inbound_auth=setting)
    if isinstance(credentials, str):
        credentials = credentials.format(client_id=integration.client_id, client_secret=integration.client_secret)

    response = send(integration, "POST", URL, [basic(credentials)], b"x")

    assert (response.status_code, response.data) == (401, UNAUTHENTICATED)
    assert "WWW-Authenticate" not in response.headers
    assert response.headers["X-RateLimit-Remaining"] == "59"
    assert last_entry(integration).reason == reason


@pytest.mark.parametrize("authorization", [None, "", "Basic", "Basic %%%", "Bearer x"])
def test_request_without_basic_is_unauthenticated_where_only_basic_counts(make_integration, authorization):
    integration = make_integration(inbound_auth="basic")
    headers = [] if authorization is None else [("Authorization", authorization)]

    response = send(integration, "POST", URL, headers, b"x")

    assert (response.status_code, response.data) == (401, UNAUTHENTICATED)
    assert last_entry(integration).reason.startswith("no_credentials: ")


def test_client_of_another_connector_is_forbidden(make_integration):
    integration = make_integration(inbound_auth="basic")
    store = integration.sandbox.store
    new = store.add_client(store.add_connector("acme", "Other").id, "Stranger")

    response = send(integration, "POST", URL, [basic(f"{new.client.id}:{new.secret}")], b"x")

    assert response.status_code == 403
    assert last_entry(integration).reason.startswith("other_connector: ")


def test_client_has_a_window_of_its_own(make_integration):
    integration = make_integration(inbound_auth="both", rate_limit=True, rate_limit_requests=1)

    statuses = [
        send(integration, "POST", URL, [header], b"x").status_code
        for header in (good(integration), good(integration), bearer(integration.token()))
    ]

    assert statuses == [200, 429, 429]


@pytest.mark.parametrize("kind", ["expired_token", "revoked_token", "rotated_key"])
def test_fault_of_tokens_refuses_basic_too(make_integration, kind):
    integration = make_integration(inbound_auth="basic")
    integration.control("POST", "/faults", {"fault": {"kind": kind}, "match": {"endpoint": "inbound"}, "times": 1})

    statuses = [send(integration, "POST", URL, [good(integration)], b"x").status_code for _ in range(2)]

    assert statuses == [401, 200]


def test_unknown_address_comes_before_basic_in_the_frameworks_order(make_integration):
    integration = make_integration(inbound_auth="basic", check_order="framework")

    assert send(integration, "POST", "/v1/acme/nothing", [basic("a:b")], b"x").status_code == 404
    assert send(integration, "POST", "/v1/acme/nothing", [good(integration)], b"x").status_code == 404
