"""The values of a token request, odd ones above all: none of them is answered 500 (WIRE A)."""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

import pytest

from tests.web.emulated.refusals import BAD_REQUEST, invalid_client, invalid_request, unsupported_grant_type
from tests.web.emulated.sending import FORM, JSON, basic, last_entry, send


def post_json(integration, **changes):
    return send(integration, "POST", "/oauth/token", [JSON], json.dumps({**integration.credentials(), **changes}))


@pytest.mark.parametrize("padding", [" ", "\t", "\r\n", "\0", "\x0b", " \n "], ids=repr)
@pytest.mark.parametrize("name", ["grant_type", "client_id", "client_secret"])
def test_values_are_trimmed(both, name, padding):
    good = both.credentials()[name]

    assert post_json(both, **{name: f"{padding}{good}{padding}"}).status_code == 200


@pytest.mark.parametrize("value", ["", " ", None, False], ids=repr)
@pytest.mark.parametrize("name", ["grant_type", "client_id"])
def test_empty_value_is_missing(both, profile, name, value):
    wanted = unsupported_grant_type(profile) if name == "grant_type" else invalid_request(profile, name)

    response = post_json(both, **{name: value})

    assert (response.status_code, response.data) == (400, wanted)


@pytest.mark.parametrize("value", ["", " ", None, False], ids=repr)
def test_missing_secret_is_an_invalid_request_in_modern(modern, value):
    response = post_json(modern, client_secret=value)

    assert (response.status_code, response.data) == (400, invalid_request("modern", "client_secret"))
    assert last_entry(modern).reason == "missing_client_secret: client_secret is there, but has no value"


@pytest.mark.parametrize("value", ["", " ", None, False], ids=repr)
def test_missing_secret_is_an_invalid_client_in_legacy(legacy, value):
    response = post_json(legacy, client_secret=value)

    assert (response.status_code, response.data) == (401, invalid_client("legacy"))


def test_missing_secret_of_an_unknown_client_is_an_invalid_client(both, profile):
    """The OAuth server looks the client up first, and asks for a secret when it knows that it must have one."""
    response = post_json(both, client_id="nobody", client_secret=None)

    assert (response.status_code, response.data) == (401, invalid_client(profile))


@pytest.mark.parametrize(
    "grant_type",
    [
        "password",
        "authorization_code",
        "refresh_token",
        "Client_Credentials",
        "CLIENT_CREDENTIALS",
        1,
        True,
        ["client_credentials"],
        {"a": 1},
    ],
    ids=str,
)
def test_any_other_grant_type_is_unsupported(both, profile, grant_type):
    response = post_json(both, grant_type=grant_type)

    assert (response.status_code, response.data) == (400, unsupported_grant_type(profile))


@pytest.mark.parametrize("value", [[], ["x"], {}, {"x": "y"}], ids=str)
@pytest.mark.parametrize("name", ["client_id", "client_secret", "scope"])
def test_list_or_object_is_an_invalid_request_that_names_the_parameter(both, profile, name, value):
    """What the modern OAuth server says; legacy ends in an error of its own there, which nobody should rely on."""
    response = post_json(both, **{name: value})

    assert (response.status_code, response.data) == (400, invalid_request(profile, name))
    assert last_entry(both).reason == f"malformed_{name}"


@pytest.mark.parametrize("suffix", ["[]", "[0]", "[a][b]"])
@pytest.mark.parametrize("name", ["client_id", "client_secret", "scope"])
def test_array_in_a_form_is_an_invalid_request_that_names_the_parameter(both, profile, name, suffix):
    fields = [(f"{key}{suffix}" if key == name else key, value) for key, value in both.credentials(scope="*").items()]

    response = send(both, "POST", "/oauth/token", [FORM], urlencode(fields))

    assert (response.status_code, response.data) == (400, invalid_request(profile, name))


def test_array_of_scopes_is_looked_at_after_the_credentials(both, profile):
    response = post_json(both, client_secret="wrong", scope=["*"])

    assert (response.status_code, response.data) == (401, invalid_client(profile))


def test_array_of_client_ids_wins_over_basic(both, profile):
    headers = [FORM, basic(f"{both.client_id}:{both.client_secret}")]

    response = send(both, "POST", "/oauth/token", headers, "grant_type=client_credentials&client_id[]=x")

    assert (response.status_code, response.data) == (400, invalid_request(profile, "client_id"))


@pytest.mark.parametrize(
    ("value", "as_text"), [(1, "1"), (0, "0"), (-1.5, "-1.5"), (True, "1"), (10**30, "1" + "0" * 30)], ids=str
)
def test_number_or_true_counts_as_its_text(both, profile, value, as_text):
    response = post_json(both, client_id=value)

    assert (response.status_code, response.data) == (401, invalid_client(profile))
    assert last_entry(both).client_id == as_text


