"""One handle: the same tests hold in this process, behind a URL, and for an isolated company of either."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from unittest.mock import ANY

import pytest

from sandbox import RemoteSandbox, Sandbox, SandboxServer, parse_seed
from sandbox.faults import hang, sequence, status
from sandbox.foundation.errors import InvalidValueError, NotFoundError
from sandbox.journal.assertions.view import NotReceivedError
from sandbox.state.seed import Seed
from sandbox.testing.handle import Patchworks
from tests.testing.remote.conftest import Client


def test_payloads_and_entries_are_seen(handle: Patchworks, client: Client) -> None:
    assert client.post({"order": "1001", "größe": [1, 2.5, None]}) == 200

    received = handle.inbound("anything")
    assert received.payloads == [{"order": "1001", "größe": [1, 2.5, None]}]
    (entry,) = received
    assert entry == received.last == received.first == received.one()
    assert (entry.header("content-TYPE"), entry.header("X-None")) == ("application/json", None)
    assert (len(received), entry.status, entry.outcome, entry.client_id) == (1, 200, "accepted", handle.client_id)
    for end in ("first", "last"):
        with pytest.raises(NotReceivedError, match=r"expected at least 1 request to .*/orders\nbut nothing"):
            getattr(handle.inbound("orders"), end)


def test_body_is_kept_byte_for_byte(handle: Patchworks, client: Client) -> None:
    import requests

    bearer = {"Authorization": f"Bearer {client.token}"}
    for body in (b"\xff\x00\r\n", b'{"a":  1}\n', b"x" * 200_000):
        requests.post(handle.inbound("anything").url, data=body, headers=bearer, timeout=10)

    assert [entry.body for entry in handle.inbound("anything")] == [b"\xff\x00\r\n", b'{"a":  1}\n', b"x" * 200_000]


def test_patterns_may_hold_any_python_object(handle: Patchworks, client: Client) -> None:
    client.post({"order": "1001", "at": "whenever"})

    handle.inbound("anything").assert_received(json={"order": "1001", "at": ANY}, times=1)


def test_failing_assertion_tells_the_nearest_request_and_what_was_refused(handle: Patchworks, client: Client) -> None:
    client.post({"order": 1001})
    handle.revoke_tokens()
    client.post({"order": "1002"})

    with pytest.raises(NotReceivedError) as failure:
        handle.inbound("anything").assert_received(json={"order": "1001"})
    assert '$.order: expected "1001", got 1001 (number, not string)' in str(failure.value)
    assert "token_revoked" in str(failure.value)


def test_failing_assertion_holds_the_nearest_requests_as_values(handle: Patchworks, client: Client) -> None:
    client.post({"order": "1001", "lines": [{"qty": 2}]})
    entry = handle.inbound("anything").last
    wanted = {"order": "1001", "lines": [{"qty": 3}]}

    with pytest.raises(NotReceivedError) as missed:
        handle.inbound("anything").assert_received(json=wanted)
    with pytest.raises(NotReceivedError) as missed_in_order:
        handle.inbound("anything").assert_received_in_order([{"json": wanted}])
    with pytest.raises(NotReceivedError) as too_many:
        handle.inbound("anything").assert_nothing_received()

    for failure in (missed, missed_in_order):
        (found,) = failure.value.near.items()
        assert (found[0], [(each.path, each.message) for each in found[1]]) == (
            entry.id,
            [("$.lines[0].qty", "expected 3, got 2")],
        )
    assert too_many.value.near == {}


def test_order_is_asserted(handle: Patchworks, client: Client) -> None:
    client.post({"order": "1001"})
    client.post({"order": "1002"})

    received = handle.inbound("anything")
    received.assert_received_in_order([{"json": {"order": "1001"}}, {"json": {"order": "1002"}}])
    with pytest.raises(NotReceivedError, match="came too early"):
        received.assert_received_in_order([{"json": {"order": "1002"}}, {"json": {"order": "1001"}}])


def test_wait_ends_when_what_is_waited_for_comes(handle: Patchworks, client: Client) -> None:
    waiting = threading.Barrier(2)
    client.post({"order": "1001"})

    def push_later() -> None:
        waiting.wait(10)
        client.post({"order": "other"})
        client.post({"order": "1002"})

    thread = threading.Thread(target=push_later)
    thread.start()
    waiting.wait(10)
    found = handle.inbound("anything").wait_for(1, timeout=10, json={"order": "1002"})
    thread.join()

    assert [entry.json for entry in found] == [{"order": "1002"}]


def test_wait_for_no_requests_returns_none_at_once(handle: Patchworks, client: Client) -> None:
    assert handle.inbound("anything").wait_for(0, timeout=1e9) == []

    client.post({"order": "1001"})
    assert handle.inbound("anything").wait_for(0, timeout=1e9) == []
    assert asyncio.run(handle.inbound("anything").wait_for_async(0, timeout=1e9)) == []


def test_wait_in_vain_fails_with_what_came(handle: Patchworks, client: Client) -> None:
    client.post({"order": "1001"})

    with pytest.raises(NotReceivedError, match=r"expected at least 2 .* within 0\.05 s"):
        handle.inbound("anything").wait_for(2, timeout=0.05)


def test_token_requests_and_rejections_are_seen(handle: Patchworks, client: Client) -> None:
    assert client.ask_for_token(client_secret="wrong").status_code == 401
    client.token = "no token"
    assert client.post({"order": "1001"}) == 401

    assert [entry.status for entry in handle.token_requests] == [200, 401]
    assert [(entry.reason or "").partition(":")[0] for entry in handle.rejected] == ["wrong_secret", "malformed_token"]


def test_tokens_tell_their_request_and_uses(handle: Patchworks, client: Client) -> None:
    client.post(1)
    client.post(2)

    (token,) = handle.tokens
    assert (token.client_id, token.uses, token.revoked) == (handle.client_id, 2, None)
    assert token.request == handle.token_requests[0].seq
    assert handle.inbound("anything")[0].token_fingerprint == token.fingerprint
    assert token.expires_at - token.issued_at == pytest.approx(86_400, abs=0.001)


def test_revoked_tokens_are_refused(handle: Patchworks, client: Client) -> None:
    assert handle.revoke_tokens() == 1

    assert client.post(1) == 401


def test_fault_rules_are_added_looked_at_and_removed(handle: Patchworks, client: Client) -> None:
    rule = handle.faults.add(status(503), endpoint="inbound", vanity_url="anything", times=1)

    assert (client.post(1), client.post(2)) == (503, 200)
    assert [(state.id, state.hits, state.used_up) for state in handle.faults] == [(rule.id, 1, True)]
    assert handle.faults.get(rule).rule.fault == status(503)
    handle.faults.remove(rule)
    assert len(handle.faults) == 0
    with pytest.raises(NotFoundError, match="there is no fault rule"):
        handle.faults.remove(rule)


def test_fault_rule_is_replaced_where_it_is(handle: Patchworks, client: Client) -> None:
    first = handle.faults.add(status(503), vanity_url="anything", times=1)
    handle.faults.add(status(500), vanity_url="anything")
    assert client.post(1) == 503

    replaced = handle.faults.replace(first, status(502), vanity_url="anything", times=1)

    assert (replaced.id, replaced.hits) == (first.id, 0)
    assert [client.post(1), client.post(2)] == [502, 500]
    with pytest.raises(NotFoundError, match="there is no fault rule"):
        handle.faults.replace("fault-99", status(502))


def test_faults_are_cleared(handle: Patchworks, client: Client) -> None:
    handle.faults.add(sequence(status(503), "pass"))
    handle.faults.add(hang())
    handle.faults.clear()

    assert client.post(1) == 200


def test_presets_are_listed_and_used(handle: Patchworks, client: Client) -> None:
    assert "third try succeeds" in handle.faults.presets()["two-503s-then-fine"]
    handle.faults.preset("two-503s-then-fine", vanity_url="anything")

    assert [client.post(1) for _ in range(3)] == [503, 503, 200]
    with pytest.raises(NotFoundError, match="two-503s-then-fine"):
        handle.faults.preset("two-503s")
    with pytest.raises(InvalidValueError, match="did you mean 'vanity_url'"):
        handle.faults.preset("slow-platform", vanity_ur="orders")


def test_duplicates_are_found(handle: Patchworks, client: Client) -> None:
    client.post({"order": "1001"})
    client.post({"order": "1001"})

    (found,) = handle.duplicates(json_path="$.order")
    assert (found.alike, found.key, len(found.entries)) == ("bytes", "1001", 2)


def test_contract_violations_are_found(handle: Patchworks, client: Client) -> None:
    client.post(1)

    assert {found.code for found in handle.contract_violations} == {"no_accept_json"}


def test_unknown_service_is_told_with_the_known_ones(handle: Patchworks) -> None:
    near = rf"did you mean '{handle.company}/orders'\?"
    with pytest.raises(NotFoundError, match=rf"no service '{handle.company}/oders'; {near} known: .*acme/orders"):
        handle.inbound("oders")


def test_env_has_what_a_process_needs(handle: Patchworks) -> None:
    assert handle.env == {
        "PATCHWORKS_SANDBOX_URL": handle.base_url,
        "PATCHWORKS_TOKEN_URL": handle.token_url,
        "PATCHWORKS_COMPANY": handle.company,
        "PATCHWORKS_CLIENT_ID": handle.client_id,
        "PATCHWORKS_CLIENT_SECRET": handle.client_secret,
        "PATCHWORKS_INBOUND_URL_ORDERS": handle.inbound("orders").url,
        "PATCHWORKS_INBOUND_URL_PRODUCTS": handle.inbound("products").url,
        "PATCHWORKS_INBOUND_URL_ANYTHING": handle.inbound("anything").url,
        "PATCHWORKS_START_URL_ORDERS_IN": handle.flow("Orders in").url,
        "PATCHWORKS_WEBHOOK_URL_ORDERS_IN": handle.webhook("Orders in").url,
        "PATCHWORKS_CALLBACK_URL_ORDERS_IN": handle.callback("Orders in").url,
    }


def test_story_tells_each_request_without_secrets(handle: Patchworks, client: Client) -> None:
    client.post({"order": "1001", "password": "hunter2", "note": "a" * 500})

    story = handle.story()
    assert story.count("\n") == 2
    assert "POST /oauth/token -> 200 accepted" in story
    assert f'POST /v1/{handle.company}/anything -> 200 accepted\n    {{"order": "1001"' in story
    assert "hunter2" not in story
    assert handle.client_secret not in story
    assert client.token not in story


# --- what only a sandbox that nobody else uses does -------------------------------------------------------------------


def test_clock_is_moved_stopped_and_reset(patchworks: Patchworks) -> None:
    clock = patchworks.clock
    clock.freeze()
    before = clock.now()

    assert clock.frozen
    assert (clock.advance(hours=24) - before).total_seconds() == 86_400
    assert (clock.advance("90s") - before).total_seconds() == 86_490
    assert clock.travel_to("2027-01-01T00:00:00Z").isoformat() == "2027-01-01T00:00:00+00:00"
    assert clock.timestamp() == clock.now().timestamp()
    clock.unfreeze()
    clock.set_rate(3600)
    assert (clock.frozen, clock.rate) == (False, 3600.0)
    clock.reset()
    assert clock.rate == 1.0
    with pytest.raises(InvalidValueError, match="not both"):
        clock.advance("24h", hours=24)
    with pytest.raises(InvalidValueError, match="rate"):
        clock.set_rate(-1)


def test_token_expires_by_the_clock(patchworks: Patchworks) -> None:
    client = Client(patchworks)
    patchworks.travel(hours=24)

    assert client.post(1) == 401
    assert patchworks.rejected[0].reason.startswith("token_expired")


def test_settings_change_until_a_reset(patchworks: Patchworks) -> None:
    patchworks.configure(success_status=201)
    assert Client(patchworks).post(1) == 201
    patchworks.reset()

    assert Client(patchworks).post(1) == 200
    assert len(patchworks.requests) == 2
    with pytest.raises(InvalidValueError, match="success_status"):
        patchworks.configure(success_status=204)


def test_tokens_are_listed_however_many_there_are(
    handle: Patchworks, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.testing.verbs.PAGE", 2)
    for _ in range(4):
        client.new_token()

    assert [token.request for token in handle.tokens] == [entry.seq for entry in handle.token_requests]
    assert len(handle.tokens) == 5


def test_dropped_entries_make_an_assertion_fail_rather_than_lie(patchworks: Patchworks) -> None:
    patchworks.configure(journal_entries=2)
    client = Client(patchworks)
    for number in range(4):
        client.post(number)

    with pytest.raises(NotReceivedError, match="were dropped because the journal was full"):
        patchworks.inbound("anything").assert_received(json=0)
    assert patchworks.inbound("anything").dropped >= 2
    assert patchworks.story().splitlines()[-1] == "(3 older entries were dropped because the journal was full)"


def test_entries_dropped_before_a_company_came_are_none_of_its_own(patchworks: Patchworks) -> None:
    patchworks.configure(journal_entries=3)
    for _ in range(3):
        Client(patchworks).post(1)
    isolated = patchworks.isolated()
    assert (isolated.requests.dropped, isolated.inbound("anything").dropped) == (0, 0)
    client = Client(isolated)
    for number in range(4):
        client.post(number)

    assert isolated.inbound("anything").dropped > 0
    with pytest.raises(NotReceivedError, match="may have matched"):
        isolated.token_requests.assert_received(times=0)


EMPTY: dict[str, Callable[[Patchworks], object]] = {
    "company": lambda handle: handle.company,
    "client": lambda handle: handle.client_id,
    "copy": lambda handle: handle.isolated(),
}


@pytest.mark.parametrize("ask", EMPTY.values(), ids=EMPTY)
@pytest.mark.parametrize("where", ["in process", "remote"])
def test_handle_of_an_empty_sandbox_says_what_is_missing(where: str, ask: Callable[[Patchworks], object]) -> None:
    with SandboxServer(Sandbox(Seed())) as server, RemoteSandbox(server.base_url) as remote:
        handle = server.patchworks if where == "in process" else remote

        with pytest.raises(NotFoundError, match=r"there is no (company|OAuth client) "):
            ask(handle)


def test_url_of_tokens_and_client_of_an_empty_sandbox_elsewhere_need_a_connector() -> None:
    seed = parse_seed({"companies": [{"name": "Beta Ltd"}]})
    with SandboxServer(Sandbox(seed)) as server, RemoteSandbox(server.base_url) as remote:
        with pytest.raises(NotFoundError, match="there is no connector whose token endpoint to use"):
            _ = remote.token_url
        with pytest.raises(NotFoundError, match="there is no connector of company beta-ltd"):
            _ = remote.client_id
