"""Every setting that changes an answer of the emulated API changes it, at the start and at run time."""

from __future__ import annotations

import json

import jwt
import pytest
from werkzeug.test import Client

from tests.web.emulated.refusals import oauth_error
from tests.web.emulated.sending import bearer, last_entry, send

SAMPLE = {"qty": 1}


@pytest.fixture(params=["at-the-start", "at-run-time"])
def configured(request, make_integration):
    """Make integrations with settings, given either way."""

    def make(**settings):
        if request.param == "at-the-start":
            return make_integration(**settings)
        integration = make_integration()
        integration.sandbox.change_settings(settings)
        return integration

    return make


def add_checked_service(integration):
    store = integration.sandbox.store
    connector = store.connectors()[0]
    store.add_entity(connector.id, "custom", "checked", SAMPLE)
    store.add_service("acme", connector.id, "checked", "checked")
    return "/v1/acme/checked"


def deactivate(integration, vanity_url="anything"):
    store = integration.sandbox.store
    store.change_service(store.find_service("acme", vanity_url).id, active=False)


@pytest.mark.parametrize(("methods", "status"), [(["POST"], 405), (["GET"], 400), (["GET", "POST"], 400)])
def test_token_methods_drop_a_method(configured, methods, status):
    assert configured(token_methods=methods).http.get("/oauth/token").status_code == status


def test_token_path_moves_the_endpoint(make_integration):
    """Sent by a client that holds nothing against the document: that one is of the default path."""
    integration = make_integration(token_path="/api/v2/token")

    moved = Client(integration.http.application).post("/api/v2/token", data=integration.credentials())

    assert moved.status_code == 200
    assert last_entry(integration).kind == "token"
    assert Client(integration.http.application).post("/oauth/token").status_code == 404


def test_required_scope_is_granted_and_demanded(configured):
    integration = configured(required_scope="send-orders", scopes=["access-inbound"])

    access_token = integration.token()

    assert jwt.decode(access_token, options={"verify_signature": False})["scopes"] == ["send-orders"]
    assert integration.post(token=access_token).status_code == 200
    assert integration.post(token=integration.token(scope="access-inbound")).status_code == 403


def test_scopes_are_those_that_are_known(configured):
    integration = configured(scopes=["read"])

    assert [integration.request_token(scope=scope).status_code for scope in ("read", "access-inbound", "write")] == [
        200,
        200,
        400,
    ]


@pytest.mark.parametrize(
    ("setting", "scopes", "status"), [("access-inbound", ["access-inbound"], 200), ("none", [], 403)]
)
def test_token_request_without_a_scope_is_granted_what_is_set(configured, setting, scopes, status):
    integration = configured(default_scope=setting)
    access_token = integration.token()

    response = integration.post(token=access_token)

    assert jwt.decode(access_token, options={"verify_signature": False})["scopes"] == scopes
    assert response.status_code == status
    assert integration.post(token=integration.token(scope="access-inbound")).status_code == 200


@pytest.mark.parametrize("profile", ["modern", "legacy"])
@pytest.mark.parametrize("scope", ["", " ", None])
def test_token_without_a_scope_is_forbidden_to_the_byte(make_integration, profile, scope):
    integration = make_integration(wire_profile=profile, default_scope="none")

    response = integration.post(token=integration.token(scope=scope))

    assert (response.status_code, response.data) == (403, b'{\n    "message": "Invalid scope(s) provided."\n}')
    reason = "missing_scope: the token has no scope, because none was asked for, not access-inbound"
    assert last_entry(integration).reason == reason


@pytest.mark.parametrize("status", [200, 201])
def test_success_status_is_that_of_an_accepted_payload(configured, status):
    assert configured(success_status=status).post().status_code == status


def test_success_message_is_that_of_an_accepted_payload(configured):
    response = configured(success_message="Reçu / OK").post()

    assert response.data == b'{"message":"Re\\u00e7u \\/ OK"}'


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        ("not_found", 404, "The route v1/acme/anything could not be found."),
        ("forbidden", 403, "This action is unauthorized."),
        ("accept", 200, "Payload stored successfully."),
    ],
)
def test_inactive_service_answers_as_set(configured, answer, status, body):
    integration = configured(inactive_service=answer)
    deactivate(integration)

    response = integration.post()

    assert (response.status_code, response.json) == (status, {"message": body})
    reason = last_entry(integration).reason
    assert reason is None if answer == "accept" else reason.startswith("inactive_service: ")


def test_inactive_service_is_not_found_for_a_stranger_either(make_integration):
    """The connector's right comes first: to another connector's token the URL says the same as when it is active."""
    integration = make_integration()
    store = integration.sandbox.store
    new = store.add_client(store.add_connector("acme", "Other").id, "Stranger")
    deactivate(integration)

    response = integration.post(token=integration.token(client_id=new.client.id, client_secret=new.secret))

    assert response.status_code == 403
    assert last_entry(integration).reason.startswith("other_connector: ")


