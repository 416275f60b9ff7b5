"""Who may send to an inbound URL: the token, its scope and its connector, in the platform's order (WIRE B)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from sandbox.platform.keys import SigningKey
from tests.web.emulated.sending import JSON, basic, bearer, last_entry, send

URL = "/v1/acme/anything"
ORDERS = "/v1/acme/orders"
UNAUTHENTICATED = b'{"message":"Unauthenticated."}'
INVALID_SCOPE = b'{\n    "message": "Invalid scope(s) provided."\n}'
UNAUTHORIZED = b'{\n    "message": "This action is unauthorized."\n}'


def encoded(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims_part(access_token):
    return access_token.split(".")[1]


def forged(access_token, header, signature=b""):
    return f"{encoded(header)}.{claims_part(access_token)}.{encoded(signature)}"


def signed_by_another_key(integration):
    claims = json.loads(base64.urlsafe_b64decode(claims_part(integration.token()) + "=="))
    return SigningKey.generate().sign(claims)


def tampered(integration):
    head, claims, signature = integration.token().split(".")
    other = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return f"{head}.{encoded({**other, 'scopes': ['*']})}.{signature}"


def with_hs256(integration):
    """The public key as the secret of an HMAC: what a careless verifier would take."""
    access_token = integration.token()
    head = encoded({"typ": "JWT", "alg": "HS256"})
    message = f"{head}.{claims_part(access_token)}".encode()
    return f"{message.decode()}.{encoded(hmac.new(b'public key', message, hashlib.sha256).digest())}"


def expired(integration):
    access_token = integration.token()
    integration.sandbox.clock.advance(hours=24)
    return access_token


def revoked(integration):
    access_token = integration.token()
    integration.sandbox.revoke_tokens()
    return access_token


def of_deleted_client(integration):
    access_token = integration.token()
    client = integration.sandbox.store.find_client(integration.client_id)
    integration.sandbox.delete_client(client.connector_id, client.id, client.name)
    return access_token


def of_before_the_reset(integration):
    access_token = integration.token()
    integration.sandbox.reset()
    return access_token


def of_the_future(integration):
    integration.sandbox.clock.advance(hours=1)
    access_token = integration.token()
    integration.sandbox.clock.advance(hours=-1)
    return access_token


BAD_TOKENS = {
    "empty": (lambda _: "", "no_token"),
    "no-jwt": (lambda _: "abc", "malformed_token"),
    "null": (lambda _: "null", "malformed_token"),
    "two-parts": (lambda at: at.token().rpartition(".")[0], "malformed_token"),
    "very-long": (lambda _: "a" * 20_000, "malformed_token"),
    "not-ascii": (lambda _: "\xe9\xff", "malformed_token"),
    "algorithm-none": (lambda at: forged(at.token(), {"typ": "JWT", "alg": "none"}), "algorithm_not_allowed"),
    "hs256": (with_hs256, "algorithm_not_allowed"),
    "another-key": (signed_by_another_key, "bad_signature"),
    "tampered": (tampered, "bad_signature"),
    "expired": (expired, "token_expired"),
    "not-yet-valid": (of_the_future, "token_not_yet_valid"),
    "revoked": (revoked, "token_revoked"),
    "of-deleted-client": (of_deleted_client, "client_deleted"),
    "unknown-jti": (of_before_the_reset, "unknown_token"),
}


def assert_unauthenticated(integration, response, reason):
    headers = [item for item in response.headers.items() if item[0] not in ("Content-Length", "Date")]
    assert response.status_code == 401
    assert response.data == UNAUTHENTICATED
    assert sorted(headers) == [
        ("Cache-Control", "no-cache, private"),
        ("Content-Type", "application/json"),
        ("X-RateLimit-Limit", "60"),
        ("X-RateLimit-Remaining", "59"),
    ]
    assert last_entry(integration).reason.partition(":")[0] == reason


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_bad_token_is_unauthenticated_and_only_the_journal_says_why(both, name):
    make, reason = BAD_TOKENS[name]
    access_token = make(both)

    response = send(both, "POST", URL, [bearer(access_token)], b"x")

    assert_unauthenticated(both, response, reason)


def test_signature_of_a_refused_token_is_looked_at_once(both, monkeypatch):
    access_token, looked_at = tampered(both), []
    verify = SigningKey.verify
    monkeypatch.setattr(SigningKey, "verify", lambda key, token: looked_at.append(token) or verify(key, token))

    response = send(both, "POST", URL, [bearer(access_token)], b"x")

    assert_unauthenticated(both, response, "bad_signature")
    assert looked_at == [access_token]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [basic("a:b")],
        [("Authorization", "Token {token}")],
        [("Authorization", "{token}")],
        [("X-Authorization", "Bearer {token}")],
    ],
    ids=["none", "empty", "scheme-only", "basic", "other-scheme", "no-scheme", "other-header"],
)
def test_request_without_a_bearer_token_is_unauthenticated(both, headers):
    """Also of a token without its scheme: the framework's library would overlook that, RFC 6750 does not allow it."""
    access_token = both.token()

    response = send(both, "POST", URL, [(name, value.format(token=access_token)) for name, value in headers], b"x")

    assert_unauthenticated(both, response, "no_token")


