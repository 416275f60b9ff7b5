"""The setting ``check_order = framework``: company and vanity URL come before the token (FACTS 1.28, 1.29)."""

from __future__ import annotations

import json

import pytest

from sandbox.foundation.errors import SettingError
from tests.web.emulated.sending import bearer, last_entry, send

URL = "/v1/acme/anything"
COMPANY, ENDPOINT = "App\\Models\\Company", "App\\Models\\Endpoint"


def no_results(model):
    return json.dumps({"message": f"No query results for model [{model}]."}, indent=4).encode()


@pytest.fixture
def framework(make_integration, profile):
    """An integration with a sandbox that looks at the address first."""
    return make_integration(wire_profile=profile, check_order="framework", scopes=["read"])


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v1/nobody/anything", COMPANY),
        ("/v1/nobody/nothing", COMPANY),
        ("/v1/ACME/anything", COMPANY),
        ("/v1/acme/nothing", ENDPOINT),
        ("/v1/acme/Anything", ENDPOINT),
    ],
)
@pytest.mark.parametrize(
    "headers", [[], [bearer("x")], [("Authorization", "Basic YTpi")]], ids=["none", "bad", "basic"]
)
def test_unknown_address_comes_before_the_token(framework, path, model, headers):
    response = send(framework, "POST", path, headers, b"x")

    assert (response.status_code, response.data) == (404, no_results(model))
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-cache, private"
    assert response.headers["X-RateLimit-Limit"] == "60"
    assert response.headers["X-RateLimit-Remaining"] == "59"
    assert last_entry(framework).reason.startswith("unknown_service: no ")


def test_unknown_address_comes_before_the_scope(framework):
    response = framework.post(path="/v1/acme/nothing", token=framework.token(scope="read"))

    assert (response.status_code, response.data) == (404, no_results(ENDPOINT))


def test_unknown_address_is_counted_by_the_throttle_and_comes_after_it(make_integration):
    integration = make_integration(check_order="framework", rate_limit=True, rate_limit_requests=1)

    statuses = [send(integration, "POST", "/v1/acme/nothing", [], b"x").status_code for _ in range(2)]

    assert statuses == [404, 429]


def test_known_address_is_refused_and_served_as_ever(framework):
    scopeless = framework.post(token=framework.token(scope="read"))

    assert send(framework, "POST", URL, [], b"x").status_code == 401
    assert send(framework, "POST", URL, [bearer("x")], b"x").status_code == 401
    assert scopeless.status_code == 403
    assert framework.post().status_code == 200
    assert framework.post(b"").status_code == 422


def test_inactive_service_is_found_and_comes_after_the_token(framework):
    store = framework.sandbox.store
    store.change_service(store.find_service("acme", "anything").id, active=False)

    assert send(framework, "POST", URL, [], b"x").status_code == 401
    assert framework.post().status_code == 404


def test_message_names_the_class_that_is_set(make_integration):
    integration = make_integration(check_order="framework", company_class="Tenant", endpoint_class=r"App\InboundUrl")

    assert send(integration, "POST", "/v1/nobody/x").data == no_results("Tenant")
    assert send(integration, "POST", "/v1/acme/x").data == no_results("App\\InboundUrl")


def test_unknown_address_is_a_page_where_pages_are_asked_for(make_integration):
    integration = make_integration(check_order="framework", accept="laravel")

    assert "<title>Not Found</title>" in send(integration, "POST", "/v1/acme/nothing").text


@pytest.mark.parametrize("name", ["", "App\\", "\\App", "App Models", "App\\1x", "a" * 201, "A\nB"])
def test_what_is_no_class_is_refused(make_integration, name):
    with pytest.raises(SettingError, match="company_class"):
        make_integration(company_class=name)
