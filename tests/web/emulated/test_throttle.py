"""The rate limit: a fixed window on the sandbox clock, off unless switched on (WIRE D, FACTS 1.15)."""

from __future__ import annotations

import pytest

from tests.web.emulated.sending import FORM, basic, bearer, last_entry, send

URL = "/v1/acme/anything"
NOW = 1_795_456_800
TOO_MANY = b'{\n    "message": "Too Many Attempts."\n}'


@pytest.fixture
def make_throttled(make_integration, profile):
    """Make integrations with the limit on and a clock that stands still on a whole second."""

    def make(**settings):
        integration = make_integration(wire_profile=profile, rate_limit=True, **settings)
        integration.sandbox.clock.change(now="2026-11-23T18:00:00Z", frozen=True)
        return integration

    return make


def remaining(response):
    return int(response.headers["X-RateLimit-Remaining"])


def second_client(integration):
    connector = integration.sandbox.store.connectors()[0]
    new = integration.sandbox.store.add_client(connector.id, "Second client")
    return {"client_id": new.client.id, "client_secret": new.secret}


def test_limit_is_off_by_default_and_the_headers_stand_still(both):
    access_token = both.token()

    responses = [both.post(token=access_token) for _ in range(70)]

    assert {response.status_code for response in responses} == {200}
    assert {response.headers["X-RateLimit-Limit"] for response in responses} == {"60"}
    assert {remaining(response) for response in responses} == {59}


def test_sixty_requests_pass_and_the_next_is_refused(make_throttled):
    integration = make_throttled()

    passed = [integration.request_token() for _ in range(60)]
    refused = integration.request_token()

    assert [remaining(response) for response in passed] == list(range(59, -1, -1))
    assert {response.status_code for response in passed} == {200}
    assert not any("Retry-After" in response.headers or "X-RateLimit-Reset" in response.headers for response in passed)
    headers = [item for item in refused.headers.items() if item[0] not in ("Content-Length", "Date")]
    assert (refused.status_code, refused.data) == (429, TOO_MANY)
    assert sorted(headers) == [
        ("Cache-Control", "no-cache, private"),
        ("Content-Type", "application/json"),
        ("Retry-After", "60"),
        ("X-RateLimit-Limit", "60"),
        ("X-RateLimit-Remaining", "0"),
        ("X-RateLimit-Reset", str(NOW + 60)),
    ]
    assert last_entry(integration).reason == "rate_limited: the window opens again in 60 s"
    assert last_entry(integration).client_id == integration.client_id


def test_refused_requests_neither_count_nor_extend_the_window(make_throttled):
    integration = make_throttled(rate_limit_requests=1)
    integration.request_token()

    integration.sandbox.clock.advance(30)
    refused = [integration.request_token() for _ in range(3)]
    integration.sandbox.clock.advance(30)
    opened = integration.request_token()

    assert [response.status_code for response in refused] == [429, 429, 429]
    assert {response.headers["Retry-After"] for response in refused} == {"30"}
    assert {response.headers["X-RateLimit-Reset"] for response in refused} == {str(NOW + 60)}
    assert (opened.status_code, remaining(opened)) == (200, 0)


def test_window_stays_shut_until_its_last_second_is_over(make_throttled):
    integration = make_throttled(rate_limit_requests=1)
    integration.request_token()

    integration.sandbox.clock.advance(59)
    refused = integration.request_token()
    integration.sandbox.clock.advance(1)

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert integration.request_token().status_code == 200


def test_window_starts_with_its_first_request(make_throttled):
    integration = make_throttled(rate_limit_requests=2)
    integration.sandbox.clock.advance(50)
    integration.request_token()
    integration.sandbox.clock.advance(50)
    integration.request_token()

    assert integration.request_token().headers["Retry-After"] == "10"


@pytest.mark.parametrize(("counters", "expected"), [("separate", [1, 200]), ("shared", [0, 429])])
def test_token_endpoint_and_inbound_urls_count_apart_or_together_as_set(make_throttled, counters, expected):
    integration = make_throttled(rate_limit_requests=2, rate_limit_counters=counters)
    access_token = integration.token()

    left = [remaining(integration.post(token=access_token)), integration.post(token=access_token).status_code]

    assert left == expected


def test_token_endpoint_and_inbound_urls_count_apart_by_default(make_throttled):
    integration = make_throttled(rate_limit_requests=2)

    assert remaining(integration.post(token=integration.token())) == 1


