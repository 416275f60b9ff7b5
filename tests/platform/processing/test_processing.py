"""Processing: when services run, what a run does to an item, and what can be asked for."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from sandbox import faults
from sandbox.faults import make_rule
from sandbox.foundation.errors import ConflictError, NotFoundError
from sandbox.platform.processing import processing as module
from sandbox.platform.processing.sync_report import log_of
from tests.platform.processing.orders import MakeOrders, Orders


def add(orders: Orders, fault: Any, **fields: object) -> None:
    orders.sandbox.platform.faults.add(make_rule(fault, **fields))


# --- when -------------------------------------------------------------------------------------------------------------


def test_payload_is_processed_at_once_by_default(immediate: Orders) -> None:
    immediate.post("1001")

    assert (immediate.statuses(), immediate.runs()) == ({"1001": "OK"}, [("10:03", "event", 1, 1)])


def test_payload_waits_for_the_schedule(scheduled: Orders) -> None:
    scheduled.post("1001", "1002")
    waiting = scheduled.statuses()
    scheduled.sandbox.clock.advance("12m")

    assert waiting == {"1001": None, "1002": None}
    assert (scheduled.statuses(), scheduled.runs()) == ({"1001": "OK", "1002": "OK"}, [("10:15", "cron", 2, 2)])


def test_runs_happen_in_order_at_their_own_times_when_the_clock_jumps(scheduled: Orders) -> None:
    scheduled.post("1001")
    scheduled.sandbox.clock.advance("10m")
    scheduled.post("1002")
    scheduled.sandbox.clock.advance("5m")
    scheduled.post("1003")
    scheduled.sandbox.clock.advance("365d")

    assert scheduled.runs() == [("10:15", "cron", 2, 2), ("10:30", "cron", 1, 1)]


def test_outcome_does_not_depend_on_when_it_is_read(make_orders: MakeOrders) -> None:
    def history(*, read: bool) -> object:
        orders = make_orders({"processing": "scheduled"}, schedule="*/15 * * * *", max_attempts=3)
        orders.post("1001")
        for step in ("14m", "-20m", "20m", "2h"):
            add(orders, faults.pending(), times=1)
            orders.sandbox.clock.advance(step)
            orders.post(step)
            if read:
                orders.processing.items()
        return [(item.reference, item.last) for item in orders.processing.items()], orders.runs()

    assert history(read=True) == history(read=False)


def test_schedule_is_one_of_the_services_time_zone(make_orders: MakeOrders) -> None:
    orders = make_orders({"processing": "scheduled"}, schedule="30 9 * * *", time_zone="America/New_York")
    orders.post("1001")
    orders.sandbox.clock.advance("12h")

    assert orders.runs() == [("14:30", "cron", 1, 1)]


def test_payload_of_a_service_without_a_schedule_waits_for_a_run_by_hand(make_orders: MakeOrders) -> None:
    orders = make_orders({"processing": "scheduled"})
    orders.post("1001")
    orders.sandbox.clock.advance("30d")
    waiting = orders.statuses()
    orders.processing.run(orders.service.id)

    assert (waiting, orders.statuses()) == ({"1001": None}, {"1001": "OK"})
    assert orders.runs()[0][1:] == ("cli", 1, 1)


def test_nothing_is_processed_while_it_is_off(make_orders: MakeOrders) -> None:
    orders = make_orders({"processing": "off"})
    orders.post("1001")
    before = orders.statuses()
    orders.sandbox.change_settings({"processing": "immediate"})
    orders.post("1002")

    assert (before, orders.statuses()) == ({}, {"1002": "OK"})


def test_payloads_before_processing_is_switched_off_are_processed(immediate: Orders) -> None:
    immediate.post("1001")
    immediate.sandbox.change_settings({"processing": "off"})
    immediate.post("1002")

    assert immediate.statuses() == {"1001": "OK"}


def test_payloads_that_waited_are_processed_when_the_setting_says_at_once(scheduled: Orders) -> None:
    scheduled.post("1001")
    scheduled.sandbox.change_settings({"processing": "immediate"})

    assert (scheduled.statuses(), scheduled.runs()) == ({"1001": "OK"}, [("10:03", "event", 1, 1)])


def test_inactive_service_does_not_run(make_orders: MakeOrders) -> None:
    settings = {"processing": "scheduled", "inactive_service": "accept"}
    orders = make_orders(settings, schedule="*/15 * * * *", active=False)
    orders.post("1001")
    orders.sandbox.clock.advance("20m")
    waiting = orders.statuses()
    with pytest.raises(ConflictError, match="inactive services do not run"):
        orders.processing.run(orders.service.id)
    orders.change(active=True)
    orders.sandbox.clock.advance("10m")

    assert (waiting, orders.runs()) == ({"1001": None}, [("10:30", "cron", 1, 1)])


def test_changed_schedule_counts_from_the_change_on(scheduled: Orders) -> None:
    scheduled.post("1001")
    scheduled.change(schedule="every hour")
    scheduled.sandbox.clock.advance("2h")

    assert scheduled.runs() == [("11:00", "cron", 1, 1)]


def test_payload_of_a_deleted_service_keeps_its_row(immediate: Orders) -> None:
    immediate.post("1001")
    immediate.sandbox.store.delete_service(immediate.service.id)

    assert immediate.statuses() == {"1001": "OK"}


def test_payload_that_waits_is_not_processed_after_its_service_is_deleted(scheduled: Orders) -> None:
    scheduled.post("1001")
    scheduled.sandbox.store.delete_service(scheduled.service.id)
    scheduled.sandbox.clock.advance("1h")

    assert (scheduled.statuses(), scheduled.runs()) == ({"1001": None}, [])


def test_next_run_is_that_of_the_schedule(scheduled: Orders) -> None:
    assert scheduled.processing.next_run(scheduled.service) == scheduled.sandbox.clock.timestamp() + 12 * 60
    assert scheduled.processing.next_run(scheduled.change(active=False)) is None


# --- a clock that is moved back ---------------------------------------------------------------------------------------


def test_payload_that_waits_is_taken_by_the_next_run_of_a_clock_that_was_moved_back(scheduled: Orders) -> None:
    scheduled.post("1001")
    scheduled.sandbox.clock.travel_to("2026-11-27T08:50:00Z")
    scheduled.post("1002")
    scheduled.sandbox.clock.advance("10m")

    assert (scheduled.statuses(), scheduled.runs()) == ({"1001": "OK", "1002": "OK"}, [("09:00", "cron", 2, 2)])


def test_retry_keeps_its_distance_when_the_clock_is_moved_back(immediate: Orders) -> None:
    add(immediate, faults.pending(1))
    immediate.post("1001")
    immediate.sandbox.clock.advance("-3d")
    immediate.sandbox.clock.advance(299)
    before = immediate.statuses()
    immediate.sandbox.clock.advance(1)

    assert (before, immediate.statuses()) == ({"1001": "Pending"}, {"1001": "OK"})


def test_clock_that_is_moved_back_during_a_run_waits_for_its_end(
    scheduled: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(scheduled, faults.failed(), times=1)
    scheduled.post("1001", "1002")
    scheduled.sandbox.clock.advance("12m")
    choose = scheduled.sandbox.platform.faults.choose
    mover = threading.Thread(target=scheduled.sandbox.clock.advance, args=("-1d",))

    def move_first(*given: Any, **named: Any) -> Any:
        if mover.ident is None:
            mover.start()
        return choose(*given, **named)

    monkeypatch.setattr(scheduled.sandbox.platform.faults, "choose", move_first)
    scheduled.processing.items()
    mover.join(10)

    assert scheduled.statuses() == {"1001": "Failed", "1002": "OK"}
    assert (scheduled.runs(), mover.is_alive()) == ([("10:15", "cron", 2, 1)], False)
    assert scheduled.sandbox.clock.now().day == 26


def test_run_that_has_happened_does_not_happen_again(scheduled: Orders) -> None:
    scheduled.post("1001")
    scheduled.sandbox.clock.advance("20m")
    scheduled.sandbox.clock.advance("-20m")
    scheduled.sandbox.clock.advance("20m")

    assert scheduled.runs() == [("10:15", "cron", 1, 1)]


# --- outcomes ---------------------------------------------------------------------------------------------------------


def test_failed_item_has_the_message_of_its_rule(immediate: Orders) -> None:
    add(immediate, faults.failed("SKU TEA-01 is unknown"), reference="1002")
    immediate.post("1001", "1002")

    assert immediate.statuses() == {"1001": "OK", "1002": "Failed"}
    assert immediate.item("1002").last[-1].message == "SKU TEA-01 is unknown"


def test_pending_item_arrives_after_so_many_attempts(scheduled: Orders) -> None:
    add(scheduled, faults.pending(2))
    scheduled.post("1001")
    scheduled.sandbox.clock.advance("2h")

    assert scheduled.history("1001") == [("10:15", "Pending"), ("10:30", "Pending"), ("10:45", "OK")]


def test_pending_item_that_never_arrives_fails_with_the_last_attempt(scheduled: Orders) -> None:
    add(scheduled, faults.pending(message="NetSuite is down"))
    scheduled.post("1001")
    scheduled.sandbox.clock.advance("2d")

    assert [status for _, status in scheduled.history("1001")] == ["Pending", "Pending", "Pending", "Failed"]
    assert scheduled.item("1001").last[-1].message == "NetSuite is down (no success in 4 attempts)"


@pytest.mark.parametrize("attempts", [1, 15])
def test_number_of_attempts_is_the_services(make_orders: MakeOrders, attempts: int) -> None:
    orders = make_orders(max_attempts=attempts)
    add(orders, faults.pending())
    orders.post("1001")
    orders.sandbox.clock.advance("1d")

    assert (orders.item("1001").attempts, orders.item("1001").status) == (attempts, "Failed")


def test_pending_item_is_tried_again_after_a_while_where_there_is_no_schedule(make_orders: MakeOrders) -> None:
    orders = make_orders({"processing_retry": "10m"})
    add(orders, faults.pending(2))
    orders.post("1001")
    orders.sandbox.clock.advance("1h")

    assert orders.history("1001") == [("10:03", "Pending"), ("10:13", "Pending"), ("10:23", "OK")]


def test_sent_item_is_ok_after_a_time(immediate: Orders) -> None:
    add(immediate, faults.sent("1m"))
    immediate.post("1001")
    before = immediate.statuses()
    immediate.sandbox.clock.advance("2m")
    item = immediate.item("1001")

    assert (before, item.status, item.attempts) == ({"1001": "Sent"}, "OK", 1)
    assert item.last[-1].updated_at == immediate.sandbox.clock.timestamp() - 60


def test_sent_item_without_a_time_is_never_confirmed(immediate: Orders) -> None:
    add(immediate, faults.sent())
    immediate.post("1001")
    immediate.sandbox.clock.advance("300d")

    assert immediate.statuses() == {"1001": "Sent"}


@pytest.mark.parametrize(
    ("fields", "hit"),
    [
        ({"vanity_url": "anything"}, ["1", "2", "3", "4"]),
        ({"vanity_url": "orders"}, []),
        ({"company": "acme", "reference": "2"}, ["2"]),
        ({"json_path": {"$.order": "3"}}, ["3"]),
        ({"json_path": "$.none"}, []),
        ({"headers": {"X-Run": "7"}}, []),
        ({"headers": {"Content-Type": None}}, ["1", "2", "3", "4"]),
        ({"method": "GET"}, []),
        ({"times": 1}, ["1"]),
        ({"every": 2}, ["2", "4"]),
        ({"after": 3}, ["4"]),
        ({"probability": 0.0}, []),
    ],
)
def test_rule_is_for_items_that_match(immediate: Orders, fields: dict[str, Any], hit: list[str]) -> None:
    add(immediate, faults.failed(), **fields)
    immediate.post("1", "2", "3", "4")

    assert [reference for reference, status in immediate.statuses().items() if status == "Failed"] == hit


def test_sequence_takes_a_step_an_item(immediate: Orders) -> None:
    add(immediate, faults.sequence(faults.failed(), "pass", faults.sent()))
    immediate.post("1", "2", "3", "4")

    assert list(immediate.statuses().values()) == ["Failed", "OK", "Sent", "OK"]


def test_rule_acts_on_no_item_from_before_it_was_added_or_after_it_was_removed(immediate: Orders) -> None:
    immediate.post("1")
    add(immediate, faults.failed())
    immediate.post("2")
    immediate.sandbox.platform.faults.clear()
    immediate.post("3")

    assert immediate.statuses() == {"1": "OK", "2": "Failed", "3": "OK"}


def test_rule_with_a_window_acts_at_the_time_of_the_run(scheduled: Orders) -> None:
    add(scheduled, faults.failed(), since="2026-11-27T10:20:00Z", until="2026-11-27T10:40:00Z")
    for reference in ("1", "2", "3"):
        scheduled.post(reference)
        scheduled.sandbox.clock.advance("15m")
    scheduled.sandbox.clock.advance("15m")

    assert scheduled.statuses() == {"1": "OK", "2": "Failed", "3": "OK"}


def test_rule_for_requests_acts_on_no_item_and_the_other_way_round(immediate: Orders) -> None:
    add(immediate, faults.failed())
    add(immediate, faults.status(503), endpoint="inbound", after=1)
    immediate.post("1")
    refused = immediate.integration.post({"order": "2"}, token=immediate.token)

    assert (refused.status_code, immediate.statuses()) == (503, {"1": "Failed"})
    assert [state.seen for state in immediate.sandbox.platform.faults.rules()] == [1, 2]


def test_payload_that_a_fault_stored_is_processed_and_a_refused_one_is_not(immediate: Orders) -> None:
    add(immediate, faults.status(503), accept=True, times=1)
    add(immediate, faults.status(500), times=1)
    for reference in ("lost", "refused"):
        immediate.integration.post({"order": reference}, token=immediate.token)

    assert immediate.statuses() == {"lost": "OK"}


# --- items ------------------------------------------------------------------------------------------------------------


def test_list_is_several_items_of_one_run(immediate: Orders) -> None:
    immediate.integration.post([{"order": "1"}, {"order": "2"}, 3], token=immediate.token)

    assert [(item.reference, item.index, item.last[-1].run) for item in immediate.processing.items()] == [
        ("1", 0, 1),
        ("2", 1, 1),
        (None, 2, 1),
    ]


@pytest.mark.parametrize(
    ("path", "payload", "reference"),
    [
        (None, {"order": "1", "id": 7}, "7"),
        (None, {"Order_Number": "A-1", "name": "x"}, "A-1"),
        (None, {"id": {"a": 1}, "sku": 2.5}, "2.5"),
        (None, {"id": "", "order": "1"}, "1"),
        (None, {"id": True}, None),
        (None, {"other": 1}, None),
        ("$.a.b", {"a": {"b": "x"}, "id": 1}, "x"),
        ("$.lines[*].sku", {"lines": [{"sku": "A"}, {"sku": "B"}]}, "A"),
        ("$.none", {"id": 1}, None),
        ("$.a", {"a": {"b": 1}}, None),
        ("$..sku", {"a": {"sku": "x" * 300}}, "x" * 255),
    ],
)
def test_reference_is_the_one_of_the_path_or_of_a_usual_field(
    make_orders: MakeOrders, path: str | None, payload: Any, reference: str | None
) -> None:
    orders = make_orders(reference=path)
    orders.integration.post(payload, token=orders.token)

    assert [item.reference for item in orders.processing.items()] == [reference]


@pytest.mark.parametrize("body", [b"no JSON", b"<order/>", b"null", b"5", b'"text"'])
def test_payload_that_is_no_object_is_one_item(immediate: Orders, body: bytes) -> None:
    add(immediate, faults.failed(), json_path="$.order")
    immediate.integration.post(body, token=immediate.token)

    assert immediate.statuses() == {None: "OK"}


def test_item_names_source_and_destination(scheduled: Orders) -> None:
    scheduled.post("1001")

    assert scheduled.item("1001").systems == ("Acme web shop", "NetSuite")


# --- resync -----------------------------------------------------------------------------------------------------------


def test_failed_item_is_resynced_by_a_run_of_its_own(immediate: Orders) -> None:
    add(immediate, faults.failed(), times=1)
    immediate.post("1001")
    [item] = immediate.processing.resync([1])

    assert (item.status, item.attempts, item.last[-1].run) == ("OK", 2, 2)
    assert immediate.runs()[1:] == [("10:03", "resync", 1, 1)]


def test_resynced_item_has_all_its_attempts_again(immediate: Orders) -> None:
    add(immediate, faults.pending(), times=2)
    immediate.post("1001")
    immediate.sandbox.clock.advance("1h")
    immediate.processing.resync([1])
    immediate.sandbox.clock.advance("1h")

    assert [status for _, status in immediate.history("1001")] == (["Pending"] * 3 + ["Failed"]) * 2


def test_only_failed_items_are_resynced_and_all_or_none(immediate: Orders) -> None:
    add(immediate, faults.failed(), reference="2")
    immediate.post("1", "2")

    with pytest.raises(ConflictError, match="item 1 is OK; only failed items can be resynced"):
        immediate.processing.resync([2, 1])
    with pytest.raises(NotFoundError, match="no row of the sync report 9; known: 1 to 2"):
        immediate.processing.resync([2, 9])
    assert immediate.item("2").attempts == 1


def test_item_that_waits_is_not_resynced(scheduled: Orders) -> None:
    scheduled.post("1001")

    with pytest.raises(ConflictError, match="item 1 was not tried yet"):
        scheduled.processing.resync([1])


def test_resync_is_never_offered_when_set_so(make_orders: MakeOrders) -> None:
    orders = make_orders({"resync": "never"})
    add(orders, faults.failed())
    orders.post("1001")

    with pytest.raises(ConflictError, match="can not be resynced from the dashboard, please contact support"):
        orders.processing.resync([1])


def test_neither_run_nor_resync_while_processing_is_off(immediate: Orders) -> None:
    add(immediate, faults.failed())
    immediate.post("1001")
    immediate.sandbox.change_settings({"processing": "off"})

    for act in (lambda: immediate.processing.run(3), lambda: immediate.processing.resync([1])):
        with pytest.raises(ConflictError, match="the setting processing is off; set it to immediate or scheduled"):
            act()


# --- runs -------------------------------------------------------------------------------------------------------------


def test_run_by_hand_pulls_what_waits_and_what_is_pending(scheduled: Orders) -> None:
    add(scheduled, faults.pending(1), reference="1")
    scheduled.post("1")
    scheduled.sandbox.clock.advance("13m")
    scheduled.post("2")
    scheduled.processing.run(scheduled.service.id)
    scheduled.sandbox.clock.advance("1h")

    assert scheduled.runs() == [("10:15", "cron", 1, 0), ("10:16", "cli", 2, 2)]


def test_run_by_hand_takes_a_retry_before_its_time(immediate: Orders) -> None:
    add(immediate, faults.pending(1))
    immediate.post("1001")
    immediate.processing.run(immediate.service.id)
    immediate.sandbox.clock.advance("1h")

    assert immediate.history("1001") == [("10:03", "Pending"), ("10:03", "OK")]


def test_run_by_hand_with_nothing_to_do_is_a_run_too(scheduled: Orders) -> None:
    scheduled.processing.run(scheduled.service.id)

    assert scheduled.runs() == [("10:03", "cli", 0, 0)]


def test_run_in_which_every_item_fails_is_failed(immediate: Orders) -> None:
    add(immediate, faults.failed(), times=3)
    immediate.integration.post([{"id": 1}, {"id": 2}], token=immediate.token)
    immediate.integration.post([{"id": 3}, {"id": 4}], token=immediate.token)

    assert [(run.status, run.failed) for run in immediate.processing.runs()] == [("failed", 2), ("complete", 1)]


def test_log_names_pages_items_and_counts(make_orders: MakeOrders) -> None:
    orders = make_orders(page_size=2, destination="NetSuite")
    add(orders, faults.failed("no stock"), reference="2")
    add(orders, faults.pending(), reference="3")
    orders.integration.post([{"id": 1}, {"id": 2}, {"id": 3}], token=orders.token)
    [run] = orders.processing.runs()

    assert [(line.level_name, line.message) for line in log_of(run, orders.processing.items())] == [
        ("info", "Run run-1 started, requested by event"),
        ("info", "Page 1 of 2: pulled 2"),
        ("info", "Page 2 of 2: pulled 1"),
        ("info", "1 to NetSuite: OK"),
        ("error", "2 to NetSuite: Failed: no stock"),
        ("warning", "3 to NetSuite: Pending: The destination does not answer; the item is tried again."),
        ("info", "Run run-1 is complete: pulled 3, pushed 1, pending 1, failed 1"),
    ]


def test_sweeper_tries_failed_items_of_its_source_once(scheduled: Orders) -> None:
    store = scheduled.sandbox.store
    sweeper = store.add_service("acme", scheduled.service.connector_id, "anything", "nightly")
    store.change_service(sweeper.id, type="sweeper", schedule="every day")
    add(scheduled, faults.failed(), reference="1", times=1)
    add(scheduled, faults.failed(), reference="2")
    scheduled.post("1", "2", "3")
    scheduled.sandbox.clock.advance("30d")

    assert scheduled.statuses() == {"1": "OK", "2": "Failed", "3": "OK"}
    assert scheduled.runs() == [("10:15", "cron", 3, 1), ("00:00", "cron", 2, 1)]


def test_sweeper_leaves_an_item_that_was_resynced(scheduled: Orders) -> None:
    store = scheduled.sandbox.store
    sweeper = store.add_service("acme", scheduled.service.connector_id, "anything", "nightly")
    store.change_service(sweeper.id, type="sweeper", schedule="every day")
    add(scheduled, faults.failed(), times=1)
    scheduled.post("1")
    scheduled.sandbox.clock.advance("1h")
    scheduled.processing.resync([1])
    scheduled.sandbox.clock.advance("1d")

    assert scheduled.history("1") == [("10:15", "Failed"), ("11:03", "OK")]


def test_sweeper_with_everything_failing_comes_to_an_end(scheduled: Orders) -> None:
    store = scheduled.sandbox.store
    sweeper = store.add_service("acme", scheduled.service.connector_id, "anything", "nightly")
    store.change_service(sweeper.id, type="sweeper", schedule="every minute", max_attempts=15)
    add(scheduled, faults.pending())
    scheduled.post("1")
    scheduled.sandbox.clock.advance("3650d")

    assert (scheduled.item("1").status, scheduled.item("1").attempts) == ("Failed", 4 + 4)


# --- bounds and what it costs -----------------------------------------------------------------------------------------


def test_ten_thousand_items_in_one_run_that_all_fail_and_are_resynced(scheduled: Orders) -> None:
    add(scheduled, faults.failed(), json_path="$.id", times=10_000)
    payload = [{"id": number} for number in range(10_000)]
    scheduled.integration.post(payload, token=scheduled.token)
    scheduled.sandbox.clock.advance("15m")
    failed = scheduled.processing.items()
    scheduled.processing.resync(item.id for item in failed)

    assert {item.status for item in failed} == {"Failed"}
    assert scheduled.runs() == [("10:15", "cron", 10_000, 0), ("10:18", "resync", 10_000, 10_000)]
    [first, second] = scheduled.processing.runs()
    assert len(log_of(first, scheduled.processing.items())) == len(log_of(second, scheduled.processing.items())) < 1_100


def test_oldest_items_and_runs_are_dropped_and_counted(immediate: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ITEMS", 3)
    monkeypatch.setattr(module, "MAX_RUNS", 2)
    immediate.post("1", "2", "3", "4")
    immediate.integration.post([{"id": number} for number in range(5, 10)], token=immediate.token)
    immediate.processing.items()

    assert (list(immediate.statuses()), immediate.processing.dropped) == (["7", "8", "9"], 6)
    assert ([run.id for run in immediate.processing.runs()], immediate.processing.dropped_runs) == (
        ["run-4", "run-5"],
        3,
    )
    with pytest.raises(NotFoundError, match="no row of the sync report 1; known: 5 to 7"):
        immediate.processing.item(1)
    with pytest.raises(NotFoundError, match="no run 'run-1'; known: run-4 to run-5"):
        immediate.processing.find_run("run-1")


def test_payloads_that_were_read_before_the_journal_dropped_them_are_not_counted(make_orders: MakeOrders) -> None:
    orders = make_orders({"journal_entries": 2})
    for request in [lambda: orders.post("1"), lambda: orders.post("2"), *[orders.integration.token] * 4]:
        request()
        orders.processing.settle()

    assert (list(orders.statuses()), orders.processing.dropped) == (["1", "2"], 0)


def test_payloads_that_the_journal_dropped_are_counted(make_orders: MakeOrders) -> None:
    orders = make_orders({"journal_entries": 2})
    for reference in ("1", "2", "3", "4", "5"):
        orders.integration.post({"order": reference}, token=orders.token)

    assert (list(orders.statuses()), orders.processing.dropped) == (["4", "5"], 3)


def test_cleared_journal_leaves_the_report_of_a_sandbox_that_uses_it(scheduled: Orders) -> None:
    scheduled.post("1001")
    scheduled.integration.control("DELETE", "/requests")
    scheduled.sandbox.clock.advance("1h")

    assert (scheduled.statuses(), scheduled.processing.dropped) == ({"1001": "OK"}, 0)


def test_item_keeps_a_bounded_number_of_attempts(immediate: Orders) -> None:
    add(immediate, faults.failed())
    immediate.post("1001")
    for _ in range(60):
        immediate.processing.resync([1])

    assert (immediate.item("1001").attempts, len(immediate.item("1001").last)) == (61, 50)


def test_sandbox_that_does_not_use_it_holds_nothing_of_it(immediate: Orders) -> None:
    immediate.post("1001")
    immediate.sandbox.clock.advance("1d")
    immediate.sandbox.platform.faults.clear()

    assert immediate.sandbox.platform.snapshot(secrets=False).processing is None


def test_reset_forgets_items_and_runs(scheduled: Orders) -> None:
    scheduled.post("1001")
    scheduled.sandbox.clock.advance("1h")
    before = scheduled.runs()
    scheduled.sandbox.reset()

    assert (len(before), scheduled.statuses(), scheduled.runs()) == (1, {}, [])


def test_reset_during_a_run_leaves_nothing_of_it(scheduled: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    retired = scheduled.processing
    add(scheduled, faults.failed())
    scheduled.post("1001", "1002")
    scheduled.sandbox.clock.advance("12m")
    choose = scheduled.sandbox.platform.faults.choose

    def reset_first(*given: Any, **named: Any) -> Any:
        scheduled.sandbox.reset()
        return choose(*given, **named)

    monkeypatch.setattr(scheduled.sandbox.platform.faults, "choose", reset_first)
    retired.items()

    assert (scheduled.statuses(), scheduled.runs()) == ({}, [])
