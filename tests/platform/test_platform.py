"""The emulated platform without HTTP: granting tokens, accepting payloads, and every reason not to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.foundation.refusals import (
    InvalidClientError,
    InvalidPayloadError,
    InvalidRequestError,
    InvalidScopeError,
    MalformedBodyError,
    MissingScopeError,
    RefusalError,
    RouteNotFoundError,
    TooManyAttemptsError,
    UnauthenticatedError,
    UnauthorizedActionError,
    UnsupportedGrantTypeError,
)
from sandbox.journal.entry import Exchange
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.journal.redaction import redact_header
from sandbox.journal.request import Request
from sandbox.platform.endpoints.inbound import ENDPOINT as INBOUND
from sandbox.platform.serve import handle, receive, serve
from sandbox.platform.token_request import TokenRequest
from tests.platform.granting import grant
from tests.platform.tokens_by_hand import claims_of

MakeSandbox = Callable[..., Sandbox]


class Caller:
    """An integration that talks to the platform without HTTP."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        new = next(iter(sandbox.credentials.values()))
        self.client, self.secret = new.client, new.secret

    def exchange(self, path: str, body: bytes = b"", remote_addr: str = "127.0.0.1", **headers: str) -> Exchange:
        platform = self.sandbox.platform
        request = Request("POST", path, headers=tuple(headers.items()), remote_addr=remote_addr, body=body)
        exchange, _ = receive(platform, request)
        return exchange

    def token(self, exchange: Exchange | None = None, **changes: Any) -> str:
        parameters = {"grant_type": "client_credentials", "client_id": self.client.id, "client_secret": self.secret}
        exchange = exchange or self.exchange("/oauth/token")
        return grant(self.sandbox.platform, exchange, TokenRequest(**{**parameters, **changes}))

    def post(self, body: bytes = b"x", path: str = "/v1/acme/anything", authorization: str | None = "") -> Exchange:
        """Post a payload with a new token unless an Authorization is given; ``None`` sends none."""
        if authorization == "":
            authorization = f"Bearer {self.token()}"
        headers = {} if authorization is None else {"Authorization": authorization}
        made = self.exchange(path, body, **headers)
        handle(self.sandbox.platform, made, INBOUND)
        return made


@pytest.fixture
def caller(sandbox: Sandbox) -> Caller:
    return Caller(sandbox)


def refused(error: type[RefusalError], call: Callable[[], object]) -> str:
    """Return the reason why a call is refused."""
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    return caught.value.reason


# --- which endpoint -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind", "company", "vanity_url"),
    [
        ("/oauth/token", "token", None, None),
        ("/oauth/token/", "token", None, None),
        ("/v1/acme/orders", "inbound", "acme", "orders"),
        ("/v1/nobody/nothing", "inbound", "nobody", "nothing"),
        ("/", "other", None, None),
        ("/oauth", "other", None, None),
        ("/oauth/tokens", "other", None, None),
        ("/v1/acme", "other", None, None),
        ("/v1/acme/orders/1", "other", None, None),
        ("/v2/acme/orders", "other", None, None),
    ],
)
def test_request_is_classified_by_its_path(
    caller: Caller, path: str, kind: str, company: str | None, vanity_url: str | None
) -> None:
    made = caller.exchange(path)
    found = (made.kind, made.subject.get("company"), made.subject.get("vanity_url"))

    assert found == (kind, company, vanity_url)


def test_token_path_is_a_setting(make_sandbox: MakeSandbox) -> None:
    caller = Caller(make_sandbox(token_path="/auth/token"))

    assert caller.exchange("/auth/token").kind == "token"
    assert caller.exchange("/oauth/token").kind == "other"


