"""What the token endpoint answers: the token, its claims and scopes, and its refusals' headers (WIRE A)."""

from __future__ import annotations

import json

import jwt
import pytest

from tests.conftest import Integration
from tests.web.emulated.refusals import invalid_client, invalid_scope
from tests.web.emulated.sending import FORM, basic, last_entry, send

NOW = "2026-11-23T18:00:00.25Z"
NOW_TIMESTAMP = 1795456800.25


@pytest.fixture
def frozen(both):
    """A sandbox whose clock stands still at a quarter past a second."""
    both.sandbox.clock.change(now=NOW, frozen=True)
    return both


def claims_of(access_token):
    return jwt.decode(access_token, options={"verify_signature": False})


def test_answer_has_exactly_these_headers_and_keys(both):
    response = both.request_token()

    headers = [item for item in response.headers.items() if item[0] not in ("Content-Length", "Date")]
    assert sorted(headers) == [
        ("Cache-Control", "no-store, private"),
        ("Content-Type", "application/json; charset=UTF-8"),
        ("Pragma", "no-cache"),
        ("X-RateLimit-Limit", "60"),
        ("X-RateLimit-Remaining", "59"),
    ]
    access_token = response.json["access_token"]
    assert response.text == f'{{"token_type":"Bearer","expires_in":86400,"access_token":"{access_token}"}}'


def test_modern_claims_have_microseconds_and_the_client_as_subject(make_integration):
    modern = make_integration(wire_profile="modern")
    modern.sandbox.clock.change(now=NOW, frozen=True)

    access_token = modern.token()

    claims = claims_of(access_token)
    assert list(claims.items()) == [
        ("aud", modern.client_id),
        ("jti", claims["jti"]),
        ("iat", NOW_TIMESTAMP),
        ("nbf", NOW_TIMESTAMP),
        ("exp", NOW_TIMESTAMP + 86400),
        ("sub", modern.client_id),
        ("scopes", ["access-inbound"]),
    ]


def test_legacy_claims_have_whole_seconds_and_no_subject(make_integration):
    legacy = make_integration(wire_profile="legacy")
    legacy.sandbox.clock.change(now=NOW, frozen=True)

    access_token = legacy.token()

    claims = claims_of(access_token)
    assert list(claims.items()) == [
        ("aud", legacy.client_id),
        ("jti", claims["jti"]),
        ("iat", 1795456800),
        ("nbf", 1795456800),
        ("exp", 1795543200),
        ("sub", ""),
        ("scopes", ["access-inbound"]),
    ]
    assert all(isinstance(claims[name], int) for name in ("iat", "nbf", "exp"))


def test_jwt_header_is_exact_and_jti_is_80_hex_digits(both):
    access_token = both.token()

    assert list(jwt.get_unverified_header(access_token).items()) == [("typ", "JWT"), ("alg", "RS256")]
    jti = claims_of(access_token)["jti"]
    assert len(jti) == 80
    assert set(jti) <= set("0123456789abcdef")


def test_each_call_gives_a_new_token_and_older_ones_stay_valid(frozen):
    first, second = frozen.token(), frozen.token()

    assert first != second
    assert frozen.post(token=first).status_code == 200
    assert frozen.post(token=second).status_code == 200


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        (None, ["access-inbound"]),
        ("", ["access-inbound"]),
        ("   ", ["access-inbound"]),
        ("write read", ["write", "read"]),
        ("read  write read", ["read", "write"]),
        ("*", ["*"]),
        ("read *", ["read", "*"]),
    ],
    ids=repr,
)
def test_scopes_are_granted_in_the_order_of_the_request_without_repeats(make_integration, profile, scope, granted):
    integration = make_integration(wire_profile=profile, scopes=["read", "write"])

    assert claims_of(integration.token(scope=scope))["scopes"] == granted


@pytest.mark.parametrize(
    ("scope", "shown"),
    [
        ("access-inbound bogus worse", "bogus"),
        ("ACCESS-INBOUND", "ACCESS-INBOUND"),
        ("a\tb", "a\tb"),
        ("**", "**"),
        ("<b>'\"&", "&lt;b&gt;&#039;&quot;&amp;"),
        ("&amp;&lt;&eacute;&#39;&#x27;", "&amp;&lt;&eacute;&#39;&#x27;"),
        ("&bogus;&apos;&", "&amp;bogus;&amp;apos;&amp;"),
    ],
    ids=["first-bad-one", "case", "tab", "stars", "html", "entities-stay", "no-entities-of-html4"],
)
def test_unknown_scope_is_named_and_escaped(both, profile, scope, shown):
    response = both.request_token(scope=scope)

    assert (response.status_code, response.data) == (400, invalid_scope(profile, shown))
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-cache, private"


