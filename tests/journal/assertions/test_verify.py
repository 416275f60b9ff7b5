from __future__ import annotations

from typing import Any

import pytest

from sandbox.foundation.errors import InvalidValueError
from sandbox.journal.assertions.failure_message import MAX_LINES, repeated_keys
from sandbox.journal.assertions.pattern import MAX_COMPARED, Pattern
from sandbox.journal.assertions.verify import Times
from sandbox.journal.assertions.view import NotReceivedError, Received
from tests.journal.assertions.conftest import Recorded, orders_of


def message_of(assertion: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(NotReceivedError) as failure:
        assertion(*args, **kwargs)
    return str(failure.value)


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        ({}, {1, 2, 3}),
        ({"times": 2}, {2}),
        ({"times": 0}, {0}),
        ({"at_least": 2}, {2, 3}),
        ({"at_most": 1}, {0, 1}),
        ({"at_least": 1, "at_most": 2}, {1, 2}),
    ],
    ids=str,
)
def test_count_holds_within_its_bounds(recorded: Recorded, orders: Received, given: Any, counts: set[int]) -> None:
    holding, messages = set(), []
    for count in range(4):
        try:
            orders.assert_received(json=1, **given)
            holding.add(count)
        except NotReceivedError as failure:
            messages.append(str(failure))
        recorded.record(1)

    assert holding == counts
    assert all(f"expected {Times.of(**given)} accepted request" in message for message in messages)


@pytest.mark.parametrize(
    "given",
    [
        {"times": 1, "at_least": 1},
        {"times": -1},
        {"times": 10**30},
        {"at_least": 2**31 + 1},
        {"times": True},
        {"at_least": 2, "at_most": 1},
    ],
    ids=str,
)
def test_count_that_cannot_be_meant_is_refused(orders: Received, given: Any) -> None:
    with pytest.raises(InvalidValueError):
        orders.assert_received(**given)


def test_only_accepted_payloads_count_unless_the_pattern_is_about_the_answer(
    recorded: Recorded, orders: Received
) -> None:
    recorded.record(1, status=422, reason="entity_mismatch: x")

    orders.assert_nothing_received(json=1)
    orders.assert_received(json=1, status=422)
    orders.assert_received(json=1, reason="entity_mismatch")


def test_payload_accepted_behind_a_fault_counts_as_received(recorded: Recorded, orders: Received) -> None:
    recorded.record(1, status=503, accepted=True, fault="lost answers")

    orders.assert_received(json=1, times=1)
    assert orders.payloads == [1]


def test_order_may_have_others_between(recorded: Recorded, orders: Received) -> None:
    for payload in (1, 9, 2, 9, 3):
        recorded.record(payload)

    orders.assert_received_in_order([{"json": 1}, Pattern(json=2), {"json": 3}])


def test_wrong_order_is_told_with_what_came_too_early(recorded: Recorded, orders: Received) -> None:
    recorded.record(2)
    recorded.record(1)

    message = message_of(orders.assert_received_in_order, [{"json": 1}, {"json": 2}, {"json": 3}])

    assert message.splitlines()[:4] == [
        "expected 3 accepted requests to /v1/acme/orders in this order:",
        "  1. json: 1  <- came as #2",
        "  2. json: 2  <- came too early, as #1",
        "  3. json: 3  <- not looked for",
    ]


def test_one_request_does_not_meet_two_expectations_of_an_order(recorded: Recorded, orders: Received) -> None:
    recorded.record(1)

    assert "2. json: 1  <- did not come after #1" in message_of(orders.assert_received_in_order, [{"json": 1}] * 2)


def test_unknown_condition_in_an_order_is_refused(orders: Received) -> None:
    with pytest.raises(InvalidValueError, match="jsn: there is no such condition; did you mean 'json'"):
        orders.assert_received_in_order([{"jsn": 1}])


def test_three_nearest_entries_are_shown_nearest_first(recorded: Recorded, orders: Received) -> None:
    wanted = {"a": 1, "b": 2, "c": 3, "d": 4}
    for payload in ({"a": 1}, {**wanted, "d": 5}, "nothing like it", {"a": 1, "b": 2}, {**wanted, "d": 5, "c": 4}):
        recorded.record(payload)

    message = message_of(orders.assert_received, json=wanted)

    assert [line.split()[0] for line in message.splitlines() if line.startswith("  #")] == ["#2", "#5", "#4"]
    assert "      $.d: expected 4, got 5" in message


def test_rejected_payload_that_would_have_matched_is_the_nearest(recorded: Recorded, orders: Received) -> None:
    recorded.record(2)
    recorded.record(1, status=401, reason="bad_signature: changed")

    lines = message_of(orders.assert_received, json=1).splitlines()

    assert "  #2 POST /v1/acme/orders -> 401 bad_signature: changed" in lines
    assert lines[lines.index("  #2 POST /v1/acme/orders -> 401 bad_signature: changed") + 1].endswith(
        "outcome: not accepted, see above"
    )