def test_every_answer_of_a_throttled_route_carries_the_headers(make_throttled):
    integration = make_throttled()
    access_token = integration.token()
    requests = [
        send(integration, "POST", "/oauth/token"),
        send(integration, "POST", "/oauth/token", [("Content-Type", "application/json")], b"{"),
        integration.request_token(client_secret="wrong"),
        integration.request_token(scope="bogus"),
        send(integration, "POST", URL),
        integration.post(b"", token=access_token),
        integration.post(token=access_token, path="/v1/acme/nothing"),
        integration.post(token=access_token),
    ]

    assert [response.status_code for response in requests] == [400, 400, 401, 400, 401, 422, 404, 200]
    assert all("X-RateLimit-Limit" in response.headers for response in requests)
    assert all("X-RateLimit-Remaining" in response.headers for response in requests)


def test_what_never_reaches_a_throttled_route_does_not_count(make_throttled):
    integration = make_throttled(rate_limit_requests=1, body_limit=200)
    for method, path, body in (
        ("GET", "/nope", b""),
        ("DELETE", "/oauth/token", b""),
        ("OPTIONS", "/oauth/token", b""),
        ("POST", "/oauth/token", b"x" * 201),
    ):
        assert "X-RateLimit-Limit" not in send(integration, method, path, [], body).headers

    assert integration.request_token().status_code == 200


def test_unreadable_json_counts(make_throttled):
    integration = make_throttled(rate_limit_requests=1)
    headers = [("Content-Type", "application/json"), basic(f"{integration.client_id}:x")]

    assert send(integration, "POST", "/oauth/token", headers, b"{").status_code == 400
    assert integration.request_token().status_code == 429


def test_each_client_has_a_window_of_its_own(make_throttled):
    integration = make_throttled(rate_limit_requests=1)
    other = second_client(integration)

    assert integration.request_token().status_code == 200
    assert integration.request_token().status_code == 429
    assert integration.request_token(**other).status_code == 200


def test_tokens_of_a_client_share_its_window_from_their_first_use(make_throttled):
    integration = make_throttled(rate_limit_requests=3)
    tokens = [integration.token(), integration.token()]

    assert [integration.post(token=token).status_code for token in tokens] == [200, 200]
    assert remaining(integration.post(token=tokens[0])) == 0
    assert integration.post(token=tokens[1]).status_code == 429


def test_expired_token_counts_for_its_client(make_throttled):
    integration = make_throttled(rate_limit_requests=2, token_lifetime=60)
    access_token = integration.token()
    integration.sandbox.clock.advance(60)

    statuses = [integration.post(token=access_token).status_code for _ in range(3)]

    assert statuses == [401, 401, 429]
    assert send(integration, "POST", URL).status_code == 401


def test_where_there_is_no_client_the_address_has_the_window(make_throttled):
    integration = make_throttled(rate_limit_requests=1)

    assert send(integration, "POST", URL).status_code == 401
    assert send(integration, "POST", URL, [bearer("garbage")]).status_code == 429
    assert integration.request_token().status_code == 200


def test_address_is_the_only_key_when_set_so(make_throttled):
    integration = make_throttled(rate_limit_requests=1, rate_limit_key="ip")
    other = second_client(integration)

    elsewhere = integration.http.post(
        "/oauth/token", data=integration.credentials(), environ_overrides={"REMOTE_ADDR": "192.0.2.1"}
    )

    assert elsewhere.status_code == 200
    assert integration.request_token().status_code == 200
    assert integration.request_token(**other).status_code == 429
    assert send(integration, "POST", "/oauth/token", [FORM]).status_code == 429


def test_limit_and_window_are_settings(make_throttled):
    integration = make_throttled(rate_limit_requests=5, rate_limit_window=10)

    first = integration.request_token()
    for _ in range(4):
        integration.request_token()
    refused = integration.request_token()

    assert (first.headers["X-RateLimit-Limit"], remaining(first)) == ("5", 4)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")


def test_limit_of_a_switched_off_throttle_is_told_all_the_same(make_integration, profile):
    response = make_integration(wire_profile=profile, rate_limit_requests=7).request_token()

    assert (response.headers["X-RateLimit-Limit"], remaining(response)) == ("7", 6)


def test_reset_opens_every_window(make_throttled):
    integration = make_throttled(rate_limit_requests=1)
    integration.request_token()

    integration.sandbox.reset()

    assert integration.request_token().status_code == 200
