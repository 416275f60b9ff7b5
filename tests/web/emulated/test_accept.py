"""The setting ``accept = laravel``: who does not ask for JSON gets a redirect or a page (WIRE B)."""

from __future__ import annotations

import pytest
from werkzeug.test import Client

from tests.web.emulated.refusals import invalid_client, unsupported_grant_type
from tests.web.emulated.sending import FORM, JSON, last_entry, send

URL = "/v1/acme/anything"
AS_JSON = ("Accept", "application/json")
UNAUTHENTICATED = b'{"message":"Unauthenticated."}'


@pytest.fixture
def laravel(make_integration, profile):
    """An integration with a sandbox that answers as the framework really does."""
    return make_integration(wire_profile=profile, accept="laravel")


@pytest.mark.parametrize("headers", [[], [("Accept", "*/*")], [("Accept", "text/html")]], ids=["none", "any", "html"])
def test_documented_answers_are_json_to_everybody(both, headers):
    response = send(both, "POST", URL, headers, b"x")

    assert (response.status_code, response.data) == (401, UNAUTHENTICATED)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Accept", "")],
        [("Accept", "*/*")],
        [("Accept", "text/html, application/json")],
        [("Accept", "application/x-ndjson, application/json")],
        [("Accept", "application/json;q=0.5, text/html")],
        [("Accept", "application/json;q=x, text/html")],
        [JSON],
        [("X-Requested-With", "XMLHttpRequest"), ("Accept", "text/html")],
    ],
    ids=[
        "none",
        "empty",
        "any",
        "html-first",
        "ndjson-first",
        "html-preferred",
        "bad-quality",
        "only-content-type",
        "ajax-for-html",
    ],
)
def test_unauthenticated_is_redirected_to_the_login_page(laravel, headers):
    response = send(laravel, "POST", URL, headers, b"x")

    assert response.status_code == 302
    assert response.headers["Location"] == "http://localhost/login"
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache, private"
    assert response.headers["X-RateLimit-Remaining"] == "59"
    assert 'Redirecting to <a href="http://localhost/login">' in response.text
    assert last_entry(laravel).reason == "no_token: there is no Authorization header"


def test_unauthenticated_is_a_server_error_in_an_application_without_a_login_page(make_integration, profile):
    integration = make_integration(wire_profile=profile, accept="laravel_without_login")

    response = send(integration, "POST", URL, [("Accept", "text/html")], b"x")

    assert response.status_code == 500
    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert response.headers["X-RateLimit-Remaining"] == "59"
    assert "Location" not in response.headers
    assert "<title>Server Error</title>" in response.text
    assert last_entry(integration).reason == "no_token: there is no Authorization header"


def test_unauthenticated_is_empty_in_a_newer_application_without_a_login_page(make_integration, profile):
    """Sent by a client that holds nothing against the document, which has no way to name an empty page."""
    integration = make_integration(wire_profile=profile, accept="laravel13_without_login")

    response = Client(integration.http.application).post(URL, data=b"x")

    assert (response.status_code, response.data) == (401, b"")
    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert "Location" not in response.headers


@pytest.mark.parametrize("accept", ["laravel_without_login", "laravel13_without_login"])
def test_application_without_a_login_page_answers_json_and_other_pages_as_ever(make_integration, accept):
    integration = make_integration(accept=accept)

    assert send(integration, "POST", URL, [AS_JSON], b"x").data == UNAUTHENTICATED
    assert "<title>Not Found</title>" in send(integration, "GET", "/nope").text
    assert integration.post().data == b'{"message":"Payload stored successfully."}'


@pytest.mark.parametrize(
    "headers",
    [
        [AS_JSON],
        [("Accept", "application/json;q=0")],
        [("Accept", "Application/JSON")],
        [("Accept", "application/vnd.api+json, text/html")],
        [("Accept", "text/html;q=0.9, application/json")],
        [("Accept", "text/html;level=1;q=0.5, application/json;q=0.9")],
        [("X-Requested-With", "XMLHttpRequest")],
        [("X-Requested-With", "XMLHttpRequest"), ("Accept", "*/*")],
    ],
    ids=["json", "json-of-no-quality", "case", "api-json", "json-preferred", "parameters", "ajax", "ajax-any"],
)
def test_client_that_asks_for_json_gets_it(laravel, headers):
    response = send(laravel, "POST", URL, headers, b"x")

    assert (response.status_code, response.data) == (401, UNAUTHENTICATED)


def test_errors_are_pages(make_integration, profile):
    settings = {"scopes": ["read"], "body_limit": 1000, "rate_limit": True, "rate_limit_requests": 6}
    integration = make_integration(wire_profile=profile, accept="laravel", **settings)
    access_token = integration.token()

    responses = [
        (403, "Forbidden", integration.post(token=integration.token(scope="read"))),
        (404, "Not Found", integration.post(token=access_token, path="/v1/acme/nothing")),
        (404, "Not Found", send(integration, "GET", "/nope")),
        (405, "Method Not Allowed", send(integration, "GET", URL)),
        (413, "Content Too Large", send(integration, "POST", URL, [], b"x" * 1001)),
        (422, "Unprocessable Content", integration.post(b"", token=access_token)),
    ]
    for _ in range(6):
        last = integration.post(token=access_token)
    responses.append((429, "Too Many Requests", last))

    for status, title, response in responses:
        assert response.status_code == status
        assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
        assert response.headers["Cache-Control"] == "no-cache, private"
        assert f"<title>{title}</title>" in response.text
    assert last.headers["Retry-After"] == "60"
    assert responses[3][2].headers["Allow"] == "POST"


def test_success_is_json_in_any_case(laravel):
    assert laravel.request_token().mimetype == "application/json"
    assert laravel.post().data == b'{"message":"Payload stored successfully."}'


def test_oauth_errors_are_json_in_any_case(laravel, profile):
    wrong = laravel.request_token(client_secret="wrong")
    missing = send(laravel, "POST", "/oauth/token", [FORM])

    assert (wrong.status_code, wrong.data) == (401, invalid_client(profile))
    assert (missing.status_code, missing.data) == (400, unsupported_grant_type(profile))


def test_unreadable_json_is_a_page_in_modern(laravel, profile):
    """It is the framework's error there, not the OAuth server's."""
    response = send(laravel, "POST", "/oauth/token", [JSON], b"{")

    assert response.status_code == 400
    assert response.mimetype == ("text/html" if profile == "modern" else "application/json")


def test_failure_of_the_platform_is_a_page(laravel, monkeypatch, caplog):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("sandbox.platform.endpoints.bearer.BearerEndpoint.admit", fail)

    page, as_json = send(laravel, "POST", URL), send(laravel, "POST", URL, [AS_JSON])

    assert (page.status_code, page.mimetype) == (500, "text/html")
    assert "<title>Server Error</title>" in page.text
    assert as_json.data == b'{\n    "message": "Server Error"\n}'