def test_last_of_a_repeated_form_field_wins(both):
    body = f"client_secret=wrong&client_id[]=x&{urlencode(both.credentials())}"

    assert send(both, "POST", "/oauth/token", [FORM], body).status_code == 200
    assert send(both, "POST", "/oauth/token", [FORM], f"{body}&client_secret=wrong").status_code == 401


def test_last_of_a_repeated_query_parameter_wins(both):
    query = urlencode(both.credentials())

    assert send(both, "GET", f"/oauth/token?client_secret=wrong&{query}").status_code == 200
    assert send(both, "GET", f"/oauth/token?{query}&client_secret=wrong").status_code == 401


def test_last_of_a_repeated_json_key_wins(both):
    body = json.dumps(both.credentials())

    assert send(both, "POST", "/oauth/token", [JSON], '{"client_secret":"wrong",' + body[1:]).status_code == 200
    assert send(both, "POST", "/oauth/token", [JSON], body[:-1] + ',"client_secret":"wrong"}').status_code == 401


def test_unknown_parameters_are_ignored(both):
    assert both.request_token(audience="x", redirect_uri="http://a", code="1", username="a").status_code == 200


def test_fields_beyond_the_first_thousand_are_not_read(both, profile):
    """As with PHP's ``max_input_vars``."""
    good = urlencode(both.credentials())

    within = send(both, "POST", "/oauth/token", [FORM], "&".join(["a=1"] * 997) + f"&{good}")
    beyond = send(both, "POST", "/oauth/token", [FORM], "&".join(["a=1"] * 1000) + f"&{good}")

    assert within.status_code == 200
    assert (beyond.status_code, beyond.data) == (400, unsupported_grant_type(profile))


def test_multipart_with_too_many_parts_is_as_if_absent(both, profile):
    part = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'

    response = send(both, "POST", "/oauth/token", [("Content-Type", "multipart/form-data; boundary=b")], part * 1001)

    assert (response.status_code, response.data) == (400, unsupported_grant_type(profile))


def test_bytes_of_a_form_that_are_not_utf8_match_no_client(both, profile):
    body = b"grant_type=client_credentials&client_secret=x&client_id=\xff%ff"

    response = send(both, "POST", "/oauth/token", [FORM], body)

    assert (response.status_code, response.data) == (401, invalid_client(profile))


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'a': 1}",
        b'{"a": 1,}',
        b"  ",
        b"null",
        b" null ",
        b"NaN",
        b'{"client_id": NaN}',
        b'{"client_id": Infinity}',
        b'\xef\xbb\xbf{"grant_type": "client_credentials"}',
        b'{"grant_type": "\xff"}',
        b'{"client_secret": "\\ud800"}',
        b"[" * 100_000,
        b"[" * 513 + b"]" * 513,
        b"grant_type=client_credentials",
        b"\0",
    ],
    ids=[
        "cut",
        "single-quotes",
        "trailing-comma",
        "blank",
        "null",
        "padded-null",
        "nan",
        "nan-inside",
        "infinity",
        "byte-order-mark",
        "not-utf8",
        "lone-surrogate",
        "100000-deep",
        "513-deep",
        "form",
        "nul",
    ],
)
def test_unreadable_json_is_a_bad_request_in_modern_and_empty_in_legacy(both, profile, body):
    response = send(both, "POST", "/oauth/token", [JSON], body)

    assert response.status_code == 400
    assert response.data == (BAD_REQUEST if profile == "modern" else unsupported_grant_type(profile))
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-cache, private"
    assert response.headers["X-RateLimit-Remaining"] == "59"
    assert last_entry(both).reason.startswith("malformed_json: ")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"0", b"1.5", b'""', b"false", b"[" * 512 + b"]" * 512], ids=repr)
def test_json_without_parameters_is_an_unsupported_grant_type(both, profile, body):
    response = send(both, "POST", "/oauth/token", [JSON], body)

    assert (response.status_code, response.data) == (400, unsupported_grant_type(profile))
    cause = "" if body in (b"", b"{}") else "; the body is JSON, but not an object"
    assert last_entry(both).reason == f"unsupported_grant_type: none given{cause}"


def test_escapes_in_json_are_read(both):
    body = json.dumps(both.credentials()).replace("client_id", "client\\u005fid").replace("-", "\\u002d")

    assert send(both, "POST", "/oauth/token", [JSON], body).status_code == 200


def test_percent_encoding_in_a_form_is_read(both):
    body = "&".join(f"{name}={''.join(f'%{ord(c):02x}' for c in value)}" for name, value in both.credentials().items())

    assert send(both, "POST", "/oauth/token", [FORM], body).status_code == 200
    assert send(both, "GET", f"/oauth/token?{quote(body, safe='=&%')}").status_code == 200
