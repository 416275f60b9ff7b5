"""The reason of a refused token request names the likely cause; the answer names the symptom (WIRE A)."""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

import pytest

from tests.web.emulated.sending import FORM, JSON, basic, last_entry, send

GRANT = "grant_type=client_credentials"
GOOD = f"{GRANT}&client_id={{client_id}}&client_secret={{client_secret}}"
PARTS = '--b\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n'


def reason(integration, method, target, headers, body=""):
    """Send a token request that is refused; return its reason."""
    values = {"client_id": integration.client_id, "client_secret": integration.client_secret}

    def filled(text):
        return text.replace("{client_id}", values["client_id"]).replace("{client_secret}", values["client_secret"])

    response = send(
        integration, method, filled(target), [(name, filled(value)) for name, value in headers], filled(body)
    )
    assert response.status_code in (400, 401)
    return last_entry(integration).reason


@pytest.mark.parametrize(
    ("content_type", "body", "cause"),
    [
        ("text/plain", GOOD, "the body was not read, because its Content-Type is text/plain; send "),
        (None, GOOD, "the body was not read, because there is no Content-Type; send "),
        ("Application/JSON", '{"grant_type":"x"}', "Content-Type Application/JSON in small letters only"),
        (FORM[1], '{"grant_type":"client_credentials"}', "the body looks like JSON, but its Content-Type is "),
        (FORM[1], PARTS, "the body looks like multipart/form-data, but its Content-Type is "),
        ("multipart/form-data", PARTS, "is the boundary the one that the Content-Type names?"),
        ("multipart/form-data; boundary=b", PARTS, "its last delimiter is missing"),
        ("application/json", '["grant_type"]', "the body is JSON, but not an object"),
        (FORM[1], "grantType=client_credentials", "there is grantType; the name of the parameter is grant_type"),
        (FORM[1], "GRANT-TYPE=client_credentials", "there is GRANT-TYPE; the name of the parameter is grant_type"),
        (FORM[1], "grant_type=", "grant_type is there, but has no value"),
        ("application/json", '{"grant_type":null}', "grant_type is there, but has no value"),
    ],
)
def test_reason_names_why_a_body_gave_no_grant_type(both, content_type, body, cause):
    headers = [] if content_type is None else [("Content-Type", content_type)]

    given = reason(both, "POST", "/oauth/token", headers, body)

    assert given.startswith("unsupported_grant_type: none given; ")
    assert cause in given


def test_reason_names_the_query_of_a_post(both):
    assert "the query of a POST is not read" in reason(both, "POST", f"/oauth/token?{GOOD}", [])
    assert "the query of a POST is not read" in reason(both, "POST", "/oauth/token?client_id=a", [FORM], GRANT)


def test_reason_names_the_body_of_a_get(both):
    assert "the body of a GET is not read" in reason(both, "GET", "/oauth/token", [FORM], GOOD)


def test_reason_names_a_body_that_is_compressed(both):
    given = reason(both, "POST", "/oauth/token", [FORM, ("Content-Encoding", "gzip")], "\x1f\x8b\x08")

    assert "because its Content-Encoding is gzip; nothing unpacks it" in given


@pytest.mark.parametrize("name", ["client_id", "Client-Id"])
def test_reason_names_a_parameter_that_is_in_a_header(both, name):
    assert "it is in a header" in reason(both, "POST", "/oauth/token", [FORM, (name, "{client_id}")], GRANT)


def test_reason_names_what_separates_scopes(both):
    assert both.request_token(scope="access-inbound,read").status_code == 400
    assert last_entry(both).reason == "unknown_scope: access-inbound,read; scopes are separated by blanks"


def test_nothing_sent_has_no_cause(both):
    assert reason(both, "POST", "/oauth/token", [FORM]) == "unsupported_grant_type: none given"
    assert reason(both, "POST", "/oauth/token", [FORM], GRANT) == "missing_client_id"


@pytest.mark.parametrize(
    ("authorization", "cause"),
    [("Basic YQ==", "has no colon"), ("Bearer x", "not of the form 'Basic …'"), ("Digest YTpi", "not of the form")],
)
def test_reason_names_why_the_authorization_gave_no_client(both, authorization, cause):
    given = reason(both, "POST", "/oauth/token", [FORM, ("Authorization", authorization)], GRANT)

    assert given.startswith("missing_client_id: ")
    assert cause in given


def test_reason_names_a_form_that_was_sent_as_json(modern):
    assert "the body looks like a form" in reason(modern, "POST", "/oauth/token", [JSON], GOOD)


def test_reason_names_the_percent_encoding_of_http_basic(make_integration, profile):
    integration = make_integration(wire_profile=profile)
    store = integration.sandbox.store
    secret = "p+q/r=s&t%u v"
    client = store.add_client(store.connectors()[0].id, "Special", secret=secret).client

    of_secret = reason(integration, "POST", "/oauth/token", [FORM, basic(f"{client.id}:{quote(secret, '')}")], GRANT)
    of_id = reason(integration, "POST", "/oauth/token", [FORM, basic(f"{client.id.replace('-', '%2d')}:x")], GRANT)

    advice = "percent-encoded HTTP Basic is not decoded by the platform, send the credentials in the body"
    assert of_secret == f"wrong_secret: {advice}"
    assert of_id.startswith("unknown_client: ")
    assert of_id.endswith(f"; {advice}")


def test_reason_names_what_was_encoded_twice(both):
    encoded = both.client_id.replace("-", "%2D")

    for headers, body in (
        ([FORM], urlencode({**both.credentials(), "client_id": encoded})),
        ([JSON], json.dumps({**both.credentials(), "client_id": encoded})),
    ):
        assert "it is percent-encoded: a form is decoded once, and JSON is not" in reason(
            both, "POST", "/oauth/token", headers, body
        )


@pytest.mark.parametrize(
    ("secret", "cause"),
    [('"{client_secret}"', "quotes around it"), ("************abcd", "it is masked"), ("other", "wrong_secret")],
)
def test_reason_names_what_is_wrong_with_a_secret(both, secret, cause):
    body = json.dumps({"grant_type": "client_credentials", "client_id": "{client_id}", "client_secret": secret})

    assert cause in reason(both, "POST", "/oauth/token", [JSON], body)


def test_reason_names_the_secret_of_another_client(both):
    store = both.sandbox.store
    other = store.add_client(store.connectors()[0].id, "Other")

    given = reason(
        both, "POST", "/oauth/token", [FORM], f"{GRANT}&client_id={{client_id}}&client_secret={other.secret}"
    )

    assert given == "wrong_secret: it is the secret of another client"


def test_reason_names_blanks_that_legacy_does_not_remove(legacy):
    headers = [FORM, basic(f"{legacy.client_id}: {legacy.client_secret}")]

    assert "blanks around it" in reason(legacy, "POST", "/oauth/token", headers, GRANT)


def test_reason_tells_no_secret(both):
    given = [
        reason(both, "POST", "/oauth/token", [("Content-Type", "text/plain; x={client_secret}")], GOOD),
        reason(both, "POST", "/oauth/token", [FORM, ("Authorization", "Basic {client_secret}")], GRANT),
        reason(both, "POST", "/oauth/token", [FORM], "{client_secret}=1"),
    ]

    assert not [text for text in given if both.client_secret in text]