# --- tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["modern", "legacy"])
def test_good_credentials_get_a_token(make_sandbox: MakeSandbox, profile: str) -> None:
    caller = Caller(make_sandbox(wire_profile=profile))
    exchange = caller.exchange("/oauth/token")
    claims = claims_of(caller.token(exchange))

    assert list(claims) == ["aud", "jti", "iat", "nbf", "exp", "sub", "scopes"]
    assert claims["exp"] - claims["iat"] == pytest.approx(86_400, abs=1e-5)
    assert (claims["aud"], claims["scopes"]) == (caller.client.id, ["access-inbound"])
    assert claims["sub"] == (caller.client.id if profile == "modern" else "")
    assert (exchange.accepted, exchange.client_id, exchange.reason) == (True, caller.client.id, None)


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"grant_type": None}, UnsupportedGrantTypeError, "unsupported_grant_type: none given"),
        ({"grant_type": "password"}, UnsupportedGrantTypeError, "unsupported_grant_type: password"),
        ({"grant_type": "Client_Credentials"}, UnsupportedGrantTypeError, "unsupported_grant_type: Client_Credentials"),
        ({"client_id": None}, InvalidRequestError, "missing_client_id"),
        ({"client_secret": None}, InvalidRequestError, "missing_client_secret"),
        ({"client_id": "nobody"}, InvalidClientError, "unknown_client: nobody"),
        ({"client_secret": "wrong"}, InvalidClientError, "wrong_secret"),
        ({"scope": "access-inbound bogus other"}, InvalidScopeError, "unknown_scope: bogus"),
        ({"scope": "bogus", "client_secret": "wrong"}, InvalidClientError, "wrong_secret"),
        ({"unreadable": "not JSON"}, MalformedBodyError, "malformed_json: not JSON"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_token_request_is_refused_with_its_reason(
    caller: Caller, changes: dict[str, Any], error: type[RefusalError], reason: str
) -> None:
    exchange = caller.exchange("/oauth/token")

    assert refused(error, lambda: caller.token(exchange, **changes)) == reason
    assert not exchange.accepted


@pytest.mark.parametrize("parameter", ["client_id", "client_secret", "scope"])
def test_parameter_that_is_a_list_is_refused(caller: Caller, parameter: str) -> None:
    reason = refused(InvalidRequestError, lambda: caller.token(malformed=(parameter,)))

    assert parameter in reason


def test_legacy_profile_refuses_a_missing_secret_and_unreadable_json_in_its_own_way(make_sandbox: MakeSandbox) -> None:
    caller = Caller(make_sandbox(wire_profile="legacy"))

    assert refused(InvalidClientError, lambda: caller.token(client_secret=None)) == "wrong_secret: none given"
    refused(UnsupportedGrantTypeError, lambda: caller.token(unreadable="not JSON"))


def test_deleted_client_gets_no_token(caller: Caller) -> None:
    caller.sandbox.delete_client(1, caller.client.id, caller.client.name)

    assert refused(InvalidClientError, caller.token).startswith("unknown_client: ")


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        (None, ["access-inbound"]),
        ("", ["access-inbound"]),
        ("  ", ["access-inbound"]),
        ("*", ["*"]),
        ("extra  access-inbound extra", ["extra", "access-inbound"]),
    ],
)
def test_scopes_asked_for_are_granted_once_each(
    make_sandbox: MakeSandbox, scope: str | None, granted: list[str]
) -> None:
    caller = Caller(make_sandbox(scopes="extra"))

    assert claims_of(caller.token(scope=scope))["scopes"] == granted


# --- the token on an inbound URL ------------------------------------------------------------------------------------


def test_payload_with_a_good_token_is_accepted(caller: Caller) -> None:
    made = caller.post(b"any \xff bytes")

    assert (made.accepted, made.client_id, made.reason) == (True, caller.client.id, None)
    assert made.token is not None
    assert made.token.fingerprint.startswith("sha256:")


@pytest.mark.parametrize("profile", ["modern", "legacy"])
def test_token_is_accepted_one_second_before_24_hours_and_refused_at_24(
    make_sandbox: MakeSandbox, profile: str
) -> None:
    sandbox = make_sandbox(wire_profile=profile)
    caller = Caller(sandbox)
    sandbox.clock.change(now="2026-11-23T18:00:00Z", frozen=True)
    authorization = f"Bearer {caller.token()}"
    sandbox.clock.advance(hours=24, seconds=-1)
    assert caller.post(authorization=authorization).accepted

    sandbox.clock.advance(seconds=1)
    reason = refused(UnauthenticatedError, lambda: caller.post(authorization=authorization))
    assert reason == "token_expired: 0 s ago, at 2026-11-24T18:00:00.000000Z"


def test_clock_frozen_at_any_real_time_keeps_to_the_same_bounds(sandbox: Sandbox) -> None:
    for _ in range(20):
        sandbox.reset()
        sandbox.clock.freeze()
        caller = Caller(sandbox)
        authorization = f"Bearer {caller.token()}"
        assert caller.post(authorization=authorization).accepted
        sandbox.clock.advance("24h")
        refused(UnauthenticatedError, lambda: caller.post(authorization=authorization))  # noqa: B023 - called at once


