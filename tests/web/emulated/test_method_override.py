"""A POST that asks for another method is taken for it, by header, body and query (WIRE E)."""

from __future__ import annotations

import json

import pytest
from werkzeug.test import Client

from tests.web.emulated.sending import FORM, JSON, bearer, last_entry, send

URL = "/v1/acme/anything"
STORED = b'{"message":"Payload stored successfully."}'
OVERRIDE = "X-HTTP-Method-Override"
PART = '--b\r\nContent-Disposition: form-data; name="_method"\r\n\r\nput\r\n--b--'


def pretty(text):
    return json.dumps({"message": text}, indent=4).encode()


def not_supported(method, profile, route, allowed):
    shown = f"route {route}" if profile == "modern" else "this route"
    return pretty(f"The {method} method is not supported for {shown}. Supported methods: {allowed}.")


def post(integration, headers=(), body="x", query=""):
    return send(integration, "POST", f"{URL}{query}", [bearer(integration.token()), *headers], body)


@pytest.mark.parametrize("method", ["PUT", "put", "Delete", "GET", "head", "PATCH", "FOO"])
@pytest.mark.parametrize(
    "place", [OVERRIDE, OVERRIDE.lower(), OVERRIDE.upper(), "json", "form", "query"], ids=lambda place: place
)
def test_other_method_is_not_allowed_at_an_inbound_url(both, profile, place, method):
    match place:
        case "json":
            response = post(both, [JSON], json.dumps({"a": 1, "_method": f" {method}\n"}))
        case "form":
            response = post(both, [FORM], f"a=1&_method={method}")
        case "query":
            response = post(both, query=f"?_method={method}")
        case _:
            response = post(both, [(place, method)])

    wanted = not_supported(method.upper(), profile, URL.strip("/"), "POST")
    assert (response.status_code, response.data) == (405, wanted)
    assert response.headers["Allow"] == "POST"
    assert "X-RateLimit-Limit" not in response.headers
    entry = last_entry(both)
    assert (entry.method, entry.outcome, entry.accepted) == ("POST", "rejected", False)
    assert entry.reason.startswith(f"method_not_allowed: {method.upper()}, which the ")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json; charset=utf-8", '{"_method":"PUT"}'),
        ("application/vnd.api+json", '{"_method":"PUT"}'),
        ("application/json", '{"\\u005fmethod":"PUT"}'),
        ("application/json", '{"_\\u006dethod":"PUT"}'),
        ("application/json", '{"_me\\u0074hod":"PUT"}'),
        ("application/json", '{"_method":"POST","_method":"PUT"}'),
        (FORM[1], "%5Fmethod=PUT"),
        (FORM[1], "_method=POST&_method=PUT"),
        (FORM[1], "_method=%20PUT+"),
        ("multipart/form-data; boundary=b", PART),
    ],
)
def test_key_is_found_however_the_body_writes_it(both, content_type, body):
    assert post(both, [("Content-Type", content_type)], body).status_code == 405


@pytest.mark.parametrize(
    ("headers", "body", "query"),
    [
        ([JSON], '{"_method":"POST"}', ""),
        ([JSON], '{"_method":"post"}', ""),
        ([JSON], '{"_method":null}', "?_method=PUT"),
        ([JSON], '{"_method":""}', "?_method=PUT"),
        ([JSON], '{"_method":" "}', ""),
        ([JSON], '{"_method":5}', ""),
        ([JSON], '{"_method":true}', ""),
        ([JSON], '{"_method":false}', ""),
        ([JSON], '{"order":{"_method":"PUT"}}', ""),
        ([JSON], '[{"_method":"PUT"}]', ""),
        ([JSON], '{"payment_method":"PUT"}', ""),
        ([JSON], '{"_METHOD":"PUT"}', ""),
        ([JSON], '{"_method":"PUT"', ""),
        ([("Content-Type", "text/plain")], '{"_method":"PUT"}', ""),
        ([FORM], "payment_method=PUT", ""),
        ([(OVERRIDE, "")], "x", ""),
        ([(OVERRIDE, "0")], "x", ""),
        ([(OVERRIDE, "POST"), JSON], '{"_method":"PUT"}', "?_method=PUT"),
        ([JSON], '{"_method":"POST"}', "?_method=PUT"),
        ([], "x", "?_method="),
        ([], "x", "?method=PUT"),
        ([("X-HTTP-Method", "PUT")], "x", ""),
    ],
)
def test_post_stays_a_post(both, headers, body, query):
    response = post(both, headers, body, query)

    assert (response.status_code, response.data) == (200, STORED)
    assert last_entry(both).reason is None


