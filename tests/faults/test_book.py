"""Choosing the fault for a request: order, matching, schedules, and being asked by many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from sandbox.faults import FaultBook, connection_reset, hang, make_rule, rotated_key, sequence, status
from sandbox.faults.matching import Faultable
from sandbox.foundation.errors import NotFoundError
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.rng import Rng
from sandbox.foundation.strict_json import parse_json

START = 1_700_000_000.0


def looked(
    *,
    kind: str = "inbound",
    method: str = "POST",
    client_id: str | None = "client",
    body: bytes = b'{"order": "1001", "lines": [{"sku": "TEA-01"}], "paid": true}',
    headers: Mapping[str, str] = MappingProxyType({}),
    subject: Mapping[str, str] = MappingProxyType({"company": "acme", "vanity_url": "orders"}),
    parse: Callable[[bytes], JsonValue] = parse_json,
) -> Faultable:
    """Return a request as rules see it."""
    by_name = {name.lower(): value for name, value in headers.items()}
    return Faultable(kind, method, subject, client_id, lambda: parse(body), lambda name: by_name.get(name.lower()))


class Time:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def book(time: Time) -> FaultBook:
    return FaultBook(time, Rng(7))


def chosen(book: FaultBook, count: int, **request: Any) -> list[str]:
    """Let the book choose so many times; return the kinds, ``-`` for none."""
    acts = [book.choose(looked(**request)) for _ in range(count)]
    return ["-" if act is None else act.fault.kind for act in acts]


def test_without_rules_nothing_is_armed(book: FaultBook) -> None:
    assert not book.armed
    assert chosen(book, 1) == ["-"]


@pytest.mark.parametrize(
    ("schedule", "acts"),
    [
        pytest.param({}, "xxxxxxx", id="always"),
        pytest.param({"times": 2}, "xx-----", id="times"),
        pytest.param({"after": 2}, "--xxxxx", id="after"),
        pytest.param({"every": 3}, "--x--x-", id="every"),
        pytest.param({"after": 2, "times": 1}, "--x----", id="the third"),
        pytest.param({"after": 1, "every": 2, "times": 2}, "--x-x--", id="all of them"),
        pytest.param({"probability": 0}, "-------", id="never"),
    ],
)
def test_schedule_says_which_requests_it_acts_on(book: FaultBook, schedule: dict[str, Any], acts: str) -> None:
    book.add(make_rule(hang(), **schedule))

    assert "".join("x" if kind == "hang" else "-" for kind in chosen(book, 7)) == acts


def test_chance_repeats_itself_with_the_same_seed() -> None:
    runs = []
    for _ in range(2):
        book = FaultBook(Time(), Rng(11))
        book.add(make_rule(hang(), probability=0.3))
        runs.append(chosen(book, 200))

    assert runs[0] == runs[1]
    assert 30 < runs[0].count("hang") < 90


@pytest.mark.parametrize(
    ("window", "acts_at"),
    [
        pytest.param({"lasts": 60}, {0, 59.9}, id="lasts"),
        pytest.param({"since": "2023-11-14T22:14:20Z"}, {60, 120}, id="since"),
        pytest.param({"until": "2023-11-14T22:14:20Z"}, {0, 59.9}, id="until"),
        pytest.param({"since": "2023-11-14T22:14:20Z", "lasts": "30s"}, {60}, id="since and lasts"),
    ],
)
def test_window_follows_the_clock(book: FaultBook, time: Time, window: dict[str, Any], acts_at: set[float]) -> None:
    book.add(make_rule(hang(), **window))

    acted = set()
    for seconds in (0, 59.9, 60, 120):
        time.now = START + seconds
        if chosen(book, 1) == ["hang"]:
            acted.add(seconds)

    assert acted == acts_at


@pytest.mark.parametrize(
    ("conditions", "request_", "matches"),
    [
        ({}, {}, True),
        ({"endpoint": "inbound"}, {}, True),
        ({"endpoint": "token"}, {}, False),
        ({"endpoint": "token"}, {"kind": "token"}, True),
        ({"endpoint": "any"}, {"kind": "other"}, True),
        ({"endpoint": "inbound"}, {"kind": "other"}, False),
        ({"company": "acme", "vanity_url": "orders"}, {}, True),
        ({"company": "acme", "vanity_url": "products"}, {}, False),
        ({"client_id": "client"}, {}, True),
        ({"client_id": "another"}, {}, False),
        ({"client_id": "client"}, {"client_id": None}, False),
        ({"method": "post"}, {}, True),
        ({"method": "GET"}, {}, False),
        ({"headers": {"x-run": "7"}}, {"headers": {"X-Run": "7"}}, True),
        ({"headers": {"X-Run": "7"}}, {"headers": {"X-Run": "8"}}, False),
        ({"headers": {"X-Run": None}}, {"headers": {"X-Run": "8"}}, True),
        ({"headers": {"X-Run": None}}, {}, False),
        ({"json_path": "$.lines[?@.sku == 'TEA-01']"}, {}, True),
        ({"json_path": "$.lines[?@.sku == 'MUG']"}, {}, False),
        ({"json_path": "$.order"}, {}, True),
        ({"json_path": "$.missing"}, {}, False),
        ({"json_path": "$.order"}, {"body": b"not JSON"}, False),
        ({"json_path": {"$.order": "1001"}}, {}, True),
        ({"json_path": {"$.order": "1002"}}, {}, False),
        ({"json_path": {"$.order": "1001", "$.lines[*].sku": "TEA-01"}}, {}, True),
        ({"json_path": {"$.order": "1001", "$.lines[*].sku": "MUG"}}, {}, False),
        ({"json_path": {"$.order": "1001", "$.missing": None}}, {}, False),
        ({"json_path": {"$.order": "1001", "$.order.missing": None}}, {}, False),
        ({"json_path": {"$.paid": 1}}, {}, False),
        ({"json_path": {"$.lines[0]": [1, 0]}}, {"body": b'{"lines":[[true,false]]}'}, False),
        ({"json_path": {"$.lines": [1, 0]}}, {"body": b'{"lines":[true,false]}'}, False),
        ({"json_path": {"$.lines": {"a": [True]}}}, {"body": b'{"lines":{"a":[1]}}'}, False),
        ({"json_path": {"$.lines": [10]}}, {"body": b'{"lines":[1e1]}'}, True),
        ({"json_path": "$..missing"}, {"body": b'{"order":' + b"[" * 100 + b"]" * 100 + b"}"}, False),
    ],
)
def test_rule_matches_what_its_conditions_say(
    book: FaultBook, conditions: dict[str, Any], request_: dict[str, Any], matches: bool
) -> None:
    book.add(make_rule(hang(), **conditions))

    assert (chosen(book, 1, **request_) == ["hang"]) is matches


def test_first_rule_that_may_act_is_the_only_one(book: FaultBook) -> None:
    first = book.add(make_rule(status(503), vanity_url="orders", times=1))
    second = book.add(make_rule(hang(), endpoint="inbound"))

    assert chosen(book, 2) == ["status", "hang"]
    assert [(state.id, state.seen, state.hits, state.used_up) for state in book.rules()] == [
        (first.id, 1, 1, True),
        (second.id, 1, 1, False),
    ]


def test_rules_of_different_shapes_keep_their_order(book: FaultBook) -> None:
    book.add(make_rule(status(500), vanity_url="products"))
    book.add(make_rule(status(503), client_id="client"))
    book.add(make_rule(hang(), vanity_url="orders"))

    assert chosen(book, 1) == ["status"]


def test_fault_for_another_endpoint_leaves_the_request_to_the_next_rule(book: FaultBook) -> None:
    book.add(make_rule(rotated_key()))
    book.add(make_rule(hang()))

    assert chosen(book, 1, kind="token") == ["hang"]
    assert chosen(book, 1, kind="inbound") == ["rotated_key"]


def test_fault_of_tokens_leaves_a_request_to_an_unknown_path_alone(book: FaultBook) -> None:
    rule = book.add(make_rule(rotated_key()))

    assert chosen(book, 1, kind="other") == ["-"]
    assert book.get(rule.id).seen == 0


def test_body_is_parsed_once_and_looked_through_once_for_each_path(book: FaultBook) -> None:
    for code, sku in ((501, "MUG"), (502, "TEA-01")):
        book.add(make_rule(status(code), json_path={"$.order": "1001", "$..sku": sku}))
    selections: list[JsonValue] = []
    bodies: list[bytes] = []

    def select(document: JsonValue) -> list[JsonValue]:
        selections.append(document)
        return ["TEA-01"]

    def parse(body: bytes) -> JsonValue:
        bodies.append(body)
        return parse_json(body)

    request = looked(parse=parse)
    assert request.selected("$..sku", select) == request.selected("$..sku", select) == ["TEA-01"]
    assert selections == [request.json()]
    bodies.clear()
    assert book.choose(looked(parse=parse)) is not None
    assert len(bodies) == 1


def test_body_is_not_parsed_where_another_condition_fails(book: FaultBook) -> None:
    book.add(make_rule(hang(), vanity_url="products", json_path="$.order"))

    def parse(body: bytes) -> JsonValue:
        pytest.fail("it was parsed")

    assert book.choose(looked(parse=parse)) is None


def test_sequence_takes_a_step_a_request_and_is_used_up(book: FaultBook) -> None:
    rule = book.add(make_rule(sequence(status(503), "pass", connection_reset())))

    assert chosen(book, 4) == ["status", "-", "connection_reset", "-"]
    assert book.get(rule.id).hits == 3
    assert not book.armed


def test_repeated_sequence_starts_over(book: FaultBook) -> None:
    book.add(make_rule(sequence(status(503), "pass", repeat=True), times=5))

    assert chosen(book, 6) == ["status", "-", "status", "-", "status", "-"]


def test_pass_keeps_the_request_from_later_rules(book: FaultBook) -> None:
    book.add(make_rule(sequence("pass")))
    book.add(make_rule(hang()))

    assert chosen(book, 2) == ["-", "hang"]


def test_sequence_is_taken_step_by_step_by_many_at_once(book: FaultBook) -> None:
    codes = list(range(200, 600))
    book.add(make_rule(sequence(*(status(code) for code in codes))))
    taken: list[int] = []
    together = threading.Barrier(8)

    def take() -> None:
        together.wait()
        while (act := book.choose(looked())) is not None:
            taken.append(act.fault.code)  # type: ignore[attr-defined]

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == codes


def test_removed_rule_is_gone_and_tells_who_waits(book: FaultBook) -> None:
    kept, removed = book.add(make_rule(status(503), times=1)), book.add(make_rule(hang()))
    act = (chosen(book, 1), book.choose(looked()))[1]
    assert act is not None
    heard: list[str] = []
    act.cancellation.listen(lambda: heard.append("over"))

    book.remove(removed.id)

    assert heard == ["over"]
    assert [state.id for state in book.rules()] == [kept.id]
    assert chosen(book, 1) == ["-"]
    with pytest.raises(NotFoundError, match=r"there is no fault rule 'fault-2'; known: fault-1"):
        book.get(removed.id)


def test_replaced_rule_tells_who_waits(book: FaultBook) -> None:
    replaced, behind = book.add(make_rule(hang())), book.add(make_rule(status(500)))
    act = book.choose(looked())
    assert act is not None

    book.replace(replaced.id, make_rule(status(503), times=1))

    assert act.cancellation.is_set
    assert [state.id for state in book.rules()] == [replaced.id, behind.id]
    assert chosen(book, 3) == ["status", "status", "status"]
    assert [(state.id, state.hits) for state in book.rules()] == [(replaced.id, 1), (behind.id, 2)]


def test_rule_that_is_removed_while_a_request_is_looked_at_does_not_act(book: FaultBook) -> None:
    rule = book.add(make_rule(hang(), json_path="$.order"))

    def parse(body: bytes) -> JsonValue:
        book.clear()
        return parse_json(body)

    assert book.choose(looked(parse=parse)) is None
    assert book.add(make_rule(hang())).id != rule.id


def test_cancellation_that_is_over_calls_a_new_listener_at_once_and_an_old_one_no_more(book: FaultBook) -> None:
    book.add(make_rule(hang()))
    act = book.choose(looked())
    assert act is not None
    heard: list[str] = []
    act.cancellation.listen(lambda: heard.append("left"))()

    assert book.clear() == 1
    act.cancellation.listen(lambda: heard.append("late"))()

    assert heard == ["late"]
    assert act.cancellation.wait(60)


def test_rules_are_found_among_a_thousand_in_their_order(book: FaultBook) -> None:
    for number in range(1_000):
        book.add(make_rule(status(500), vanity_url=f"service-{number}", headers={"X-Run": "7"}))
    book.add(make_rule(status(501), vanity_url="orders", times=1))
    book.add(make_rule(status(502)))

    acts = [book.choose(looked(body=b"")) for _ in range(2)]

    assert [act and act.fault for act in acts] == [status(501), status(502)]