def test_clock_moved_backwards_makes_the_token_too_early(caller: Caller) -> None:
    authorization = f"Bearer {caller.token()}"
    caller.sandbox.clock.advance("-1h")

    assert refused(UnauthenticatedError, lambda: caller.post(authorization=authorization)).startswith(
        "token_not_yet_valid: "
    )


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        (None, "no_token: there is no Authorization header"),
        ("Bearer", "no_token: not of the form 'Bearer …'"),
        ("Bearer ", "no_token: not of the form 'Bearer …'"),
        ("Token abc", "no_token: not of the form 'Bearer …'"),
        ("nonsense", "no_token: not of the form 'Bearer …'"),
        ("Bearer nonsense", "malformed_token: 1 part, a JWT has 3"),
    ],
)
def test_missing_or_unusable_token_is_refused(caller: Caller, authorization: str | None, reason: str) -> None:
    assert refused(UnauthenticatedError, lambda: caller.post(authorization=authorization)) == reason


@pytest.mark.parametrize(("profile", "accepted"), [("modern", True), ("legacy", False)])
def test_case_of_bearer_matters_in_legacy_only(make_sandbox: MakeSandbox, profile: str, accepted: bool) -> None:
    caller = Caller(make_sandbox(wire_profile=profile))
    authorization = f"bearer {caller.token()}"
    if accepted:
        assert caller.post(authorization=authorization).accepted
    else:
        assert refused(UnauthenticatedError, lambda: caller.post(authorization=authorization)).startswith("no_token")


def test_token_of_a_deleted_client_is_refused_even_if_it_escaped_revocation(caller: Caller) -> None:
    authorization = f"Bearer {caller.token()}"
    caller.sandbox.store.delete_client(1, caller.client.id, caller.client.name)

    assert refused(UnauthenticatedError, lambda: caller.post(authorization=authorization)) == (
        "client_deleted: the token's OAuth client was deleted"
    )


def test_token_without_the_scope_is_refused_and_the_star_passes(make_sandbox: MakeSandbox) -> None:
    caller = Caller(make_sandbox(scopes="extra"))
    without, star = (f"Bearer {caller.token(scope=scope)}" for scope in ("extra", "*"))

    assert refused(MissingScopeError, lambda: caller.post(authorization=without)) == (
        "missing_scope: the token has extra, not access-inbound"
    )
    assert caller.post(authorization=star).accepted


# --- the service ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/acme/nothing", "/v1/nobody/orders", "/v1/acme/ORDERS"])
def test_unknown_service_is_not_found(caller: Caller, path: str) -> None:
    assert refused(RouteNotFoundError, lambda: caller.post(path=path)).startswith("unknown_service: no service at ")


def test_unknown_service_is_not_told_without_a_token(caller: Caller) -> None:
    refused(UnauthenticatedError, lambda: caller.post(path="/v1/nobody/nothing", authorization=None))


def test_client_of_another_connector_is_refused(caller: Caller) -> None:
    store = caller.sandbox.store
    other = store.add_client(store.add_connector("acme", "Other").id, "Other client")
    token = caller.token(client_id=other.client.id, client_secret=other.secret)

    assert refused(UnauthorizedActionError, lambda: caller.post(authorization=f"Bearer {token}")) == (
        "other_connector: the token belongs to a client of another connector"
    )


@pytest.mark.parametrize(
    ("setting", "error"),
    [("not_found", RouteNotFoundError), ("forbidden", UnauthorizedActionError), ("accept", None)],
)
def test_inactive_service_answers_as_the_setting_says(
    make_sandbox: MakeSandbox, setting: str, error: type[RefusalError] | None
) -> None:
    sandbox = make_sandbox(inactive_service=setting)
    caller = Caller(sandbox)
    service = sandbox.store.find_service("acme", "anything")
    assert service is not None
    sandbox.store.change_service(service.id, active=False)
    if error is None:
        assert caller.post().accepted
    else:
        assert refused(error, caller.post) == f"inactive_service: service {service.id} is not active"


# --- the body -------------------------------------------------------------------------------------------------------


def order(caller: Caller) -> Any:
    """Return the sample of the orders entity."""
    return next(entity.sample for entity in caller.sandbox.store.entities(1) if entity.name == "orders")