def test_message_tells_rejections_faults_and_what_was_refused_elsewhere(recorded: Recorded, orders: Received) -> None:
    recorded.record(kind="token", status=401, path="/oauth/token", reason="wrong_secret", company=None, vanity_url=None)
    recorded.record(1, status=404, path="/v1/acme/order", vanity_url="order", reason="unknown_service")
    recorded.record(1, status=503, fault="maintenance")
    for _ in range(4):
        recorded.record(1, status=422, reason="blank_payload")

    message = message_of(orders.assert_received, times=9)

    assert "rejected here: 4, " in message
    assert "faults acted on: 1" in message
    assert "-> 503, fault maintenance" in message
    assert "#1 POST /oauth/token -> 401 wrong_secret" in message
    assert "#2 POST /v1/acme/order -> 404 unknown_service" in message


def test_other_companies_are_left_out_of_the_message(recorded: Recorded, orders: Received) -> None:
    recorded.record(1, status=404, path="/v1/other/orders", company="other", reason="unknown_service")

    assert "other" not in message_of(orders.assert_received)


def test_repetition_byte_for_byte_is_told(recorded: Recorded, orders: Received) -> None:
    recorded.record(1)
    recorded.record(1)

    assert "but 2 of 2 match: #1, #2; #2 is #1 again, byte for byte" in message_of(orders.assert_received, times=1)


def test_repeated_keys_of_the_raw_json_are_told(recorded: Recorded, orders: Received) -> None:
    recorded.record(body=b'{"qty": 1, "lines": [{"qty": 1, "qty": 2}]}')

    message = message_of(orders.assert_received, json={"qty": 1, "lines": [{"qty": 1}]})

    assert "$.lines[0].qty: expected 1, got 2" in message
    assert 'note: the raw JSON repeats the key "qty" in an object; the last one counts' in message


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        (b'{"a":1,"a":2,"b":{"b":1}}', ["a"]),
        (b'{"a":{"b":1},"c":{"b":1}}', []),
        (b"{", []),
        (b"\xff", []),
        (b'{"a":1,"a":"' + b"x" * MAX_COMPARED + b'"}', []),
    ],
    ids=["repeated", "in two objects", "no JSON", "no text", "too large to look through"],
)
def test_keys_are_repeated_only_within_one_object(body: bytes, keys: list[str]) -> None:
    assert repeated_keys(body) == keys


def test_message_fits_a_screen_and_keeps_what_matters_last(recorded: Recorded) -> None:
    many = Recorded(max_entries=400)
    for number in range(500):
        many.record({"n": number, "rest": list(range(50))}, status=422 if number % 2 else 200, reason="r" * 500)

    message = message_of(orders_of(many).assert_received, json={str(key): key for key in range(100)})

    lines = message.splitlines()
    assert len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= 160
    assert "100 entries were dropped" in message
    assert lines[-1] == "all of them: patchworks.story()"


# --- entries that were dropped --------------------------------------------------------------------------------------


def record_three(small: Recorded, **changes: Any) -> Received:
    for payload in (1, 2, 3):
        small.record(payload, **changes)
    assert small.journal.dropped == 1
    return orders_of(small)


def test_enough_that_is_there_is_enough_whatever_was_dropped(small: Recorded) -> None:
    record_three(small).assert_received(json=3)


@pytest.mark.parametrize("expected", [{"json": 3, "times": 1}, {"json": 3, "at_most": 1}, {"json": 9, "times": 0}])
def test_assertion_that_dropped_entries_could_make_wrong_fails_and_says_so(
    small: Recorded, expected: dict[str, Any]
) -> None:
    message = message_of(record_three(small).assert_received, **expected)

    assert "1 entry was dropped because the journal was full, and 1 of them may have matched" in message
    assert "journal_entries" in message


def test_nothing_received_is_not_said_when_entries_were_dropped(small: Recorded) -> None:
    orders = record_three(small)

    assert "may have matched" in message_of(orders.assert_nothing_received, json=9)


def test_view_tells_how_many_of_its_entries_may_be_missing(small: Recorded) -> None:
    assert record_three(small).dropped == 1


def test_dropped_entries_of_others_make_nothing_uncertain(small: Recorded) -> None:
    small.record(1, company="other")
    small.record(2)
    small.record(3)
    orders = orders_of(small)

    orders.assert_received(times=2)
    assert "none of them could have matched" in message_of(orders.assert_received, times=3)


def test_order_that_may_have_been_dropped_says_so(small: Recorded) -> None:
    orders = record_three(small)

    assert "may have matched" in message_of(orders.assert_received_in_order, [{"json": 1}, {"json": 2}])
