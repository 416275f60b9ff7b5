"""The integration against a sandbox: ``patchworks`` is the fixture that patchworks-sandbox brings to pytest.

The same tests pass in a thread of this process, against ``patchworks-sandbox serve`` (``--patchworks-url``) and in
several workers (``-n 2``).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    connection_reset,
    empty_response,
    garbage_response,
    hang,
    malformed_json,
    rate_limit,
    sequence,
    status,
    truncated_body,
)

if TYPE_CHECKING:
    from sandbox.client import Patchworks
    from sandbox.faults import Fault

DAY_S = timedelta(hours=24).total_seconds()
SAMPLE = Path(__file__).parents[2] / "fixtures" / "orders" / "order.json"

Order = dict[str, Any]
MakePusher = Callable[..., OrderPusher]


@pytest.fixture
def order() -> Order:
    """An order as the shop has it."""
    order: Order = json.loads(SAMPLE.read_text(encoding="utf-8"))
    return order


@pytest.fixture
def waits() -> list[float]:
    """The seconds that pushers waited, one after the other; no time passes."""
    return []


@pytest.fixture
def make_pusher(patchworks: Patchworks, waits: list[float]) -> Iterator[MakePusher]:
    """Make pushers that send to the sandbox and only note how long they would wait."""
    with ExitStack() as stack:

        def make(**options: Any) -> OrderPusher:
            configuration = {
                "token_url": patchworks.token_url,
                "inbound_url": patchworks.inbound("orders").url,
                "client_id": patchworks.client_id,
                "client_secret": patchworks.client_secret,
                "sleep": waits.append,
            }
            return stack.enter_context(closing(OrderPusher(**{**configuration, **options})))

        yield make


@pytest.fixture
def pusher(make_pusher: MakePusher) -> OrderPusher:
    """A pusher that has sent nothing yet."""
    return make_pusher()


# --- when all is well ----------------------------------------------------------------------------------------------


def test_order_arrives_byte_for_byte(patchworks: Patchworks, pusher: OrderPusher, order: Order) -> None:
    pusher.push(order)

    orders = patchworks.inbound("orders")
    orders.assert_received(json=order, times=1)
    assert [entry.body for entry in orders] == [encode(order)]


def test_orders_arrive_in_their_order_with_one_token(patchworks: Patchworks, pusher: OrderPusher, order: Order) -> None:
    for number in ("1001", "1002", "1003"):
        pusher.push({**order, "number": number})

    patchworks.inbound("orders").assert_received_in_order(
        [{"json_contains": {"number": number}} for number in ("1001", "1002", "1003")]
    )
    patchworks.token_requests.assert_received(times=1)
    assert [token.uses for token in patchworks.tokens] == [3]


def test_requests_keep_to_the_contract(patchworks: Patchworks, pusher: OrderPusher, order: Order) -> None:
    pusher.push(order)

    assert not patchworks.contract_violations


# --- tokens --------------------------------------------------------------------------------------------------------


def test_token_that_expired_is_replaced_and_the_order_arrives(
    patchworks: Patchworks, pusher: OrderPusher, order: Order
) -> None:
    pusher.push(order)
    patchworks.clock.advance(hours=24)
    pusher.push({**order, "number": "1002"})

    orders = patchworks.inbound("orders")
    assert [entry.status for entry in orders] == [200, 401, 200]
    orders.assert_received(reason="token_expired", times=1)
    orders.assert_received(json_contains={"number": "1002"}, times=1)


@pytest.mark.parametrize(("seconds_before_expiry", "tokens"), [(REFRESH_EARLY_S + 1, 1), (REFRESH_EARLY_S, 2), (0, 2)])
def test_token_is_replaced_a_minute_before_it_expires(
    seconds_before_expiry: float, tokens: int, patchworks: Patchworks, make_pusher: MakePusher, order: Order
) -> None:
    now = 0.0
    pusher = make_pusher(clock=lambda: now)
    pusher.push(order)
    now = DAY_S - seconds_before_expiry
    patchworks.clock.advance(seconds=now)
    pusher.push(order)

    patchworks.inbound("orders").assert_received(times=2)
    patchworks.token_requests.assert_received(times=tokens)
    assert not patchworks.rejected


def test_token_that_was_revoked_is_replaced(patchworks: Patchworks, pusher: OrderPusher, order: Order) -> None:
    pusher.push(order)
    patchworks.revoke_tokens()
    pusher.push(order)

    assert [entry.status for entry in patchworks.inbound("orders")] == [200, 401, 200]


def test_new_token_that_is_refused_too_is_told_and_not_tried_for_ever(
    patchworks: Patchworks, pusher: OrderPusher, order: Order
) -> None:
    patchworks.faults.add(status(401), endpoint="inbound")
    with pytest.raises(AuthenticationError, match=r"answered 401: .* \(with a new token\)"):
        pusher.push(order)

    assert [entry.status for entry in patchworks.inbound("orders")] == [401, 401]


def test_wrong_secret_is_told_as_such(patchworks: Patchworks, make_pusher: MakePusher, order: Order) -> None:
    with pytest.raises(AuthenticationError, match=r"answered 401: .* check the client id"):
        make_pusher(client_secret="not the secret").push(order)

    patchworks.token_requests.assert_received(reason="wrong_secret", times=1)
    patchworks.inbound("orders").assert_nothing_received()


def test_token_endpoint_that_fails_is_asked_again(
    patchworks: Patchworks, pusher: OrderPusher, order: Order, waits: list[float]
) -> None:
    patchworks.faults.add(status(503), endpoint="token", times=2)
    pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=1)
    assert waits == [1, 2]


# --- failures that pass --------------------------------------------------------------------------------------------


def test_server_errors_are_tried_again_with_longer_and_longer_waits(
    patchworks: Patchworks, pusher: OrderPusher, order: Order, waits: list[float]
) -> None:
    patchworks.faults.add(sequence(status(500), status(502), status(503)), endpoint="inbound")
    pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=1)
    assert [entry.status for entry in patchworks.inbound("orders")] == [500, 502, 503, 200]
    assert waits == [1, 2, 4]


def test_server_errors_without_end_are_given_up(
    patchworks: Patchworks, pusher: OrderPusher, order: Order, waits: list[float]
) -> None:
    patchworks.faults.add(status(503), endpoint="inbound")
    with pytest.raises(UnavailableError, match="it answered 503"):
        pusher.push(order)

    assert len(patchworks.inbound("orders")) == 4
    assert waits == [1, 2, 4]
    patchworks.inbound("orders").assert_nothing_received()


def test_rate_limit_is_waited_out_as_long_as_it_asks(
    patchworks: Patchworks, pusher: OrderPusher, order: Order, waits: list[float]
) -> None:
    patchworks.faults.add(rate_limit(retry_after=42), endpoint="inbound", times=1)
    pusher.push(order)

    assert [entry.status for entry in patchworks.inbound("orders")] == [429, 200]
    assert waits == [42]


def test_rate_limit_that_asks_for_too_long_is_left_to_the_caller(
    patchworks: Patchworks, pusher: OrderPusher, order: Order, waits: list[float]
) -> None:
    patchworks.faults.add(rate_limit(retry_after=LONGEST_WAIT_S + 1), endpoint="inbound")
    with pytest.raises(UnavailableError, match="it answered 429"):
        pusher.push(order)

    assert waits == []


@pytest.mark.parametrize(
    "fault",
    [connection_reset(), empty_response(), garbage_response(), truncated_body()],
    ids=lambda fault: str(fault.kind),
)
def test_broken_answer_is_tried_again(
    fault: Fault, patchworks: Patchworks, pusher: OrderPusher, order: Order, waits: list[float]
) -> None:
    patchworks.faults.add(fault, endpoint="inbound", times=1)
    pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=1)
    assert waits == [1]


def test_answer_that_never_comes_is_tried_again_after_a_time_out(
    patchworks: Patchworks, order: Order, make_pusher: MakePusher, waits: list[float]
) -> None:
    patchworks.faults.add(hang(), endpoint="inbound", times=1)
    make_pusher(timeout=(5, 0.2)).push(order)

    patchworks.inbound("orders").assert_received(json=order, times=1)
    assert waits == [1]


# --- answers that were lost ----------------------------------------------------------------------------------------


def test_order_whose_answer_was_lost_arrives_twice(patchworks: Patchworks, pusher: OrderPusher, order: Order) -> None:
    patchworks.faults.add(connection_reset(), endpoint="inbound", times=1, accept=True)
    pusher.push(order)

    (duplicate,) = patchworks.duplicates(json_path="$.number")
    assert (duplicate.alike, len(duplicate.entries)) == ("bytes", 2)


def test_order_whose_success_was_cut_off_is_sent_again(
    patchworks: Patchworks, pusher: OrderPusher, order: Order
) -> None:
    patchworks.faults.add(truncated_body(), endpoint="inbound", times=1, accept=True)
    pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=2)


def test_body_of_a_success_does_not_matter(patchworks: Patchworks, pusher: OrderPusher, order: Order) -> None:
    patchworks.faults.add(malformed_json(), endpoint="inbound", times=1, accept=True)
    pusher.push(order)

    patchworks.inbound("orders").assert_received(json=order, times=1)


# --- bad payloads --------------------------------------------------------------------------------------------------


def test_order_that_does_not_match_its_entity_is_refused_naming_the_field(
    patchworks: Patchworks, pusher: OrderPusher, order: Order, waits: list[float]
) -> None:
    wrong = copy.deepcopy(order)
    del wrong["lines"][0]["sku"]
    with pytest.raises(OrderRefusedError, match=r"lines\.0\.sku") as refusal:
        pusher.push(wrong)

    assert list(refusal.value.errors) == ["lines.0.sku"]
    patchworks.inbound("orders").assert_received(reason="entity_mismatch", times=1)
    patchworks.inbound("orders").assert_nothing_received()
    assert waits == []


def test_order_that_is_too_large_is_refused_and_not_tried_again(
    patchworks: Patchworks, pusher: OrderPusher, order: Order, waits: list[float]
) -> None:
    patchworks.configure(body_limit=10_000)
    with pytest.raises(PushError, match="answered 413"):
        pusher.push({**order, "note": "x" * 10_000})

    patchworks.inbound("orders").assert_received(status=413, times=1)
    assert waits == []


def test_number_that_json_does_not_have_is_never_sent(
    patchworks: Patchworks, pusher: OrderPusher, order: Order
) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        pusher.push({**order, "total": float("nan")})

    assert not patchworks.requests