@pytest.mark.parametrize(
    ("headers", "body", "query"),
    [
        ([(OVERRIDE, "PUT"), JSON], '{"_method":"DELETE"}', ""),
        ([(OVERRIDE, "0"), JSON], '{"_method":"PUT"}', "?_method=DELETE"),
        ([], "x", "?_method=DELETE&_method=PUT"),
    ],
    ids=["header-before-body", "body-before-query", "last-of-the-query"],
)
def test_first_place_counts(both, headers, body, query):
    assert post(both, headers, body, query).status_code == 405
    assert last_entry(both).reason.startswith("method_not_allowed: PUT, ")


@pytest.mark.parametrize("path", [URL, "/oauth/token", "/nope"])
@pytest.mark.parametrize("value", ["x-1", "PUT, POST", "order-1", "P\u00fcT", "PUT\u00df"])
def test_what_is_no_method_is_refused_at_every_address(both, profile, path, value):
    response = send(both, "POST", path, [JSON], json.dumps({"_method": value}))

    wanted = (400, pretty("Bad request.")) if profile == "modern" else (404, pretty("Bad hostname provided."))
    assert (response.status_code, response.data) == wanted
    assert "X-RateLimit-Limit" not in response.headers
    assert last_entry(both).reason.startswith("method_override: ")


def test_header_that_is_repeated_is_no_method(modern):
    response = post(modern, [(OVERRIDE, "PUT"), (OVERRIDE, "PUT")])

    assert (response.status_code, response.data) == (400, pretty("Bad request."))


@pytest.mark.parametrize("sent", ['{"_method":{"a":1}}', '{"_method":[]}', '{"_method":["PUT"]}', None], ids=repr)
def test_structure_is_refused_in_modern_and_overlooked_in_legacy(both, profile, sent):
    response = post(both, [JSON], sent or "{}", "" if sent else "?_method[]=PUT")

    wanted = (400, pretty("Bad request.")) if profile == "modern" else (200, STORED)
    assert (response.status_code, response.data) == wanted


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_only_a_real_post_is_overridden(both, method):
    response = send(both, method, URL, [(OVERRIDE, "POST"), JSON], '{"_method":"POST"}')

    assert response.status_code == 405


def test_override_to_options_shows_the_methods(both):
    """Sent by a client that holds nothing against the document, which has no empty page."""
    response = Client(both.http.application).post(URL, headers={OVERRIDE: "options"})

    assert (response.status_code, response.data, response.headers["Allow"]) == (200, b"", "POST")


def test_unknown_address_is_unknown_with_an_override_too(both):
    assert send(both, "POST", "/nope", [(OVERRIDE, "PUT")]).status_code == 404


def test_body_limit_comes_before_the_override(make_integration, profile):
    integration = make_integration(wire_profile=profile, body_limit=5)

    assert send(integration, "POST", URL, [(OVERRIDE, "PUT")], "123456").status_code == 413


def test_refusal_needs_no_token_and_counts_nothing(make_integration, profile):
    integration = make_integration(wire_profile=profile, rate_limit=True, rate_limit_requests=1)

    statuses = [send(integration, "POST", URL, [JSON], '{"_method":"PUT"}').status_code for _ in range(3)]

    assert statuses == [405, 405, 405]


@pytest.mark.parametrize("methods", [["POST"], ["GET", "POST"]], ids="-".join)
def test_token_request_with_another_method_gets_no_token(make_integration, profile, methods):
    integration = make_integration(wire_profile=profile, token_methods=methods)

    response = integration.request_token(_method="PUT")

    allowed = "POST" if methods == ["POST"] else "GET, HEAD, POST"
    wanted = not_supported("PUT", profile, "oauth/token", allowed)
    assert (response.status_code, response.data) == (405, wanted)
    assert last_entry(integration).token is None


def test_token_request_that_asks_for_get_is_served_as_one(both):
    given = both.credentials()
    query = f"grant_type=client_credentials&client_id={given['client_id']}&client_secret={given['client_secret']}"

    read = send(both, "POST", f"/oauth/token?{query}", [(OVERRIDE, "GET")])
    unread = both.request_token(_method="GET")

    assert read.status_code == 200
    assert unread.status_code == 400
    assert last_entry(both).reason.endswith("it is in the body, and the body of a GET is not read")


def test_token_request_that_asks_for_get_is_not_allowed_where_get_is_off(make_integration):
    integration = make_integration(token_methods=["POST"])

    assert integration.request_token(_method="get").status_code == 405