def test_token_in_the_query_or_body_does_not_count(both):
    access_token = both.token()

    response = send(both, "POST", f"{URL}?access_token={access_token}", [], f"access_token={access_token}")

    assert_unauthenticated(both, response, "no_token")


@pytest.mark.parametrize("authorization", ["bearer {}", "BEARER {}"])
def test_bearer_knows_no_case_in_modern_and_is_exact_in_legacy(modern, legacy, authorization):
    statuses = [
        send(at, "POST", URL, [("Authorization", authorization.format(at.token()))], b"x").status_code
        for at in (modern, legacy)
    ]

    assert statuses == [200, 401]


@pytest.mark.parametrize("authorization", ["Bearer   {}", "Bearer\t{}", "Bearer {} "])
def test_blanks_around_the_token_do_not_count(both, authorization):
    headers = [("Authorization", authorization.format(both.token()))]

    assert send(both, "POST", URL, headers, b"x").status_code == 200


def test_token_is_good_until_the_moment_it_expires(both):
    both.sandbox.clock.freeze()
    access_token = both.token()

    both.sandbox.clock.advance(timedelta(hours=24, seconds=-1))
    before = both.post(token=access_token)
    both.sandbox.clock.advance(1)
    after = both.post(token=access_token)

    assert before.status_code == 200
    assert (after.status_code, after.data) == (401, UNAUTHENTICATED)


def test_refused_token_still_names_its_client_in_the_journal(both):
    access_token = expired(both)

    both.post(token=access_token)

    assert last_entry(both).client_id == both.client_id
    assert last_entry(both).token_fingerprint is not None


def test_rotated_key_ends_older_tokens(both):
    access_token = both.token()
    both.sandbox.keys.rotate()

    response = send(both, "POST", URL, [bearer(access_token)], b"x")

    assert_unauthenticated(both, response, "bad_signature")
    assert both.post().status_code == 200


def test_star_passes_for_every_scope(both):
    assert both.post(token=both.token(scope="*")).status_code == 200


def test_token_without_the_scope_is_forbidden(make_integration, profile):
    integration = make_integration(wire_profile=profile, scopes=["read"])

    response = integration.post(token=integration.token(scope="read"))

    assert (response.status_code, response.data) == (403, INVALID_SCOPE)
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-RateLimit-Remaining"] == "59"
    assert last_entry(integration).reason == "missing_scope: the token has read, not access-inbound"


@pytest.fixture
def stranger(both):
    """A token of another connector of the same company."""
    store = both.sandbox.store
    new = store.add_client(store.add_connector("acme", "Other").id, "Stranger")
    return both.token(client_id=new.client.id, client_secret=new.secret)


def test_token_of_another_connector_is_forbidden(both, stranger):
    response = both.post(token=stranger)

    assert (response.status_code, response.data) == (403, UNAUTHORIZED)
    assert last_entry(both).reason.startswith("other_connector: ")


def test_size_comes_before_the_token(make_integration, profile):
    integration = make_integration(wire_profile=profile, body_limit=3)

    assert send(integration, "POST", URL, [], b"1234").status_code == 413


def test_throttle_comes_before_the_token(make_integration, profile):
    integration = make_integration(wire_profile=profile, rate_limit=True, rate_limit_requests=1)

    statuses = [send(integration, "POST", URL, [], b"x").status_code for _ in range(2)]

    assert statuses == [401, 429]


def test_token_comes_before_the_service(both):
    assert send(both, "POST", "/v1/nobody/nothing", [bearer("x")], b"x").status_code == 401


def test_scope_comes_before_the_service(make_integration, profile):
    integration = make_integration(wire_profile=profile, scopes=["read"])

    assert integration.post(path="/v1/acme/nothing", token=integration.token(scope="read")).status_code == 403


def test_service_comes_before_the_body(both):
    assert both.post(b"", path="/v1/acme/nothing").status_code == 404


def test_connector_comes_before_the_body(both, stranger):
    assert both.post(b"", path=ORDERS, token=stranger).status_code == 403


def test_token_comes_before_the_body(both):
    assert send(both, "POST", ORDERS, [JSON], b"{").status_code == 401