@pytest.mark.parametrize("mode", ["reject", "flag", "off"])
@pytest.mark.parametrize("path", ["/v1/acme/orders", "/v1/acme/anything"])
@pytest.mark.parametrize("body", [b"", b" \r\n\t"], ids=repr)
def test_blank_body_is_always_refused(make_sandbox: MakeSandbox, mode: str, path: str, body: bytes) -> None:
    caller = Caller(make_sandbox(entity_check=mode))

    assert refused(InvalidPayloadError, lambda: caller.post(body, path)) == "blank_payload: payload required"


@pytest.mark.parametrize("mode", ["reject", "flag"])
@pytest.mark.parametrize("body", [b"null", b'""', b"[]", b" {} "], ids=repr)
def test_empty_json_is_blank_where_it_is_checked(make_sandbox: MakeSandbox, mode: str, body: bytes) -> None:
    caller = Caller(make_sandbox(entity_check=mode))

    assert refused(InvalidPayloadError, lambda: caller.post(body, "/v1/acme/orders")).startswith("blank_payload: ")
    assert caller.post(body, "/v1/acme/anything").accepted


def test_payload_like_the_sample_and_a_batch_of_it_are_accepted(caller: Caller) -> None:
    sample = order(caller)

    assert caller.post(json.dumps(sample).encode(), "/v1/acme/orders").accepted
    assert caller.post(json.dumps([sample, sample]).encode(), "/v1/acme/orders").accepted


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"order=1001", "entity_mismatch: payload not JSON: Expecting value"),
        (b"\xef\xbb\xbf{}", "entity_mismatch: payload not JSON: "),
        (b'{"a": NaN}', "entity_mismatch: payload not JSON: NaN is not JSON"),
        (b'{"\\ud800": 1}', "entity_mismatch: payload not JSON: an unpaired surrogate"),
        (b"[" * 100_000, "entity_mismatch: payload not JSON: nested deeper than 512 levels"),
        (b'{"x": ' + b"[" * 500 + b"]" * 500 + b"}", "entity_mismatch: payload does not match, and is nested too deep"),
        (b"5", "entity_mismatch: payload: an object is wanted, a number came"),
        (b'[{"a": 1}]', "entity_mismatch: [0]."),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_payload_that_does_not_match_is_refused_with_where_and_why(caller: Caller, body: bytes, reason: str) -> None:
    assert refused(InvalidPayloadError, lambda: caller.post(body, "/v1/acme/orders")).startswith(reason)


@pytest.mark.parametrize("body", [b"not JSON", b'{"a": 1}'], ids=repr)
def test_flagged_mismatch_is_accepted_and_noted(make_sandbox: MakeSandbox, body: bytes) -> None:
    made = Caller(make_sandbox(entity_check="flag")).post(body, "/v1/acme/orders")

    assert made.accepted
    assert made.reason is not None
    assert made.reason.startswith("entity_mismatch: ")


@pytest.mark.parametrize("body", [b"not JSON", b'{"a": 1}', b"null"], ids=repr)
def test_check_that_is_off_notes_nothing(make_sandbox: MakeSandbox, body: bytes) -> None:
    made = Caller(make_sandbox(entity_check="off")).post(body, "/v1/acme/orders")

    assert (made.accepted, made.reason) == (True, None)


# --- rate limit -----------------------------------------------------------------------------------------------------


def test_limit_that_is_off_tells_the_limit_less_one_and_refuses_nothing(caller: Caller) -> None:
    rates = {caller.post(authorization=f"Bearer {caller.token()}").rate for _ in range(3)}

    assert rates == {(60, 59)}