@pytest.mark.parametrize(
    ("mode", "status", "outcome", "reason"),
    [
        ("reject", 422, "rejected", "entity_mismatch: qty integer"),
        ("flag", 200, "accepted", "entity_mismatch: qty integer"),
        ("off", 200, "accepted", None),
    ],
)
def test_mismatch_is_treated_as_set(configured, mode, status, outcome, reason):
    integration = configured(entity_check=mode)
    url = add_checked_service(integration)

    response = integration.post({"qty": "1"}, path=url)

    assert response.status_code == status
    assert (last_entry(integration).outcome, last_entry(integration).reason) == (outcome, reason)


@pytest.mark.parametrize("mode", ["reject", "flag", "off"])
def test_blank_body_is_refused_whatever_is_set(configured, mode):
    integration = configured(entity_check=mode)

    assert integration.post(b" ", path=add_checked_service(integration)).status_code == 422


@pytest.mark.parametrize("mode", ["reject", "flag", "off"])
@pytest.mark.parametrize("body", [b"", b" \r\n", b"null", b"[]", b"{}", b'""'], ids=repr)
def test_blank_payload_is_accepted_where_it_is_set_so(configured, mode, body):
    integration = configured(entity_check=mode, blank_payload="accept")

    response = integration.post(body, path=add_checked_service(integration))

    assert (response.status_code, response.json) == (200, {"message": "Payload stored successfully."})
    entry = last_entry(integration)
    noted = mode != "off" or not body.strip()
    assert (entry.accepted, entry.body) == (True, body)
    assert entry.reason == ("blank_payload: payload required" if noted else None)


def test_mismatch_is_refused_where_a_blank_payload_is_accepted(configured):
    integration = configured(blank_payload="accept")

    assert integration.post(b'{"qty": "1"}', path=add_checked_service(integration)).status_code == 422


@pytest.mark.parametrize(("mode", "status"), [("reject", 422), ("flag", 422), ("off", 200)])
def test_empty_json_is_blank_unless_the_check_is_off(configured, mode, status):
    """Without the check a body is bytes, and these are some."""
    integration = configured(entity_check=mode)

    assert integration.post(b"{}", path=add_checked_service(integration)).status_code == status


def test_flagged_payload_that_is_not_json_says_so(configured):
    integration = configured(entity_check="flag")

    response = integration.post(b"<order/>", path=add_checked_service(integration))

    assert response.status_code == 200
    assert last_entry(integration).reason.startswith("entity_mismatch: payload not JSON: ")


def test_body_limit_counts_to_the_byte(configured):
    integration = configured(body_limit=200)
    access_token = integration.token()

    statuses = [integration.post(b"x" * size, token=access_token).status_code for size in (199, 200, 201)]

    assert statuses == [200, 200, 413]


def test_body_limit_is_8_mib_by_default(make_integration):
    integration = make_integration()
    access_token = integration.token()
    size = 8 * 1024 * 1024

    statuses = [integration.post(b"x" * length, token=access_token).status_code for length in (size, size + 1)]

    assert statuses == [200, 413]


def test_token_lifetime_is_announced_and_kept(configured):
    integration = configured(token_lifetime=120)
    integration.sandbox.clock.freeze()
    response = integration.request_token()
    access_token = response.json["access_token"]

    integration.sandbox.clock.advance(119)
    before = integration.post(token=access_token).status_code
    integration.sandbox.clock.advance(1)

    claims = jwt.decode(access_token, options={"verify_signature": False})
    assert response.json["expires_in"] == 120
    assert claims["exp"] - claims["iat"] == pytest.approx(120)
    assert (before, integration.post(token=access_token).status_code) == (200, 401)


def test_rate_limit_is_switched_on_and_off(make_integration):
    integration = make_integration(rate_limit_requests=1)
    statuses = []
    for limited in (False, True, False):
        integration.sandbox.change_settings({"rate_limit": limited})
        statuses += [integration.request_token().status_code for _ in range(2)]

    assert statuses == [200, 200, 200, 429, 200, 200]


def test_accept_is_switched(configured):
    assert send(configured(accept="laravel"), "POST", "/v1/acme/anything").status_code == 302
    assert send(configured(accept="documented"), "POST", "/v1/acme/anything").status_code == 401


def test_wire_profile_changes_at_run_time_and_keeps_the_tokens(make_integration):
    integration = make_integration()
    access_token = integration.token()
    answers = []
    for profile in ("modern", "legacy", "modern"):
        integration.sandbox.change_settings({"wire_profile": profile})
        response = integration.request_token(client_secret="wrong")
        wanted = oauth_error(profile, "invalid_client", "Client authentication failed")
        answers.append((response.data == wanted, integration.post(token=access_token).status_code))

    assert answers == [(True, 200)] * 3


def test_wire_profile_decides_what_is_issued_from_then_on(make_integration):
    integration = make_integration(wire_profile="modern")
    integration.sandbox.change_settings({"wire_profile": "legacy"})

    claims = jwt.decode(integration.token(), options={"verify_signature": False})

    assert claims["sub"] == ""
    assert isinstance(claims["iat"], int)


def test_two_sandboxes_differ_in_one_process(make_integration):
    modern, legacy = make_integration(wire_profile="modern"), make_integration(wire_profile="legacy")
    headers = [bearer(modern.token())]

    assert send(legacy, "POST", "/v1/acme/anything", headers, json.dumps(SAMPLE)).status_code == 401
    assert send(modern, "POST", "/v1/acme/anything", headers, json.dumps(SAMPLE)).status_code == 200
