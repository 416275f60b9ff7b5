"""The callers of the Core API, and the frame of its answers: credentials, methods, prefixes, slashes (FLOWS 1, 2)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.platform.flows.model import UserSeed
from tests.web.core.conftest import Core

MakeCore = Callable[..., Core]
UNAUTHENTICATED = b'{"message":"Unauthenticated."}'


@pytest.mark.parametrize("authorization", [None, "", "wrong", "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc="])
def test_caller_without_good_credentials_is_refused(core: Core, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    refused = core.http.get("/api/v1/flows", headers=headers)

    assert (refused.status_code, refused.data) == (401, UNAUTHENTICATED)


def test_api_key_that_is_revoked_or_sent_as_bearer_is_refused(core: Core) -> None:
    assert core.call("GET", "/flows", key=f"Bearer {core.key}").status_code == 401

    core.flows.revoke_api_key(core.flows.api_keys("acme")[-1].id)
    assert core.call("GET", "/flows").status_code == 401


def test_token_of_the_login_is_taken_and_its_user_is_the_one_of_a_retry(core: Core) -> None:
    core.flows.put_user("acme", UserSeed("ada@example.test", "correct-horse"))
    login = {"email": "ada@example.test", "password": "correct-horse"}
    token = core.http.post("/api/v1/login", json=login).json["token"]  # type: ignore[index]
    run = core.start()

    retry = core.call("POST", f"/flow-runs/{run.id}/retry", key=f"Bearer {token}").json

    assert core.call("GET", "/flows", key=f"Bearer {token}").status_code == 200
    assert retry is not None
    assert retry["data"]["user_id"] == core.flows.users("acme")[-1].id


def test_inbound_token_is_refused(core: Core) -> None:
    new = next(iter(core.sandbox.credentials.values()))
    fields = {"grant_type": "client_credentials", "client_id": new.client.id, "client_secret": new.secret}
    token = core.http.post("/oauth/token", data=fields).json["access_token"]  # type: ignore[index]

    assert core.call("GET", "/flows", key=f"Bearer {token}").status_code == 401


@pytest.mark.parametrize("path", ["/flows/", "/data-pool/", "/agents/conversations/"])
def test_slash_at_the_end_is_no_redirect(core: Core, path: str) -> None:
    assert core.get(path, page=1, per_page=50).status_code == 200


def test_prefix_of_the_deployment_is_taken(core: Core) -> None:
    found = core.http.get("/core-main/api/v1/flows", headers={"Authorization": core.key}).json

    assert found is not None
    assert found["meta"]["path"] == "http://localhost/core-main/api/v1/flows"


def test_head_has_the_length_of_the_list_and_no_body(core: Core) -> None:
    head, get = core.call("HEAD", "/flows"), core.call("GET", "/flows")

    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", str(len(get.data)))


def test_other_method_is_refused_with_those_that_there_are(core: Core) -> None:
    refused = core.call("PUT", "/data-pool/1")

    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, PATCH, DELETE")


@pytest.mark.parametrize(("profile", "origin"), [("modern", "*"), ("legacy", None)])
def test_pages_of_any_origin_may_call_process_flows(make_core: MakeCore, profile: str, origin: str | None) -> None:
    core = make_core(wire_profile=profile)
    answers = [core.call("GET", "/flows"), core.call("GET", "/flows", key="wrong"), core.call("PUT", "/flows")]

    assert [answer.status_code for answer in answers] == [200, 401, 405]
    assert {answer.headers.get("Access-Control-Allow-Origin") for answer in answers} == {origin}
    assert "Access-Control-Allow-Origin" not in core.http.post("/oauth/token").headers


def test_preflight_is_answered(core: Core) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "post"}
    asked["Access-Control-Request-Headers"] = "authorization, content-type"

    answer = core.http.options(f"/api/v1/flows/{core.flow.id}/start", headers=asked)

    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert core.http.options(f"/api/v1/flows/{core.flow.id}/start").status_code == 200


@pytest.mark.parametrize("method", ["\xff", "", "P\xdfST"])
def test_preflight_for_no_method_is_a_plain_question(core: Core, method: str) -> None:
    answer = core.http.options("/api/v1/flows", headers={"Access-Control-Request-Method": method})

    assert answer.status_code == 200


def test_requests_are_in_the_journal_without_the_key(core: Core) -> None:
    core.call("GET", "/flows")

    entry = list(core.sandbox.journal.snapshot())[-1]
    assert (entry.kind, entry.company, entry.status, entry.accepted) == ("core", "acme", 200, True)
    assert core.key not in repr(entry)


def test_fault_rule_acts_on_the_core_api(core: Core) -> None:
    rule = {"match": {"endpoint": "core"}, "fault": {"kind": "status", "code": 503}, "times": 1}
    core.http.post("/_sandbox/faults", json=rule)

    assert [core.call("GET", "/flows").status_code for _ in range(2)] == [503, 200]
