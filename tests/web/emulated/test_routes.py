"""Addresses and methods: what is found, what is not, and how it is said (WIRE D)."""

from __future__ import annotations

import json

import pytest
from werkzeug.test import Client

from tests.web.emulated.sending import bearer, last_entry, send


def pretty(text):
    return json.dumps({"message": text}, indent=4).encode()


def assert_plain_error(response, status, body):
    """Check a whole error of no throttled route: only these headers, and no X-RateLimit pair among them."""
    names = set(dict(response.headers)) - {"Content-Length", "Date", "Allow"}
    assert (response.status_code, response.data) == (status, body)
    assert names == {"Content-Type", "Cache-Control"}
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-cache, private"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", "/"),
        ("/nope", "nope"),
        ("/nope/", "nope"),
        ("/api/nope", "api/nope"),
        ("/oauth", "oauth"),
        ("/oauth/token/x", "oauth/token/x"),
        ("/OAuth/Token", "OAuth/Token"),
        ("/v1", "v1"),
        ("/v1/acme", "v1/acme"),
        ("/v1/acme/", "v1/acme"),
        ("/v1/acme/orders/1", "v1/acme/orders/1"),
        ("/v1/acme/or%2Fders", "v1/acme/or%2Fders"),
        ("/v1//acme/orders", "v1//acme/orders"),
        ("/v1/acme//orders", "v1/acme//orders"),
        ("/a%20b/%c3%a9", "a%20b/%c3%a9"),
        ("/é", "\u00e9"),
        ("/%FF", "%FF"),
        ("/_sandboxes", "_sandboxes"),
        ("/nope?a=/b", "nope"),
    ],
)
def test_unknown_route_is_named_as_it_was_sent_in_modern_and_not_in_legacy(both, profile, path, shown):
    response = send(both, "POST", path)

    assert_plain_error(response, 404, pretty(f"The route {shown} could not be found." if profile == "modern" else ""))
    assert last_entry(both).reason == "unknown_route"
    assert (last_entry(both).kind, last_entry(both).outcome) == ("other", "rejected")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "FOO"])
def test_unknown_route_is_unknown_with_every_method(both, method):
    assert send(both, method, "/nope").status_code == 404


@pytest.mark.parametrize(("path", "kind"), [("/v1/acme/anything", "inbound"), ("/oauth/token", "token")])
def test_slashes_before_the_path_are_ignored_in_legacy_only(make_integration, path, kind):
    """Sent by a client that holds nothing against the document, since it would overlook the slashes."""
    found = {}
    for name in ("modern", "legacy"):
        integration = make_integration(wire_profile=name)
        response = Client(integration.http.application).post(
            path,
            data=integration.credentials(),
            headers=dict([bearer(integration.token())]),
            environ_overrides={"PATH_INFO": f"/{path}", "REQUEST_URI": f"/{path}"},
        )
        entry = last_entry(integration)
        found[name] = response.status_code, entry.kind, entry.reason

    assert found == {"modern": (404, "other", "unknown_route"), "legacy": (200, kind, None)}


@pytest.mark.parametrize(
    "path", ["/v1/acme/anything/", "/v1/acme/anything//", "/v1/acme/%61nything", "/%761/acme/anything"]
)
def test_same_address_written_otherwise_is_the_same_address(both, path):
    response = send(both, "POST", path, [bearer(both.token())], b"x")

    assert response.status_code == 200
    assert last_entry(both).vanity_url == "anything"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v1/acme/nope", "v1/acme/nope"),
        ("/v1/nobody/orders", "v1/nobody/orders"),
        ("/v1/ACME/orders", "v1/ACME/orders"),
        ("/v1/acme/Orders/", "v1/acme/Orders"),
        ("/v1/acme/%C3%A9", "v1/acme/%C3%A9"),
        ("/v1/acme/%ff", "v1/acme/%ff"),
        ("/v1/acme/a%0Ab", "v1/acme/a%0Ab"),
    ],
)
def test_unknown_company_or_vanity_url_is_answered_like_an_unknown_route(both, profile, path, shown):
    """Only the throttle's headers tell them apart: this route exists, so the request was counted."""
    response = send(both, "POST", path, [bearer(both.token())], b"x")

    text = f"The route {shown} could not be found." if profile == "modern" else ""
    assert (response.status_code, response.data) == (404, pretty(text))
    assert response.headers["X-RateLimit-Remaining"] == "59"
    assert last_entry(both).reason.startswith("unknown_service: ")
    assert last_entry(both).kind == "inbound"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/acme/orders"),
        ("GET", "/v1/a/b"),
        ("PUT", "/v1/a%20b/c/"),
        ("PATCH", "/v1/acme/orders"),
        ("DELETE", "/v1/acme/orders"),
        ("TRACE", "/v1/acme/orders"),
        ("FOO", "/v1/acme/orders"),
    ],
)
def test_inbound_url_allows_post_only(both, profile, method, path):
    route = f"route {path.strip('/')}" if profile == "modern" else "this route"

    response = send(both, method, path)

    text = f"The {method} method is not supported for {route}. Supported methods: POST."
    assert_plain_error(response, 405, pretty(text))
    assert response.headers["Allow"] == "POST"
    assert last_entry(both).reason == f"method_not_allowed: {method}"