def test_requests_beyond_the_limit_are_refused_until_the_window_is_over(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(rate_limit=True, rate_limit_requests=2, rate_limit_window=60)
    caller = Caller(sandbox)
    sandbox.clock.change(now="2026-11-23T18:00:00Z", frozen=True)
    authorization = f"Bearer {caller.token()}"
    rates = [caller.post(authorization=authorization).rate for _ in range(2)]
    sandbox.clock.advance(20)
    with pytest.raises(TooManyAttemptsError) as caught:
        caller.post(authorization=authorization)
    sandbox.clock.advance(40)

    assert rates == [(2, 1), (2, 0)]
    assert (caught.value.retry_after_s, caught.value.reset_at) == (40, 1_795_456_860)
    assert caller.post(authorization=authorization).rate == (2, 1)


@pytest.mark.parametrize("profile", ["modern", "legacy"])
@pytest.mark.parametrize(("counters", "shared"), [("separate", False), ("shared", True)])
def test_endpoints_share_a_window_where_it_is_set_so(
    make_sandbox: MakeSandbox, profile: str, counters: str, shared: bool
) -> None:
    settings = {"wire_profile": profile, "rate_limit_counters": counters}
    caller = Caller(make_sandbox(rate_limit=True, rate_limit_requests=1, **settings))
    authorization = f"Bearer {caller.token()}"
    if shared:
        refused(TooManyAttemptsError, lambda: caller.post(authorization=authorization))
    else:
        assert caller.post(authorization=authorization).accepted


@pytest.mark.parametrize(("key", "shared"), [("client", False), ("ip", True)])
def test_clients_share_a_window_only_by_address(make_sandbox: MakeSandbox, key: str, shared: bool) -> None:
    sandbox = make_sandbox(rate_limit=True, rate_limit_requests=1, rate_limit_key=key)
    caller = Caller(sandbox)
    other = sandbox.store.add_client(1, "Second client")
    caller.token()

    def second() -> str:
        return caller.token(client_id=other.client.id, client_secret=other.secret)

    if shared:
        refused(TooManyAttemptsError, second)
    else:
        assert second()


def test_unknown_clients_share_the_window_of_their_address(make_sandbox: MakeSandbox) -> None:
    caller = Caller(make_sandbox(rate_limit=True, rate_limit_requests=1))
    refused(InvalidClientError, lambda: caller.token(client_id="a"))
    refused(TooManyAttemptsError, lambda: caller.token(client_id="b"))
    elsewhere = caller.exchange("/oauth/token", remote_addr="127.0.0.2")

    refused(InvalidClientError, lambda: caller.token(elsewhere, client_id="b"))
    assert caller.token()


def test_limit_comes_before_the_token_is_looked_at(make_sandbox: MakeSandbox) -> None:
    caller = Caller(make_sandbox(rate_limit=True, rate_limit_requests=1))
    refused(UnauthenticatedError, lambda: caller.post(authorization=None))

    refused(TooManyAttemptsError, lambda: caller.post(authorization=None))


# --- the journal's bounds -------------------------------------------------------------------------------------------


def test_bounds_of_the_journal_are_settings_that_may_change(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(journal_entries=5, journal_bytes="65536")
    caller = Caller(sandbox)
    for _ in range(4):
        sandbox.journal.close(caller.exchange("/"), 404, (), b"")
    sandbox.change_settings({"journal_entries": 2})
    sandbox.journal.close(caller.exchange("/"), 404, (), b"")

    assert (len(sandbox.journal), sandbox.journal.dropped) == (2, 3)


# --- what is remembered between requests ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer  {}", "Bearer\t{}", " Bearer {}", "Bearer {} "]
)
def test_token_is_shown_as_redaction_shows_it(caller: Caller, form: str) -> None:
    value = form.format(caller.token())
    request = Request("POST", "/v1/acme/anything", headers=(("Authorization", value),), body=b"x")
    serve(caller.sandbox.platform, request)

    entry = caller.sandbox.journal.get("1")
    assert entry.status == 200
    assert entry.headers == (redact_header(("Authorization", value), KnownSecrets()),)


def test_path_is_looked_up_by_the_profile_in_force(caller: Caller) -> None:
    platform, authorization = caller.sandbox.platform, f"Bearer {caller.token()}"

    def status(profile: str) -> int:
        caller.sandbox.change_settings({"wire_profile": profile})
        serve(platform, Request("POST", "//v1/acme/anything", headers=(("Authorization", authorization),), body=b"x"))
        return next(caller.sandbox.journal.newest_first()).status

    assert [status(profile) for profile in ("legacy", "legacy", "modern", "legacy")] == [200, 200, 404, 200]


def test_limit_that_changes_is_in_the_next_answer(caller: Caller) -> None:
    platform, authorization = caller.sandbox.platform, f"Bearer {caller.token()}"

    def limit(requests: int) -> str:
        caller.sandbox.change_settings({"rate_limit_requests": requests})
        serve(platform, Request("POST", "/v1/acme/anything", headers=(("Authorization", authorization),), body=b"x"))
        return dict(next(caller.sandbox.journal.newest_first()).response_headers)["X-RateLimit-Limit"]

    assert [limit(requests) for requests in (60, 7, 60)] == ["60", "7", "60"]
