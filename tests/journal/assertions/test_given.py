"""What a test gives to an assertion: conditions by name, matchers in place of values, and what is none of them."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import UserList
from collections.abc import Iterator
from datetime import date
from enum import Enum
from fractions import Fraction
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any
from unittest.mock import ANY
from uuid import UUID

import pytest

from sandbox.errors import InvalidValueError
from sandbox.journal.assertions.pattern import Pattern
from sandbox.journal.assertions.view import NotReceivedError, Received
from tests.journal.assertions.conftest import Recorded


@pytest.mark.parametrize("name", ["assert_received", "assert_nothing_received", "wait_for", "one"])
def test_unknown_condition_is_told_with_the_nearest_one(orders: Received, name: str) -> None:
    with pytest.raises(InvalidValueError, match=r"jsn: there is no such condition; did you mean 'json'\? known: json,"):
        getattr(orders, name)(jsn={"n": 1})


@pytest.mark.parametrize("name", ["assert_received", "assert_nothing_received"])
def test_payload_without_a_name_is_told_how_it_is_given(orders: Received, name: str) -> None:
    with pytest.raises(InvalidValueError, match=r"a payload is given as json=\{'n': 1\}"):
        getattr(orders, name)({"n": 1})


@pytest.mark.parametrize(
    ("arguments", "field"),
    [(({"n": 1},), "count"), ((1, {"n": 1}), "timeout"), ((-1,), "count"), ((1, -1), "timeout"), ((True,), "count")],
    ids=repr,
)
def test_wait_says_what_is_no_count_and_no_timeout(orders: Received, arguments: tuple[Any, ...], field: str) -> None:
    with pytest.raises(InvalidValueError, match=rf"{field}: .*json="):
        orders.wait_for(*arguments)


@pytest.mark.parametrize("pattern", [{"n": 1}.items(), 5, "n"], ids=["list", "number", "text"])
def test_pattern_of_an_order_is_told_what_it_is(orders: Received, pattern: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"pattern: .* use the conditions json, .* given as json="):
        orders.assert_received_in_order([pattern])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"reason": "token_expird"}, "reason: 'token_expird' is not allowed; .*did you mean 'token_expired'?"),
        ({"reason": "token expired"}, "did you mean 'token_expired'?"),
        ({"outcome": "acepted"}, "outcome: 'acepted' is not allowed; .*did you mean 'accepted'?"),
        ({"headers": ["X-Id"]}, "headers: <class 'list'> is not allowed; use an object of names and values"),
        ({"headers": {"X-Id:": "1"}}, "headers: 'X-Id:' is not allowed; .* without a colon"),
        ({"headers": {b"X-Id": "1"}}, "headers: b'X-Id' is not allowed"),
        ({"headers": {"X-Id": 1}}, "X-Id: <class 'int'> is not allowed; use text; or a regular expression"),
        ({"text": b"1"}, "text: <class 'bytes'> is not allowed"),
        ({"status": "401"}, "status: '401' is not allowed; use a whole number from 0 to 599"),
        ({"status": True}, "status: True is not allowed"),
        ({"status": 4010}, "status: 4010 is not allowed"),
        ({"method": "post"}, "method: 'post' is not allowed; .*: POST"),
        ({"client_id": UUID(int=1)}, r"client_id: UUID\(.*\) is not allowed"),
        ({"fault": re.compile("hang")}, r"fault: re.compile\(.*\) is not allowed"),
        ({"json_path": ["$.id"]}, r"json_path: \['\$.id'\] is not allowed; use an RFC 9535 JSONPath"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("name", ["assert_received", "assert_nothing_received"])
def test_value_that_no_request_can_have_is_refused(
    orders: Received, name: str, given: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidValueError, match=told):
        getattr(orders, name)(**given)


async def _later(value: object) -> bool:
    return True


def _one_by_one(value: object) -> Iterator[bool]:
    yield True


UNEQUALLED = {
    "UUID": UUID(int=1),
    "date": date(2026, 11, 23),
    "member": Enum("Color", "RED").RED,  # type: ignore[attr-defined]
    "bytes": b"1",
    "set": {1},
    "path": Path("1"),
    "class": int,
    "not a number": float("nan"),
    "ellipsis": ...,
    "key": {b"id": 1},
    "expression of bytes": re.compile(b"1"),
    "coroutine function": _later,
    "generator function": _one_by_one,
}


@pytest.mark.parametrize("value", UNEQUALLED.values(), ids=list(UNEQUALLED))
@pytest.mark.parametrize("name", ["assert_received", "assert_nothing_received"])
def test_value_that_no_json_equals_is_refused_with_its_place(orders: Received, name: str, value: Any) -> None:
    for given in ({"json": {"lines": [1, value]}}, {"json_contains": {"lines": [1, value]}}):
        with pytest.raises(InvalidValueError, match=r"\.lines\[1\]: <.* is not allowed; use JSON, a regular"):
            getattr(orders, name)(**given)
    with pytest.raises(InvalidValueError, match=r"\$\.id: <.* is not allowed"):
        getattr(orders, name)(json_path={"$.id": value})


def test_value_of_another_type_that_json_equals_is_taken(recorded: Recorded, orders: Received) -> None:
    recorded.record({"red": "red", "lines": [1], "total": 10})
    color = Enum("color", {"RED": "red"}, type=str).RED  # type: ignore[attr-defined]

    orders.assert_received(json={color: color, "lines": UserList([1]), "total": Fraction(10)})
    orders.assert_received(json_contains={color: ANY})


def test_null_is_a_condition_of_json_contains(recorded: Recorded, orders: Received) -> None:
    recorded.record({"id": 1})

    assert dict(Pattern(json_contains=None).conditions) == {"json_contains": None}
    orders.assert_nothing_received(json_contains=None)


@pytest.mark.parametrize("reason", ["token_expired", "token_expired: 4 s ago", "token_", "fault", "fault: once"])
def test_reason_may_be_given_by_its_beginning(orders: Received, reason: str) -> None:
    orders.assert_nothing_received(reason=reason)


class IsEven:
    def __eq__(self, other: object) -> bool:
        return isinstance(other, int) and other % 2 == 0

    __hash__ = object.__hash__


def _above(limit: int, value: int) -> bool:
    return value > limit


MATCHERS = {
    "expression": (re.compile(r"^\d+$"), "1001", "no number"),
    "expression on no text": (re.compile(r"1"), "1001", None),
    "function": (lambda value: value > 3, 4, 3),
    "function on another type": (lambda value: value > 3, 4, "four"),
    "partial": (partial(_above, 3), 4, 3),
    "object that is called": (methodcaller("startswith", "1"), "1001", "2"),
    "method": ("1001".startswith, "100", "2"),
    "equal object": (IsEven(), 4, 3),
}


@pytest.mark.parametrize(("matcher", "good", "bad"), MATCHERS.values(), ids=list(MATCHERS))
def test_matcher_may_stand_for_a_value_of_json(
    recorded: Recorded, orders: Received, matcher: Any, good: Any, bad: Any
) -> None:
    recorded.record({"id": bad, "lines": [bad]})
    wanted: list[dict[str, Any]] = [
        {"json": {"id": matcher, "lines": ANY}},
        {"json_contains": {"lines": [matcher]}},
        {"json_path": {"$.id": matcher}},
        {"json_path": {"$.lines[*]": matcher}},
    ]
    for conditions in wanted:
        orders.assert_nothing_received(**conditions)
        with pytest.raises(NotReceivedError, match="expected at least 1 "):
            orders.assert_received(**conditions)

    recorded.record({"id": good, "lines": [bad, good]})
    for conditions in wanted:
        orders.assert_received(**conditions, times=1)


def test_matcher_may_stand_for_a_text_and_a_header(recorded: Recorded, orders: Received) -> None:
    recorded.record("hello", headers=(("X-Id", "1001"), ("X-Id", "1002")))

    orders.assert_received(text=re.compile("ell"), headers={"x-id": re.compile("2$")}, times=1)
    orders.assert_received(headers={"X-Id": lambda value: int(value) > 1001, "X-None": None}, times=1)
    orders.assert_nothing_received(headers={"X-Id": re.compile("^3")})
    with pytest.raises(NotReceivedError) as failure:
        orders.assert_received(headers={"X-Id": re.compile("^3")}, text=str.isdigit)

    told = str(failure.value)
    assert 'headers.X-Id: expected "re.compile(\'^3\')", got "1002"' in told
    assert 'text: expected "str.isdigit", got "' in told


def test_expression_with_a_secret_is_not_shown(recorded: Recorded, orders: Received) -> None:
    recorded.journal.secrets.note("s3cr3t-of-the-client-0123456789")
    recorded.record("hello", headers=(("X-Id", "1"),))

    with pytest.raises(NotReceivedError) as failure:
        orders.assert_received(headers={"X-Id": re.compile("s3cr3t-of-the-client-0123456789")})

    assert "s3cr3t-of" not in str(failure.value)


def test_one_is_the_only_entry_that_matches(recorded: Recorded, orders: Received) -> None:
    recorded.record({"order": "1001"})
    recorded.record({"order": "1002"})

    assert orders.one(json={"order": "1002"}).seq == 2
    with pytest.raises(NotReceivedError, match=r"expected exactly 1 .*\nbut 2 of 2 match"):
        orders.one()
    with pytest.raises(NotReceivedError, match="expected exactly 1 "):
        orders.one(json=3)


def test_ends_of_an_empty_view_are_told_with_what_came_instead(recorded: Recorded, orders: Received) -> None:
    recorded.record(1, status=404, path="/v1/acme/order", vanity_url="order", reason="unknown_service")

    for end in ("first", "last"):
        with pytest.raises(NotReceivedError, match="but nothing came\n\nrefused elsewhere: 1\n  #1 POST"):
            getattr(orders, end)


# --- event loops ---


def test_blocked_event_loop_is_told(orders: Received) -> None:
    async def wait() -> None:
        orders.wait_for(timeout=0)

    with pytest.raises(NotReceivedError, match=r"wait_for blocked the event loop of asyncio .*await …wait_for_async"):
        asyncio.run(wait())
    with pytest.raises(NotReceivedError) as failure:
        orders.wait_for(timeout=0)
    assert "event loop" not in str(failure.value)


def test_event_loop_goes_on_while_a_test_waits(recorded: Recorded, orders: Received) -> None:
    async def push_and_wait() -> list[Any]:
        async def push() -> None:
            recorded.record({"order": "1001"})

        task = asyncio.create_task(push())
        found = await orders.wait_for_async(timeout=10, json={"order": "1001"})
        await task
        return [entry.json for entry in found]

    assert asyncio.run(push_and_wait()) == [{"order": "1001"}]


def test_waiting_in_an_event_loop_fails_as_ever(orders: Received) -> None:
    with pytest.raises(NotReceivedError, match=r"expected at least 2 .* within 0 s\nbut nothing came"):
        asyncio.run(orders.wait_for_async(2, timeout=0))


def test_cancelled_wait_leaves_no_thread_waiting(orders: Received) -> None:
    async def cancel() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(orders.wait_for_async(timeout=600), 0.01)

    asyncio.run(cancel())  # which waits for the threads of the loop

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("asyncio_")]
