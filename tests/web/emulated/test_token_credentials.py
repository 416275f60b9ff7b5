"""How the credentials of a token request may travel (WIRE A, FACTS 1.8)."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from tests.web.emulated.refusals import invalid_client, invalid_request, unsupported_grant_type
from tests.web.emulated.sending import FORM, JSON, basic, last_entry, send

GRANT = "grant_type=client_credentials"


def multipart(**fields):
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    return ("Content-Type", "multipart/form-data; boundary=b"), f"{parts}--b--\r\n"


def test_get_reads_the_query(both):
    response = send(both, "GET", f"/oauth/token?{urlencode(both.credentials())}")

    assert response.status_code == 200
    assert last_entry(both).client_id == both.client_id


def test_get_reads_http_basic(both):
    headers = [basic(f"{both.client_id}:{both.client_secret}")]

    assert send(both, "GET", f"/oauth/token?{GRANT}", headers).status_code == 200


def test_get_does_not_read_the_body(both, profile):
    response = send(both, "GET", "/oauth/token", [FORM], urlencode(both.credentials()))

    assert (response.status_code, response.data) == (400, unsupported_grant_type(profile))


def test_head_is_answered_like_get_without_the_body(both):
    both.sandbox.clock.freeze()
    target = f"/oauth/token?{urlencode(both.credentials())}"
    length = send(both, "GET", target).headers["Content-Length"]

    response = send(both, "HEAD", target)

    assert response.status_code == 200
    assert response.data == b""
    assert response.headers.getlist("Content-Length") == [length]
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert last_entry(both).response_body == b""


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=UTF-8",
        "APPLICATION/X-WWW-FORM-URLENCODED",
    ],
)
def test_post_reads_a_form(both, content_type):
    headers = [("Content-Type", content_type)]

    assert send(both, "POST", "/oauth/token", headers, urlencode(both.credentials())).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "text/json", "application/vnd.api+json"],
)
def test_post_reads_json(both, content_type):
    headers = [("Content-Type", content_type)]

    assert send(both, "POST", "/oauth/token", headers, json.dumps(both.credentials())).status_code == 200


def test_post_reads_multipart(both):
    content_type, body = multipart(**both.credentials())

    assert send(both, "POST", "/oauth/token", [content_type], body).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", "--b\r\n"),
        ("multipart/form-data; boundary=b", "no parts at all"),
        ("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; na"),
        (
            "multipart/form-data; boundary=b",
            '--b\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n',
        ),
        (
            "multipart/form-data; boundary=b",
            '--b\r\nContent-Disposition: form-data; name="grant_type"; filename="x"\r\n\r\nclient_credentials\r\n--b--',
        ),
    ],
    ids=["no-boundary", "no-parts", "cut", "cut-before-its-end", "a-file-is-no-field"],
)
def test_multipart_without_fields_is_as_if_absent(both, profile, content_type, body):
    response = send(both, "POST", "/oauth/token", [("Content-Type", content_type)], body)

    assert (response.status_code, response.data) == (400, unsupported_grant_type(profile))


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/jso", "APPLICATION/JSON", ""])
def test_other_content_types_are_as_if_absent(both, profile, content_type):
    """Laravel looks for ``/json`` and ``+json`` with their case."""
    headers = [("Content-Type", content_type)] if content_type else []

    response = send(both, "POST", "/oauth/token", headers, json.dumps(both.credentials()))

    assert (response.status_code, response.data) == (400, unsupported_grant_type(profile))


@pytest.mark.parametrize("body", ["", GRANT], ids=["empty-body", "grant-type-in-body"])
def test_post_does_not_read_the_query(both, profile, body):
    wanted = invalid_request(profile, "client_id") if body else unsupported_grant_type(profile)

    response = send(both, "POST", f"/oauth/token?{urlencode(both.credentials())}", [FORM], body)

    assert (response.status_code, response.data) == (400, wanted)


def test_http_basic_carries_both_credentials(both):
    headers = [FORM, basic(f"{both.client_id}:{both.client_secret}")]

    assert send(both, "POST", "/oauth/token", headers, GRANT).status_code == 200


def test_basic_scheme_knows_no_case_in_modern(modern):
    _, value = basic(f"{modern.client_id}:{modern.client_secret}")

    response = send(modern, "POST", "/oauth/token", [FORM, ("Authorization", value.replace("Basic", "bASIC"))], GRANT)

    assert response.status_code == 200


def test_basic_scheme_is_exact_in_legacy(legacy):
    _, value = basic(f"{legacy.client_id}:{legacy.client_secret}")

    response = send(legacy, "POST", "/oauth/token", [FORM, ("Authorization", value.replace("Basic", "basic"))], GRANT)

    assert (response.status_code, response.data) == (400, invalid_request("legacy", "client_id"))


def test_basic_needs_no_padding(both):
    name, value = basic(f"{both.client_id}:{both.client_secret}")

    assert send(both, "POST", "/oauth/token", [FORM, (name, value.rstrip("="))], GRANT).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic ", "Basic !!!", "Basic YQ", "Basic é", "Digest YTpi", "YTpi"],
    ids=["empty", "scheme-only", "blank", "not-base64", "no-colon", "not-ascii", "other-scheme", "no-scheme"],
)
def test_unusable_basic_is_as_if_absent(both, profile, authorization):
    response = send(both, "POST", "/oauth/token", [FORM, ("Authorization", authorization)], GRANT)

    assert (response.status_code, response.data) == (400, invalid_request(profile, "client_id"))


@pytest.mark.parametrize("credentials", [b"\xff\xfe:secret", b"nobody:\xff"], ids=["user", "password"])
def test_basic_that_is_not_utf8_matches_no_client(both, profile, credentials):
    """PHP does not care for encodings: such bytes are credentials of nobody."""
    response = send(both, "POST", "/oauth/token", [FORM, basic(credentials)], GRANT)

    assert (response.status_code, response.data) == (401, invalid_client(profile))


def test_basic_parts_are_not_url_decoded(both, profile):
    encoded = both.client_id.replace("-", "%2D")

    response = send(both, "POST", "/oauth/token", [FORM, basic(f"{encoded}:{both.client_secret}")], GRANT)

    assert (response.status_code, response.data) == (401, invalid_client(profile))
    assert last_entry(both).reason.startswith(f"unknown_client: {encoded}; percent-encoded HTTP Basic is not decoded")


def test_password_of_basic_may_hold_colons(both, profile):
    response = send(both, "POST", "/oauth/token", [FORM, basic(f"{both.client_id}:a:{both.client_secret}")], GRANT)

    assert (response.status_code, response.data) == (401, invalid_client(profile))
    assert last_entry(both).client_id == both.client_id


def test_basic_is_trimmed_in_modern_only(make_integration):
    statuses = {}
    for name in ("modern", "legacy"):
        integration = make_integration(wire_profile=name)
        headers = [FORM, basic(f" {integration.client_id} : {integration.client_secret} ")]
        statuses[name] = send(integration, "POST", "/oauth/token", headers, GRANT).status_code

    assert statuses == {"modern": 200, "legacy": 401}


@pytest.mark.parametrize(
    ("credentials", "modern_parameter"),
    [(":secret", "client_id"), (":", "client_id"), ("{client_id}:", "client_secret")],
    ids=["empty-user", "both-empty", "empty-password"],
)
def test_empty_part_of_basic_is_missing_in_modern_and_wrong_in_legacy(both, profile, credentials, modern_parameter):
    headers = [FORM, basic(credentials.format(client_id=both.client_id))]
    wanted = (
        (400, invalid_request(profile, modern_parameter)) if profile == "modern" else (401, invalid_client(profile))
    )

    response = send(both, "POST", "/oauth/token", headers, GRANT)

    assert (response.status_code, response.data) == wanted


@pytest.mark.parametrize("in_body", ["client_id", "client_secret"])
def test_body_wins_over_basic_field_by_field(both, in_body):
    good = both.credentials()
    parts = {"client_id": good["client_id"], "client_secret": good["client_secret"], in_body: "wrong"}
    headers = [FORM, basic(f"{parts['client_id']}:{parts['client_secret']}")]

    response = send(both, "POST", "/oauth/token", headers, f"{GRANT}&{in_body}={good[in_body]}")

    assert response.status_code == 200


def test_empty_field_in_the_body_leaves_basic_to_count(both):
    headers = [FORM, basic(f"{both.client_id}:{both.client_secret}")]

    assert send(both, "POST", "/oauth/token", headers, f"{GRANT}&client_id=&client_secret=").status_code == 200


def test_credentials_in_json_and_basic_mix(both):
    headers = [JSON, basic(f"{both.client_id}:wrong")]
    body = json.dumps({"grant_type": "client_credentials", "client_secret": both.client_secret})

    assert send(both, "POST", "/oauth/token", headers, body).status_code == 200
