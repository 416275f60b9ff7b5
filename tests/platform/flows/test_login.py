"""Login and logout of users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.platform.flows.sending import ADA, START, Flows

A, B = "/api/v1/login", "/fabric/api/login"
BY_NAME = {"username": ADA["email"], "password": ADA["password"]}


@pytest.mark.parametrize(("path", "good", "other", "keys"), [
    (A, ADA, BY_NAME, ["message", "token"]),
    (B, BY_NAME, ADA, ["message", "token", "expires_in"]),
], ids=["a", "b"])  # fmt: skip
def test_each_form_knows_its_own_field(
    flows: Flows, path: str, good: dict[str, str], other: dict[str, str], keys: list[str]
) -> None:
    answered, refused = flows.send("POST", path, good), flows.send("POST", path, other)

    assert (answered.status, list(answered.json)) == (200, keys)
    assert answered.json["message"] == "You have successfully logged in."
    assert answered.json.get("expires_in") in (None, 86400)
    assert refused.status == 422
    assert list(refused.json["errors"]) == [next(iter(good))]


@pytest.mark.parametrize("given", [{**ADA, "password": "correct-hors"}, {**ADA, "email": "bob@example.test"}])
def test_wrong_credentials_are_refused(flows: Flows, given: dict[str, str]) -> None:
    sent = flows.send("POST", A, given)

    assert (sent.status, sent.body) == (401, b'{"message":"Incorrect email or password."}')


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000, b'{"email":1,"password":[]}', b"\xff\0"])
def test_body_without_fields_is_refused(flows: Flows, body: bytes) -> None:
    assert flows.send("POST", A, body).status == 422


def test_form_is_read_too(flows: Flows) -> None:
    body = b"email=Ada%40example.test&password=correct-horse"

    assert flows.send("POST", A, body, Content_Type="application/x-www-form-urlencoded").status == 200


def test_logout_revokes_the_token(flows: Flows) -> None:
    bearer = f"Bearer {flows.send('POST', A, ADA).json['token']}"

    before = flows.send("POST", START, Authorization=bearer)
    out = flows.send("POST", "/fabric/api/logout", Authorization=bearer)
    after = flows.send("POST", START, Authorization=bearer)

    assert before.status == 200
    assert (out.status, out.json) == (200, {"message": "You have successfully logged out."})
    assert (after.status, after.entry.reason) == (401, "token_revoked: by logout")


def test_token_lives_for_24_hours(flows: Flows) -> None:
    bearer = f"Bearer {flows.send('POST', A, ADA).json['token']}"

    flows.sandbox.clock.advance("23h59m")
    assert flows.send("POST", START, Authorization=bearer).status == 200
    flows.sandbox.clock.advance("2m")
    assert flows.send("POST", START, Authorization=bearer).entry.reason.startswith("token_expired")  # type: ignore[union-attr]


def test_password_and_token_are_not_in_the_journal(flows: Flows) -> None:
    token = flows.send("POST", A, ADA).json["token"]
    flows.send("POST", START, Authorization=f"Bearer {token}")

    journalled = repr(list(flows.sandbox.journal.snapshot()))
    for secret in (ADA["password"], token):
        assert secret not in journalled


def test_token_of_the_login_is_not_for_inbound_urls(make_sandbox: Callable[..., Any]) -> None:
    flows = Flows(make_sandbox())
    flows.sandbox.extend_seed({"companies": [{"name": "Acme Ltd", "slug": "acme", "users": [ADA]}]})
    token = flows.send("POST", A, ADA).json["token"]

    sent = flows.send("POST", "/v1/acme/anything", b"x", Authorization=f"Bearer {token}")

    assert (sent.status, sent.entry.reason) == (401, "login_token: a token of the login is for process flows")


def test_logins_are_limited_where_limits_are_on(make_flows: Callable[..., Flows]) -> None:
    flows = make_flows(flow_limits=True)

    assert [flows.send("POST", A, ADA).status for _ in range(21)] == [*[200] * 20, 429]
