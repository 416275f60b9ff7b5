"""The integration against a sandbox: ``patchworks`` is the fixture that patchworks-sandbox brings to pytest."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from order_push import REFRESH_EARLY_S, AuthenticationError, OrderPusher, OrderRefusedError, encode

if TYPE_CHECKING:
    from sandbox.client import Patchworks

DAY_S = timedelta(hours=24).total_seconds()
SAMPLE = Path(__file__).parents[2] / "fixtures" / "orders" / "order.json"

MakePusher = Callable[..., OrderPusher]


@pytest.fixture
def order() -> dict[str, Any]:
    """An order as the shop has it."""
    order: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))
    return order


@pytest.fixture
def make_pusher(patchworks: Patchworks) -> Iterator[MakePusher]:
    """Make pushers that send to the sandbox and fail rather than wait."""

    def never(seconds: float) -> None:
        raise AssertionError(f"nothing should make it wait {seconds} s")

    with ExitStack() as stack:

        def make(**options: Any) -> OrderPusher:
            pusher = OrderPusher(
                **{
                    "token_url": patchworks.token_url,
                    "inbound_url": patchworks.inbound("orders").url,
                    "client_id": patchworks.client_id,
                    "client_secret": patchworks.client_secret,
                    "sleep": never,
                    **options,
                }
            )
            return stack.enter_context(closing(pusher))

        yield make


def statuses(entries: Iterable[Any]) -> list[int]:
    return [entry.status for entry in entries]


def test_order_arrives_byte_for_byte(patchworks: Patchworks, make_pusher: MakePusher, order: dict[str, Any]) -> None:
    make_pusher().push(order)

    orders = patchworks.inbound("orders")
    assert orders.payloads == [order]
    assert [entry.body for entry in orders.requests] == [encode(order)]


def test_one_token_serves_several_orders(
    patchworks: Patchworks, make_pusher: MakePusher, order: dict[str, Any]
) -> None:
    pusher = make_pusher()
    for number in ("1001", "1002", "1003"):
        pusher.push({**order, "number": number})

    assert patchworks.inbound("orders").payloads == [{**order, "number": n} for n in ("1001", "1002", "1003")]
    assert statuses(patchworks.token_requests) == [200]


def test_token_that_expired_is_replaced_and_the_order_arrives(
    patchworks: Patchworks, make_pusher: MakePusher, order: dict[str, Any]
) -> None:
    pusher = make_pusher()
    pusher.push(order)
    patchworks.clock.advance(hours=24)
    pusher.push({**order, "number": "1002"})

    orders = patchworks.inbound("orders")
    assert statuses(orders.requests) == [200, 401, 200]
    assert orders.payloads == [order, {**order, "number": "1002"}]
    assert statuses(patchworks.token_requests) == [200, 200]


@pytest.mark.parametrize(("seconds_before_expiry", "tokens"), [(REFRESH_EARLY_S + 1, 1), (REFRESH_EARLY_S, 2), (0, 2)])
def test_token_is_replaced_a_minute_before_it_expires(
    seconds_before_expiry: float,
    tokens: int,
    patchworks: Patchworks,
    make_pusher: MakePusher,
    order: dict[str, Any],
) -> None:
    now = 0.0
    pusher = make_pusher(clock=lambda: now)
    pusher.push(order)
    now = DAY_S - seconds_before_expiry
    patchworks.clock.advance(seconds=now)
    pusher.push(order)

    assert statuses(patchworks.inbound("orders").requests) == [200, 200]
    assert statuses(patchworks.token_requests) == [200] * tokens


def test_order_that_does_not_match_its_entity_is_refused_naming_the_field(
    patchworks: Patchworks, make_pusher: MakePusher, order: dict[str, Any]
) -> None:
    wrong = copy.deepcopy(order)
    del wrong["lines"][0]["sku"]
    with pytest.raises(OrderRefusedError, match=r"lines\.0\.sku") as refusal:
        make_pusher().push(wrong)

    assert list(refusal.value.errors) == ["lines.0.sku"]
    assert patchworks.inbound("orders").payloads == []


def test_wrong_secret_is_told_as_such(patchworks: Patchworks, make_pusher: MakePusher, order: dict[str, Any]) -> None:
    pusher = make_pusher(client_secret="not the secret")
    with pytest.raises(AuthenticationError, match=r"answered 401: .* check the client id"):
        pusher.push(order)

    assert statuses(patchworks.token_requests) == [401]
    assert list(patchworks.inbound("orders").requests) == []