def test_scope_that_is_not_ascii_is_escaped_in_the_json(both):
    response = both.request_token(scope="é/😀")

    assert b"Check the `\\u00e9\\/\\ud83d\\ude00` scope" in response.data


def test_scope_is_checked_after_the_credentials(both, profile):
    response = both.request_token(scope="bogus", client_secret="wrong")

    assert (response.status_code, response.data) == (401, invalid_client(profile))


def test_scope_zero_is_ignored_in_legacy_only(modern, legacy):
    """PHP counts the text ``0`` as empty; the modern server compares with the empty text."""
    assert modern.request_token(scope="0 access-inbound").data == invalid_scope("modern", "0")
    assert claims_of(legacy.token(scope="0 *"))["scopes"] == ["*"]


@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [
        (None, None),
        ("", None),
        ("Basic bm9ib2R5Ondyb25n", 'Basic realm="OAuth"'),
        ("Bearer some.old.token", 'Bearer realm="OAuth"'),
        ("Bearerish", 'Bearer realm="OAuth"'),
        ("bearer some.old.token", 'Basic realm="OAuth"'),
        ("Digest x", 'Basic realm="OAuth"'),
        ("anything", 'Basic realm="OAuth"'),
    ],
)
def test_invalid_client_is_challenged_by_what_was_sent(both, profile, authorization, challenge):
    """An empty header is as good as none: servers make one up where the client sent nothing."""
    headers = [FORM] if authorization is None else [FORM, ("Authorization", authorization)]
    body = "grant_type=client_credentials&client_id=nobody&client_secret=wrong"

    response = send(both, "POST", "/oauth/token", headers, body)

    assert (response.status_code, response.data) == (401, invalid_client(profile))
    assert response.headers.get("WWW-Authenticate") == challenge


@pytest.mark.parametrize("changes", [{"grant_type": "x"}, {"client_id": ""}, {"scope": "bogus"}], ids=str)
def test_other_refusals_are_not_challenged(both, changes):
    headers = [FORM, basic("a:b")] if "client_id" not in changes else [FORM, ("Authorization", "Bearer x")]
    body = "&".join(f"{name}={value}" for name, value in both.credentials(**changes).items())

    response = send(both, "POST", "/oauth/token", headers, body)

    assert response.status_code == 400
    assert "WWW-Authenticate" not in response.headers


def test_secret_and_token_are_not_in_the_journal(both):
    access_token = both.token()

    entry = last_entry(both)
    assert entry.outcome == "accepted"
    assert both.client_secret not in entry.text
    assert access_token.encode() not in entry.response_body


@pytest.mark.parametrize("path", ["/oauth/token/", "/oauth/token//", "/oauth%2Ftoken"])
def test_token_path_with_slashes_at_its_end_is_the_token_endpoint(both, path):
    response = both.http.post(path, data=both.credentials())

    assert response.status_code == 200
    assert last_entry(both).kind == "token"
    assert json.loads(response.data)["access_token"].encode() not in last_entry(both).response_body


def test_deleted_client_gets_no_token(both, profile):
    client = both.sandbox.store.find_client(both.client_id)
    both.sandbox.delete_client(client.connector_id, client.id, client.name)

    response = both.request_token()

    assert (response.status_code, response.data) == (401, invalid_client(profile))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_secret_sent_as_the_client_id_is_kept_out_of_the_journal_and_explained(
    integration: Integration, method: str
) -> None:
    swapped = integration.credentials(client_id=integration.client_secret, client_secret=integration.client_id)
    place = {"query_string": swapped} if method == "GET" else {"data": swapped}

    response = integration.http.open("/oauth/token", method=method, **place)

    (entry,) = integration.sandbox.journal.snapshot()
    assert response.status_code == 401
    assert entry.reason == "secret_as_client_id: the client id sent is a client's secret; are the two swapped?"
    assert integration.client_secret not in f"{entry!r}{entry.body!r}{entry.query}{entry.client_id}"
