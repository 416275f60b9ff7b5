"""The Start API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.platform.flows.sending import ADA, KEY, START, Flows

TEXT = {"payload": '{"order":"1001"}'}
RAW = {"order": "1001"}


@pytest.mark.parametrize(("path", "body", "trigger", "version"), [
    ("start", TEXT, "API", 12),
    ("start/11", TEXT, "API", 11),
    ("manual", TEXT, "Manual", 12),
    ("manual/11", TEXT, "Manual", 11),
    ("start/raw", RAW, "API", 12),
    ("start/raw/11", RAW, "API", 11),
    ("manual/raw", RAW, "Manual", 12),
    ("manual/raw/11", RAW, "Manual", 11),
])  # fmt: skip
def test_each_address_starts_the_flow(flows: Flows, path: str, body: Any, trigger: str, version: int) -> None:
    sent = flows.start(f"/api/v1/flows/1/{path}", body)
    (run,) = flows.sandbox.platform.runs.runs()

    assert (sent.status, sent.json) == (200, {"message": "Flow initialised.", "flow_run_id": run.id})
    assert sent.entry.subject == {"company": "acme", "flow": "Orders in", "run": run.id}
    assert (run.trigger, run.version, run.flow_id, run.entry) == (trigger, version, 1, sent.entry.id)
    assert (flows.sandbox.platform.runs.payload(run) or b"").replace(b" ", b"") == b'{"order":"1001"}'


@pytest.mark.parametrize("path", ["start", "manual", "start/raw", "manual/raw"])
def test_empty_body_starts_the_flow_with_an_empty_payload(flows: Flows, path: str) -> None:
    assert flows.start(f"/api/v1/flows/1/{path}").status == 200
    assert flows.sandbox.platform.runs.payload(flows.sandbox.platform.runs.runs()[0]) == b""


def test_query_names_the_virtual_environment_and_flow_variables(flows: Flows) -> None:
    flows.start(START, query="virtual_environment_id=2&flow_variables=%7B%22x%22%3A+1%7D")
    (run,) = flows.sandbox.platform.runs.runs()

    assert (run.environment, run.variables) == ("2", '{"x": 1}')


def test_without_a_deployed_version_the_flow_is_not_started(flows: Flows) -> None:
    flows.store.change_flow(1, deployed=None)

    refused, named = flows.start(), flows.start(f"{START}/11")

    assert (refused.status, refused.entry.reason) == (422, "flow_not_deployed: flow Orders in")
    assert named.status == 200


@pytest.mark.parametrize(("authorization", "reason"), [
    (None, "no_api_key"),
    ("", "no_api_key"),
    ("key0key1key3", "unknown_api_key"),
    (f"{KEY}0", "unknown_api_key"),
    (f"Bearer {KEY}", "api_key_as_bearer"),
    ("Bearer nonsense", "malformed_token"),
    ("Basic Y2k6a2V5", "unknown_api_key"),
])  # fmt: skip
def test_credentials_that_are_not_good_are_refused(flows: Flows, authorization: str | None, reason: str) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    sent = flows.send("POST", START, **headers)

    assert (sent.status, sent.body) == (401, b'{"message":"Unauthenticated."}')
    assert (sent.entry.reason or "").partition(":")[0] == reason


def test_revoked_key_is_refused_and_stays_listed_and_a_deleted_one_does_not(flows: Flows) -> None:
    (key,) = flows.store.api_keys("acme")

    flows.store.revoke_api_key(key.id)
    assert flows.start().entry.reason == "api_key_revoked: API key CI was revoked"
    assert [each.revoked for each in flows.store.api_keys("acme")] == [True]
    flows.store.delete_api_key(key.id)
    assert flows.start().entry.reason == "unknown_api_key: no API key has this text"
    assert flows.store.api_keys("acme") == []


def test_api_key_never_expires(flows: Flows) -> None:
    flows.sandbox.clock.advance("3650d")

    assert flows.start().status == 200


def test_token_of_the_login_starts_a_flow(flows: Flows) -> None:
    token = flows.send("POST", "/api/v1/login", ADA).json["token"]

    assert flows.send("POST", START, Authorization=f"Bearer {token}").status == 200
    (run,) = flows.sandbox.platform.runs.runs()
    assert run.user_id == flows.store.users()[0].id


def test_token_of_an_oauth_client_does_not(make_sandbox: Callable[..., Any]) -> None:
    flows = Flows(make_sandbox())
    new = next(iter(flows.sandbox.credentials.values()))
    form = f"grant_type=client_credentials&client_id={new.client.id}&client_secret={new.secret}".encode()
    token = flows.send("POST", "/oauth/token", form, Content_Type="application/x-www-form-urlencoded").json
    sent = flows.send("POST", START, Authorization=f"Bearer {token['access_token']}")

    assert (sent.status, sent.entry.reason) == (401, "inbound_token: the token is for inbound URLs")


@pytest.mark.parametrize(("path", "key", "reason"), [
    ("/api/v1/flows/9/start", KEY, "unknown_flow"),
    ("/api/v1/flows/x/start", KEY, "unknown_flow"),
    ("/api/v1/flows/1\0/start", KEY, "unknown_flow"),
    ("/api/v1/flows/\udcff/start", KEY, "unknown_flow"),
    (f"/api/v1/flows/{'9' * 5000}/start", KEY, "unknown_flow"),
    (START, "other0key1key2", "unknown_flow"),
    (f"{START}/13", KEY, "unknown_version"),
    (f"{START}/x", KEY, "unknown_version"),
])  # fmt: skip
def test_unknown_flow_or_version_is_not_found(flows: Flows, path: str, key: str, reason: str) -> None:
    sent = flows.start(path, key=key)

    assert (sent.status, (sent.entry.reason or "").partition(":")[0]) == (404, reason)


@pytest.mark.parametrize(("path", "body", "query"), [
    ("start", b"{", ""),
    ("start", b"[" * 100_000, ""),
    ("start", b"1", ""),
    ("start", b'{"payload":{"order":1}}', ""),
    ("start", b'{"order":1}', ""),
    ("start/raw", b"\xff", ""),
    ("start/raw", b"", "flow_variables=nonsense"),
    ("start/raw", b"", "flow_variables=[1]"),
    ("start/raw", b"", "flow_variables[a]=1"),
    ("start/raw", b"", "flow_variables=%FF"),
    ("start/raw", b"", "virtual_environment_id=two"),
])  # fmt: skip
def test_body_that_is_not_as_documented_is_refused_or_accepted(
    make_flows: Callable[..., Flows], path: str, body: bytes, query: str
) -> None:
    refused = make_flows().start(f"/api/v1/flows/1/{path}", body, query)
    accepted = make_flows(flow_payload="accept").start(f"/api/v1/flows/1/{path}", body, query)

    assert (refused.status, accepted.status) == (422, 200)
    assert accepted.entry.body == body
    assert accepted.entry.reason == refused.entry.reason


def test_key_of_the_run_id_is_a_setting(make_flows: Callable[..., Flows]) -> None:
    assert list(make_flows(flow_run_key="id").start().json) == ["message", "id"]


@pytest.mark.parametrize(("body", "query", "used"), [
    (b"{", 'flow_variables={"x":1}&virtual_environment_id=2', ('{"x":1}', "2")),
    (b"{}", "flow_variables=nonsense&virtual_environment_id=2", (None, "2")),
    (b"{}", 'flow_variables={"x":1}&virtual_environment_id=two', ('{"x":1}', None)),
])  # fmt: skip
def test_good_parts_of_a_request_are_used_beside_a_bad_one_that_is_accepted(
    make_flows: Callable[..., Flows], body: bytes, query: str, used: tuple[str | None, str | None]
) -> None:
    flows = make_flows(flow_payload="accept")
    flows.start("/api/v1/flows/1/start/raw", body, query)
    (run,) = flows.sandbox.platform.runs.runs()

    assert (run.variables, run.environment) == used


@pytest.mark.parametrize(("setting", "status"), [("accept", 200), ("unprocessable", 422)])
def test_disabled_flow_is_started_as_set(make_flows: Callable[..., Flows], setting: str, status: int) -> None:
    flows = make_flows(disabled_flow=setting)
    flows.store.change_flow(1, enabled=False)

    assert flows.start().status == status


def test_key_is_not_in_the_journal(flows: Flows) -> None:
    flows.send("POST", START, f'{{"payload":"{KEY}"}}'.encode(), f"key={KEY}", Authorization=KEY, X_Copy=KEY)
    (entry,) = flows.sandbox.journal.snapshot()

    assert KEY not in f"{entry.query}{entry.headers}{entry.path}"
    assert KEY.encode() in entry.body  # payloads are the user's