def test_head_of_an_inbound_url_is_not_allowed_and_has_no_body(both):
    length = len(send(both, "GET", "/v1/acme/orders").data) + len("HEAD") - len("GET")

    response = send(both, "HEAD", "/v1/acme/orders")

    assert (response.status_code, response.data) == (405, b"")
    assert response.headers["Allow"] == "POST"
    assert response.headers.getlist("Content-Length") == [str(length)]
    assert last_entry(both).method == "HEAD"


def test_head_of_an_unknown_route_has_no_body(both):
    response = send(both, "HEAD", "/nope")

    assert (response.status_code, response.data) == (404, b"")


@pytest.mark.parametrize(
    ("methods", "allowed"),
    [
        (["GET", "POST"], ["GET", "HEAD", "POST"]),
        (["POST", "GET"], ["GET", "HEAD", "POST"]),
        (["POST"], ["POST"]),
        (["GET"], ["GET", "HEAD"]),
    ],
    ids=["both", "the-other-way-round", "post-only", "get-only"],
)
def test_token_endpoint_allows_the_methods_of_its_setting(make_integration, profile, methods, allowed):
    integration = make_integration(wire_profile=profile, token_methods=methods)
    route = "route oauth/token" if profile == "modern" else "this route"
    listed = ", ".join(allowed)

    responses = {method: send(integration, method, "/oauth/token") for method in ("GET", "HEAD", "POST", "PUT")}

    assert [method for method, response in responses.items() if response.status_code == 400] == allowed
    for method in responses.keys() - set(allowed):
        text = f"The {method} method is not supported for {route}. Supported methods: {listed}."
        assert_plain_error(responses[method], 405, b"" if method == "HEAD" else pretty(text))
        assert responses[method].headers["Allow"] == listed


@pytest.mark.parametrize(("path", "allowed"), [("/v1/acme/orders", "POST"), ("/oauth/token", "GET,HEAD,POST")])
def test_options_tells_the_methods_of_an_address(both, path, allowed):
    """As the framework's router does by itself, joined without blanks; nothing is counted."""
    response = send(both, "OPTIONS", path)

    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Allow"] == allowed
    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert "X-RateLimit-Limit" not in response.headers
    assert last_entry(both).reason.startswith("options: ")


def test_options_of_an_unknown_route_is_not_found(both):
    assert send(both, "OPTIONS", "/nope").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/acme/orders"), ("POST", "/oauth/token"), ("POST", "/nope"), ("DELETE", "/nope")]
)
def test_too_large_a_body_is_refused_before_the_route_is_looked_up(make_integration, profile, method, path):
    integration = make_integration(wire_profile=profile, body_limit=10)

    response = send(integration, method, path, [], b"x" * 11)

    assert (response.status_code, response.data) == (
        413,
        pretty("The POST data is too large." if profile == "modern" else ""),
    )
    assert "X-RateLimit-Limit" not in response.headers
    assert last_entry(integration).reason == "payload_too_large: 11 bytes, the limit is 10"


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/v1/acme/anything", {}, b"x"),
        ("/v1/acme/nowhere", {}, b"x"),
        ("/v1/acme/anything", {}, b""),
        ("/v1/acme/orders", {}, b"{}"),
        ("/v1/acme/orders", {"Authorization": "Bearer wrong"}, b"{}"),
        ("/oauth/token", {"Content-Type": "application/json"}, b"{"),
        ("/oauth/token", {"Content-Type": "application/json"}, b'{"grant_type":"client_credentials"}'),
    ],
    ids=["accepted", "unknown service", "blank", "mismatch", "bad token", "bad JSON", "no client"],
)
def test_routed_request_is_answered_as_one_that_needs_no_routing(both, path, headers, body):
    """A slash at the end of the path is what sends a request through the application's routing."""
    headers = {"Authorization": f"Bearer {both.token()}", "Accept": "application/json", **headers}
    straight = send(both, "POST", path, list(headers.items()), body)
    routed = send(both, "POST", f"{path}/", list(headers.items()), body)

    assert (routed.status_code, routed.data) == (straight.status_code, straight.data)
    assert _lasting(routed) == _lasting(straight)


def _lasting(response):
    """The headers that neither the time nor the number of requests before changes."""
    return [field for field in response.headers if field[0] not in ("Date", "X-RateLimit-Remaining")]
