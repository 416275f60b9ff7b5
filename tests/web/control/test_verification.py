"""Waiting and verifying over HTTP, and the list of tokens."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import ANY

import pytest
import requests

from sandbox import Sandbox, SandboxServer
from sandbox.web.http.limits import Limits
from tests.conftest import Integration
from tests.server.conftest import eventually


def seqs(body: Any) -> list[int]:
    return [entry["seq"] for entry in body["entries"]]


def test_wait_answers_at_once_with_the_first_that_match(integration: Integration) -> None:
    token = integration.token()
    for payload in ({"n": 1}, {"n": 2}, {"n": 3}):
        integration.post(payload, token=token)
    answer = integration.control("GET", "/requests/wait", count=2, timeout=0, kind="inbound")

    assert (answer.status_code, seqs(answer.json), answer.json["dropped"]) == (200, [2, 3], 0)


def test_wait_goes_on_after_a_cursor(integration: Integration) -> None:
    integration.post()
    integration.post()
    answer = integration.control("GET", "/requests/wait", timeout=0, kind="inbound", after=2)

    assert seqs(answer.json) == [4]


def test_wait_answers_408_with_what_did_arrive(integration: Integration) -> None:
    integration.post({"n": 1})
    answer = integration.control("GET", "/requests/wait", count=2, timeout=0.01, json_path="$.n")

    assert answer.status_code == 408
    assert answer.json["detail"] == "1 of 2 requests came within 0.01 s"
    assert (seqs(answer.json), answer.json["dropped"]) == ([2], 0)


@pytest.mark.parametrize("query", [{"timeout": 61}, {"timeout": -1}, {"count": 0}, {"count": 1001}, {"after": "x"}])
def test_wait_beyond_its_bounds_is_refused(integration: Integration, query: dict[str, Any]) -> None:
    assert integration.control("GET", "/requests/wait", **query).status_code == 422


def test_wait_is_interrupted_by_a_reset(integration: Integration) -> None:
    never = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(integration.control, "GET", "/requests/wait", timeout=30)
        while not integration.sandbox.journal.waiting.followers:
            never.wait(0.002)
        integration.sandbox.reset()
        answer = waiting.result(10)

    assert (answer.status_code, answer.json["detail"]) == (409, "the wait was interrupted: the sandbox was reset")


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[tuple[SandboxServer, socket.socket]]:
    """A server that has imported what answers a wait, and a client of it."""
    limits = Limits(grace_s=10.0)  # or a slow machine might cut the answer at the stop
    with (
        SandboxServer(sandbox, limits=limits) as server,
        socket.create_connection(("127.0.0.1", server.port), 10) as client,
    ):
        client.sendall(b"GET /_sandbox/requests/wait?timeout=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(65_536).startswith(b"HTTP/1.1 408 ")
        yield server, client


def begin_to_wait(sandbox: Sandbox, client: socket.socket, followers: int = 1, headers: str = "") -> None:
    head = f"GET /_sandbox/requests/wait?timeout=30 HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"
    client.sendall(head.encode())
    eventually(lambda: sandbox.journal.waiting.followers >= followers)


def test_wait_is_interrupted_when_the_server_stops(
    sandbox: Sandbox, served: tuple[SandboxServer, socket.socket]
) -> None:
    server, client = served
    begin_to_wait(sandbox, client)
    server.stop()

    assert b"the wait was interrupted: the server is stopping" in client.makefile("rb").read()
    assert not server.errors


def test_wait_that_begins_while_the_server_stops_ends_too(
    sandbox: Sandbox, served: tuple[SandboxServer, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = served
    interrupt = sandbox.journal.waiting.interrupt

    def interrupted_just_before(why: str) -> None:
        monkeypatch.undo()
        interrupt(why)
        begin_to_wait(sandbox, client)

    monkeypatch.setattr(sandbox.journal.waiting, "interrupt", interrupted_just_before)
    server.stop()

    assert not sandbox.journal.waiting.followers
    assert not server.errors


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_waits_need_no_thread(make_sandbox: Callable[..., Sandbox], scheme: str) -> None:
    sandbox = make_sandbox(tls=True)
    with SandboxServer(sandbox, threads=1) as server, contextlib.ExitStack() as stack:
        context = ssl.create_default_context(cadata=(server.ca_pem or b"").decode())
        port = server.port if scheme == "http" else int((server.tls_base_url or "").rpartition(":")[2])
        clients = []
        for _ in range(20):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            if scheme == "https":
                client = stack.enter_context(context.wrap_socket(client, server_hostname="localhost"))
            begin_to_wait(sandbox, client, len(clients) + 1)
            clients.append(client)
        requests.post(server.patchworks.token_url, data={}, timeout=10)

        assert {client.recv(65_536)[:13] for client in clients} == {b"HTTP/1.1 200 "}
        assert requests.get(f"{server.base_url}/_sandbox/health", timeout=10).status_code == 200
    assert not server.errors
    assert sandbox.journal.waiting.followers == 0


def test_late_answer_has_its_id_and_its_line_of_the_log(
    sandbox: Sandbox, served: tuple[SandboxServer, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    server, client = served
    caplog.set_level(logging.INFO, "patchworks_sandbox")
    caplog.clear()
    begin_to_wait(sandbox, client, headers="X-Request-Id: late-one\r\n")
    assert not caplog.records
    requests.post(server.patchworks.token_url, data={}, timeout=10)
    answer = client.recv(65_536)

    assert b"X-Request-Id: late-one\r\n" in answer
    eventually(lambda: any("late-one" in str(vars(record)) for record in caplog.records))


@pytest.mark.parametrize(
    "expected",
    [
        {"pattern": {"json": {"n": 1}}},
        {"filter": {"kind": "inbound"}, "times": 2},
        {"filter": {"vanity_url": "anything"}, "after": "2", "pattern": {"json_contains": {"n": 2}}, "at_most": 1},
        {"pattern": {"json_path": {"$.n": 3}}, "times": 0},
        {"pattern": {"status": 401}, "times": 0},
        {"in_order": [{"json": {"n": 1}}, {"json": {"n": 2}}]},
    ],
    ids=str,
)
def test_expectation_that_holds_is_verified(integration: Integration, expected: dict[str, Any]) -> None:
    token = integration.token()
    integration.post({"n": 1}, token=token)
    integration.post({"n": 2}, token=token)
    answer = integration.control("POST", "/requests/verify", expected)

    assert answer.status_code == 200, answer.json["detail"]
    assert answer.json["dropped"] == 0


def test_expectation_that_does_not_hold_is_a_409_with_the_near_misses(integration: Integration) -> None:
    token = integration.token()
    integration.post({"n": "1"}, token=token)
    answer = integration.control(
        "POST", "/requests/verify", {"filter": {"kind": "inbound"}, "pattern": {"json": {"n": 1}}}
    )

    body = answer.json
    assert answer.status_code == 409
    assert body["detail"].splitlines()[0] == "expected at least 1 request with kind=inbound with"
    assert body["near_misses"] == [
        {
            "id": f"{integration.sandbox.journal.id}-2",
            "seq": 2,
            "status": 200,
            "reason": None,
            "token_note": "token of request 1",
            "differences": [{"path": "$.n", "message": 'expected 1, got "1" (string, not number)'}],
        }
    ]
    assert (body["count"], body["matches"], body["dropped"], body["uncertain"]) == (0, [], 0, 0)


def test_message_says_how_long_the_caller_has_waited(integration: Integration) -> None:
    answer = integration.control("POST", "/requests/verify", {"at_least": 2, "waited_s": 0.5})

    assert answer.json["detail"].splitlines()[0] == "expected at least 2 requests within 0.5 s"


def test_message_shows_an_instant_as_a_date_and_time(integration: Integration) -> None:
    answer = integration.control("POST", "/requests/verify", {"filter": {"since": "2026-11-23T09:00:00Z"}})

    first, *_, last = answer.json["detail"].splitlines()
    assert first == "expected at least 1 request with since=2026-11-23T09:00:00.000000Z"
    assert "GET /_sandbox/requests?since=2026-11-23T09%3A00%3A00.000000Z " in last


def test_rejected_requests_do_not_count_where_only_accepted_ones_are_meant(integration: Integration) -> None:
    integration.post({"n": 1}, token="bad")
    expected = {"filter": {"kind": "inbound"}, "pattern": {"json": {"n": 1}}}

    assert integration.control("POST", "/requests/verify", expected).status_code == 200
    answer = integration.control("POST", "/requests/verify", {**expected, "only_accepted": True})
    assert answer.status_code == 409
    assert answer.json["near_misses"][0]["reason"].startswith("malformed_token")


def test_order_that_was_not_kept_is_a_409(integration: Integration) -> None:
    token = integration.token()
    integration.post({"n": 2}, token=token)
    integration.post({"n": 1}, token=token)
    answer = integration.control("POST", "/requests/verify", {"in_order": [{"json": {"n": 1}}, {"json": {"n": 2}}]})

    assert answer.status_code == 409
    assert "came too early, as #2" in answer.json["detail"]


def test_order_is_looked_for_behind_the_cursor(integration: Integration) -> None:
    token = integration.token()
    integration.post({"n": 1}, token=token)
    integration.post({"n": 2}, token=token)
    order = {"in_order": [{"json": {"n": 1}}, {"json": {"n": 2}}], "after": "2"}

    answer = integration.control("POST", "/requests/verify", order)
    assert answer.status_code == 409
    assert "did not come" in answer.json["detail"]


def test_dropped_entries_are_told_and_make_uncertain(make_integration: Any) -> None:
    integration = make_integration(journal_entries=2)
    token = integration.token()
    for number in range(3):
        integration.post({"n": number}, token=token)

    answer = integration.control("POST", "/requests/verify", {"filter": {"kind": "inbound"}, "times": 2})
    assert (answer.status_code, answer.json["dropped"], answer.json["uncertain"]) == (409, 2, 1)
    assert integration.control("GET", "/requests/wait", timeout=0).json["dropped"] == 2
    assert integration.control("POST", "/requests/verify", {}).json == {"count": 1, "dropped": 2}


@pytest.mark.parametrize(
    "body",
    [
        {"pattern": {"jsn": 1}},
        {"times": 1, "at_least": 1},
        {"pattern": {"json_path": "$["}},
        *[{"pattern": {"json_path": given}} for given in (True, 1, 1.5, ["$.a"])],
        {"in_order": [{"json_path": 1}]},
        {"pattern": {"method": "post"}},
        {"filter": {"knd": "x"}},
        {"in_order": [{}], "times": 1},
        {"in_order": []},
    ],
    ids=str,
)
def test_expectation_that_cannot_be_read_is_refused(integration: Integration, body: dict[str, Any]) -> None:
    assert integration.control("POST", "/requests/verify", body).status_code == 422


def test_tokens_are_listed_with_issue_expiry_uses_and_revocation(integration: Integration) -> None:
    integration.sandbox.clock.change(now="2026-11-23T09:00:00Z", frozen=True, rate=None)
    token = integration.token()
    integration.post(token=token)
    integration.sandbox.clock.advance(hours=24)
    integration.sandbox.revoke_tokens()
    integration.token()
    answer = integration.control("GET", "/tokens")

    first, second = answer.json["tokens"]
    assert first == {
        "jti": ANY,
        "fingerprint": integration.sandbox.journal.get("1").token_fingerprint,
        "request": 1,
        "client_id": integration.client_id,
        "scopes": ["access-inbound"],
        "issued_at": "2026-11-23T09:00:00.000000Z",
        "expires_at": "2026-11-24T09:00:00.000000Z",
        "expired": True,
        "uses": 1,
        "revoked": "token_revoked: by the sandbox's user",
    }
    assert (second["request"], second["expired"], second["uses"], second["revoked"]) == (3, False, 0, None)
    assert answer.json["total"] == 2


def test_newest_tokens_of_a_client_are_listed(integration: Integration) -> None:
    for _ in range(3):
        integration.token()
    newest = integration.control("GET", "/tokens", limit=1, client_id=integration.client_id).json

    assert ([token["request"] for token in newest["tokens"]], newest["total"]) == ([3], 3)
    assert integration.control("GET", "/tokens", client_id="nobody").json == {"tokens": [], "total": 0}


@pytest.mark.parametrize(("skip", "requests"), [(0, [3, 4]), (1, [2, 3]), (2, [1, 2]), (3, [1]), (4, []), (9, [])])
def test_tokens_are_read_from_the_newest_back(integration: Integration, skip: int, requests: list[int]) -> None:
    for _ in range(4):
        integration.token()
    page = integration.control("GET", "/tokens", limit=2, skip=skip).json

    assert ([token["request"] for token in page["tokens"]], page["total"]) == (requests, 4)
