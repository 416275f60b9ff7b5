"""The setting ``accept = laravel``: who does not ask for JSON gets a redirect or a page (WIRE B)."""

from __future__ import annotations

import pytest

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
        [("Accept", "application/json;q=0.5, text/html")],
        [("Accept", "application/json;q=x, text/html")],
        [JSON],
        [("X-Requested-With", "XMLHttpRequest"), ("Accept", "text/html")],
    ],
    ids=["none", "empty", "any", "html-first", "html-preferred", "bad-quality", "only-content-type", "ajax-for-html"],
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


@pytest.mark.parametrize(
    "headers",
    [
        [AS_JSON],
        [("Accept", "Application/JSON")],
        [("Accept", "application/vnd.api+json, text/html")],
        [("Accept", "text/html;q=0.9, application/json")],
        [("Accept", "text/html;level=1;q=0.5, application/json;q=0.9")],
        [("X-Requested-With", "XMLHttpRequest")],
        [("X-Requested-With", "XMLHttpRequest"), ("Accept", "*/*")],
    ],
    ids=["json", "case", "api-json", "json-preferred", "parameters", "ajax", "ajax-any"],
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
