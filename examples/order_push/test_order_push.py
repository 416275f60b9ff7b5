"""The integration against a sandbox: ``patchworks`` is the fixture that patchworks-sandbox brings to pytest.

The same tests pass in a thread of this process, against ``patchworks-sandbox serve`` (``--patchworks-url``) and in
several workers (``-n 2``).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from order_push import (
    LONGEST_WAIT_S,
    REFRESH_EARLY_S,
    AuthenticationError,
    OrderPusher,
    OrderRefusedError,
    PushError,
    UnavailableError,
    encode,
)

from sandbox.faults import (
    bad_signature_token,
    connection_reset,
    empty_response,
    expired_token,
    garbage_response,
    hang,
    latency,
    malformed_json,
    rate_limit,
    sequence,
    status,
    token_response,
    truncated_body,
)

DAY_S = 24 * 60 * 60
SAMPLE = Path(__file__).parents[2] / "fixtures" / "orders" / "order.json"


@pytest.fixture
def order():
    """An order as the shop has it."""
    return json.loads(SAMPLE.read_text(encoding="utf-8"))


@pytest.fixture
def waits():
    """The seconds that the pusher waited, one after the other; no time passes."""
    return []


@pytest.fixture
def configuration(patchworks, waits):
    return {
        "token_url": patchworks.token_url,
        "inbound_url": patchworks.inbound("orders").url,
        "client_id": patchworks.client_id,
        "client_secret": patchworks.client_secret,
        "sleep": waits.append,
    }


@pytest.fixture
def pusher(configuration):
    with OrderPusher(**configuration) as pusher:
        yield pusher


# --- when all is well ----------------------------------------------------------------------------------------------


def test_order_arrives(patchworks, pusher, order):
    pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=1)


def test_orders_arrive_in_their_order_with_one_token(patchworks, pusher, order):
    for number in ("1001", "1002", "1003"):
        pusher.push({**order, "number": number})

    patchworks.inbound("orders").assert_received_in_order(
        [{"json_path": {"$.number": number}} for number in ("1001", "1002", "1003")]
    )
    assert [token.uses for token in patchworks.tokens] == [3]


def test_order_arrives_byte_for_byte(patchworks, pusher, order):
    pusher.push({**order, "note": "¼ kg Grüner Tee 🍵"})

    assert patchworks.inbound("orders").last.body == encode({**order, "note": "¼ kg Grüner Tee 🍵"})


def test_requests_keep_to_the_contract(patchworks, pusher, order):
    pusher.push(order)

    assert not patchworks.contract_violations


# --- bad payloads --------------------------------------------------------------------------------------------------


def test_order_that_does_not_match_its_entity_is_refused_naming_the_field(patchworks, pusher, order, waits):
    del order["lines"][0]["sku"]

    with pytest.raises(OrderRefusedError, match=r"lines\.0\.sku"):
        pusher.push(order)

    patchworks.inbound("orders").assert_received(reason="entity_mismatch", times=1)
    patchworks.inbound("orders").assert_nothing_received()
    assert waits == []


def test_order_that_is_too_large_is_refused_and_not_tried_again(patchworks, pusher, order, waits):
    patchworks.configure(body_limit=10_000)

    with pytest.raises(PushError, match="answered 413"):
        pusher.push({**order, "note": "x" * 10_000})

    patchworks.inbound("orders").assert_received(status=413, times=1)
    assert waits == []


def test_number_that_json_does_not_have_is_never_sent(patchworks, pusher, order):
    with pytest.raises(ValueError, match="not JSON compliant"):
        pusher.push({**order, "total": float("nan")})

    assert not patchworks.requests


# --- tokens --------------------------------------------------------------------------------------------------------


def test_token_that_expired_is_replaced_and_the_order_arrives(patchworks, pusher, order):
    pusher.push(order)
    patchworks.clock.advance(hours=24)
    pusher.push({**order, "number": "1002"})

    orders = patchworks.inbound("orders")
    assert [entry.status for entry in orders] == [200, 401, 200]
    orders.assert_received(reason="token_expired", times=1)
    orders.assert_received(json_contains={"number": "1002"}, times=1)


@pytest.mark.parametrize(("seconds_left", "tokens"), [(REFRESH_EARLY_S + 1, 1), (REFRESH_EARLY_S, 2), (0, 2)])
def test_token_is_replaced_a_minute_before_it_expires(patchworks, configuration, order, seconds_left, tokens):
    now = 0.0
    with OrderPusher(**configuration, clock=lambda: now) as pusher:
        pusher.push(order)
        now = DAY_S - seconds_left
        patchworks.clock.advance(seconds=now)
        pusher.push(order)

    assert len(patchworks.token_requests) == tokens
    assert not patchworks.rejected


def test_token_that_was_revoked_is_replaced(patchworks, pusher, order):
    pusher.push(order)
    patchworks.revoke_tokens()
    pusher.push(order)

    assert [entry.status for entry in patchworks.inbound("orders")] == [200, 401, 200]


def test_token_that_expires_in_mid_batch_is_replaced(patchworks, pusher, order):
    patchworks.faults.add(expired_token(), endpoint="inbound", after=2, times=1)

    for number in ("1001", "1002", "1003"):
        pusher.push({**order, "number": number})

    statuses = [entry.status for entry in patchworks.inbound("orders")]
    assert statuses == [200, 200, 401, 200]
    assert len(patchworks.token_requests) == 2


def test_new_token_that_is_refused_too_is_told_and_not_tried_for_ever(patchworks, pusher, order):
    patchworks.faults.add(status(401), endpoint="inbound")

    with pytest.raises(AuthenticationError, match=r"answered 401: .* \(with a new token\)"):
        pusher.push(order)

    assert [entry.status for entry in patchworks.inbound("orders")] == [401, 401]


def test_wrong_secret_is_told_as_such(patchworks, configuration, order):
    configuration["client_secret"] = "not the secret"

    with OrderPusher(**configuration) as pusher, pytest.raises(AuthenticationError, match="check the client id"):
        pusher.push(order)

    patchworks.token_requests.assert_received(reason="wrong_secret", times=1)
    patchworks.inbound("orders").assert_nothing_received()


def test_token_endpoint_that_fails_is_asked_again(patchworks, pusher, order, waits):
    patchworks.faults.add(status(503), endpoint="token", times=2)

    pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=1)
    assert waits == [1, 2]


def test_token_response_without_a_token_is_reported(patchworks, pusher, order):
    patchworks.faults.add(token_response(remove=["access_token"]), times=1)

    with pytest.raises(AuthenticationError, match="no token for client"):
        pusher.push(order)


def test_token_signed_by_an_unknown_key_is_replaced(patchworks, pusher, order):
    patchworks.faults.add(bad_signature_token(), times=1)

    pusher.push(order)

    assert [entry.status for entry in patchworks.inbound("orders")] == [401, 200]
    assert patchworks.rejected.last.reason.startswith("bad_signature")


# --- failures that pass --------------------------------------------------------------------------------------------


def test_two_503s_are_survived(patchworks, pusher, order, waits):
    patchworks.faults.add(status(503), endpoint="inbound", times=2)

    pusher.push(order)

    assert [entry.status for entry in patchworks.inbound("orders")] == [503, 503, 200]
    assert waits == [1, 2]


def test_server_errors_without_end_are_given_up(patchworks, pusher, order, waits):
    patchworks.faults.add(status(503), endpoint="inbound")

    with pytest.raises(UnavailableError, match="it answered 503"):
        pusher.push(order)

    assert len(patchworks.inbound("orders")) == 4
    assert waits == [1, 2, 4]
    patchworks.inbound("orders").assert_nothing_received()


def test_only_one_order_fails(patchworks, pusher, order):
    patchworks.faults.add(status(500), json_path={"$.number": "1002"})

    pusher.push({**order, "number": "1001"})
    with pytest.raises(UnavailableError, match="it answered 500"):
        pusher.push({**order, "number": "1002"})
    pusher.push({**order, "number": "1003"})

    numbers = [payload["number"] for payload in patchworks.inbound("orders").payloads]
    assert numbers == ["1001", "1003"]


def test_everything_goes_wrong_in_turn(patchworks, pusher, order, waits):
    page = status(502, "<h1>Bad Gateway</h1>")
    patchworks.faults.add(sequence(connection_reset(), garbage_response(), page))

    pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=1)
    assert waits == [1, 2, 4]


def test_rate_limit_is_waited_out_as_long_as_it_asks(patchworks, configuration, order):
    patchworks.faults.add(rate_limit(), endpoint="inbound", lasts="60s")

    configuration["sleep"] = lambda seconds: patchworks.clock.advance(seconds=seconds)
    with OrderPusher(**configuration) as pusher:
        pusher.push(order)

    assert [entry.status for entry in patchworks.inbound("orders")] == [429, 200]


def test_rate_limit_that_asks_for_too_long_is_left_to_the_caller(patchworks, pusher, order, waits):
    patchworks.faults.add(rate_limit(retry_after=LONGEST_WAIT_S + 1), endpoint="inbound")

    with pytest.raises(UnavailableError, match="it answered 429"):
        pusher.push(order)

    assert waits == []


def test_maintenance_window_is_over_after_five_minutes(patchworks, pusher, order):
    patchworks.faults.preset("maintenance-window")

    with pytest.raises(UnavailableError, match="it answered 503"):
        pusher.push(order)
    patchworks.clock.advance("5m")
    pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=1)


@pytest.mark.parametrize(
    "fault",
    [connection_reset(), empty_response(), garbage_response(), truncated_body()],
    ids=lambda fault: str(fault.kind),
)
def test_broken_answer_is_tried_again(patchworks, pusher, order, waits, fault):
    patchworks.faults.add(fault, endpoint="inbound", times=1)

    pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=1)
    assert waits == [1]


def test_time_out_is_followed_by_another_try(patchworks, configuration, order, waits):
    patchworks.faults.add(hang(), endpoint="inbound", times=1)

    with OrderPusher(**configuration, timeout=(5, 0.2)) as pusher:
        pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=1)
    assert waits == [1]


def test_slow_answer_is_waited_for(patchworks, pusher, order, waits):
    patchworks.faults.add(latency(median=0.02, sigma=0.5, max=0.2), endpoint="inbound")

    pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=1)
    assert waits == []


# --- answers that were lost ----------------------------------------------------------------------------------------


def test_order_whose_answer_was_lost_arrives_twice(patchworks, pusher, order):
    patchworks.faults.add(connection_reset(), endpoint="inbound", times=1, accept=True)

    pusher.push(order)

    (duplicate,) = patchworks.duplicates(json_path="$.number")
    assert (duplicate.key, len(duplicate.entries)) == (order["number"], 2)


def test_order_whose_success_was_cut_off_is_sent_again(patchworks, pusher, order):
    patchworks.faults.add(truncated_body(), endpoint="inbound", times=1, accept=True)

    pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=2)


def test_body_of_a_success_does_not_matter(patchworks, pusher, order):
    patchworks.faults.add(malformed_json(), endpoint="inbound", times=1, accept=True)

    pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=1)
