"""The sync report in the hands of a test: here, behind a URL, and of a company of its own in either."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox import NotSyncedError, SandboxServer
from sandbox.faults import failed, pending
from sandbox.foundation.errors import ConflictError, InvalidValueError, NotFoundError, ProblemError
from sandbox.testing import verbs
from sandbox.testing.handle import Patchworks
from tests.testing.remote.conftest import Client


def test_rows_are_those_of_the_services_items(handle: Patchworks, client: Client) -> None:
    handle.faults.add(failed("no stock"), endpoint="processing", reference="1002")
    client.post([{"order": "1001"}, {"order": "1002"}])

    report = handle.inbound("anything").report
    assert [(row.reference, row.status, row.message) for row in report] == [
        ("1001", "OK", None),
        ("1002", "Failed", "no stock"),
    ]
    assert (len(report), report[-1].company, report[0].entry) == (2, handle.company, handle.inbound("anything")[0].id)
    assert report[0].updated_at - handle.clock.now() < timedelta(seconds=1)
    assert repr(report) == f"<sync report of /v1/{handle.company}/anything: 1001 OK, 1002 Failed>"
    assert list(handle.inbound("orders").report) == []


def test_assertions_return_the_row_with_its_history(handle: Patchworks, client: Client) -> None:
    handle.faults.add(failed("no stock"), vanity_url="anything", times=1)
    client.post({"order": "1001"})
    report = handle.inbound("anything").report

    assert report.assert_failed("1001", message="stock").attempts == 1
    assert [row.status for row in report.resync("1001")] == ["OK"]
    assert [attempt.status for attempt in report.assert_synced("1001").history] == ["Failed", "OK"]


def test_newest_item_of_a_reference_is_the_one_that_counts(handle: Patchworks, client: Client) -> None:
    handle.faults.add(failed(), vanity_url="anything", times=1)
    client.post({"order": "1001"})
    client.post({"order": "1001"})

    assert handle.inbound("anything").report.assert_synced("1001").attempts == 1


def test_failing_assertion_shows_the_history_of_the_row(handle: Patchworks, client: Client) -> None:
    handle.faults.add(failed("no stock"), vanity_url="anything")
    client.post({"order": "1001"})
    report = handle.inbound("anything").report
    report.resync()

    with pytest.raises(NotSyncedError) as failure:
        report.assert_synced("1001")
    lines = str(failure.value).splitlines()
    assert lines[0].startswith(f"1001 is Failed in the sync report of /v1/{handle.company}/anything (request ")
    assert [line.partition(" at ")[0] for line in lines[1:3]] == ["  attempt 1 by run-1", "  attempt 2 by run-2"]
    assert lines[2].endswith(": Failed: no stock")
    assert lines[3] == "expected: OK"
    with pytest.raises(NotSyncedError, match="its message does not hold 'no money'"):
        report.assert_failed("1001", message="no money")
    with pytest.raises(NotSyncedError, match="expected: Pending"):
        report.assert_pending("1001")


def test_failing_assertion_names_the_other_rows(handle: Patchworks, client: Client) -> None:
    client.post({"order": "1001"})

    with pytest.raises(NotSyncedError, match=r"no item 1002 is in the sync report of .*, which has 1001 OK"):
        handle.inbound("anything").report.assert_synced("1002")
    with pytest.raises(NotFoundError, match="known: 1001 OK"):
        handle.inbound("anything").report.row("1002")


def test_status_is_waited_for(handle: Patchworks, client: Client) -> None:
    client.post({"order": "1001"})
    report = handle.inbound("anything").report

    assert report.wait_for_status("1001", "OK").reference == "1001"
    with pytest.raises(NotSyncedError, match=r"expected: Sent\nwaited 0\.05 s for it"):
        report.wait_for_status("1001", "Sent", timeout=0.05)
    with pytest.raises(InvalidValueError, match="use OK, Sent, Pending or Failed"):
        report.wait_for_status("1001", "good")


def test_only_failed_rows_are_resynced(handle: Patchworks, client: Client) -> None:
    client.post({"order": "1001"})

    resynced = handle.inbound("anything").report.resync()
    assert (resynced, resynced.total) == ([], 0)
    with pytest.raises((ConflictError, ProblemError), match="item 1 is OK; only failed items can be resynced"):
        handle.inbound("anything").report.resync("1001")


def test_service_is_run_and_its_runs_and_logs_are_read(handle: Patchworks, client: Client) -> None:
    client.post([{"order": "1001"}, {"order": "1002"}])
    report = handle.inbound("anything").report

    run = report.run()
    assert (run.id, run.requested_by, run.pulled) == ("run-2", "cli", 0)
    assert [(run.id, run.pulled, run.pushed, run.status) for run in report.runs] == [
        ("run-1", 2, 2, "complete"),
        ("run-2", 0, 0, "complete"),
    ]
    assert report.runs[1] == run
    assert report.log("run-1")[1] == "info: Page 1 of 1: pulled 2"
    assert report.log(run)[-1] == "info: Run run-2 is complete: pulled 0, pushed 0, pending 0, failed 0"


def test_service_is_configured(handle: Patchworks) -> None:
    orders = handle.inbound("anything")

    assert orders.configure(destination="NetSuite", active=False).options.destination == "NetSuite"
    assert not handle.inbound("anything").report.service.active
    with pytest.raises((InvalidValueError, ProblemError), match="did you mean 'schedule'"):
        orders.configure(shedule="every day")
    with pytest.raises((InvalidValueError, ProblemError), match="use a preset"):
        orders.configure(schedule="sometimes")


def test_message_says_when_an_item_that_waits_is_due(patchworks: Patchworks, server: SandboxServer) -> None:
    server.sandbox.clock.freeze()
    server.sandbox.clock.travel_to("2026-11-27T10:03:00Z")
    patchworks.configure(processing="scheduled")
    report = patchworks.inbound("anything").report
    Client(patchworks).post({"order": "1001"})

    with pytest.raises(NotSyncedError, match=r"1 item waits for a run, and the service has none to come: report\.run"):
        report.assert_synced("1001")
    patchworks.inbound("anything").configure(schedule="*/15 * * * *")
    Client(patchworks).post({"order": "1002"})
    with pytest.raises(NotSyncedError, match="2 items wait for the run at 2026-11-27 10:15:00 on the sandbox clock"):
        report.assert_synced("1001")
    assert (report.waiting, len(report)) == (2, 0)
    patchworks.clock.advance("12m")
    assert report.assert_synced("1001").sync_id == report.assert_synced("1002").sync_id == "run-1"


def test_report_of_more_rows_than_a_page_is_read_whole(patchworks: Patchworks) -> None:
    Client(patchworks).post([{"id": number} for number in range(2_500)])

    assert len(patchworks.inbound("anything").report) == 2_500


def test_isolated_company_neither_sees_nor_touches_what_others_have(patchworks: Patchworks) -> None:
    own, other = patchworks.isolated(), patchworks.isolated()
    other.faults.add(pending(), endpoint="processing")
    other.faults.add(failed(), endpoint="processing", reference="2")
    Client(own).post({"order": "1"})
    Client(other).post([{"order": "1"}, {"order": "2"}])

    report = own.inbound("anything").report
    assert [row.status for row in report] == ["OK"]
    assert [run.pulled for run in report.runs] == [1]
    foreign = other.inbound("anything").report
    for act in (
        lambda: own.backend.do(verbs.report_row(foreign[0].id)),
        lambda: own.backend.do(verbs.resync([foreign[1].id])),
        lambda: own.backend.do(verbs.run_log(foreign.runs[0].id)),
        lambda: own.backend.do(verbs.run_service(foreign.service.id)),
        lambda: own.backend.do(verbs.change_service(foreign.service.id, {"active": False})),
    ):
        with pytest.raises(NotFoundError):
            act()
    assert own.backend.do(verbs.resync()).total == 0
    assert [row.attempts for row in foreign] == [1, 1]


def test_life_of_an_order(patchworks: Patchworks) -> None:
    clock, orders = patchworks.clock, patchworks.inbound("anything")
    report = orders.report
    patchworks.configure(processing="scheduled")
    orders.configure(schedule="*/15 * * * *", max_attempts=3)
    patchworks.faults.add(pending(message="NetSuite is down"), endpoint="processing", reference="1001", times=1)
    clock.freeze()
    clock.travel_to("2026-11-27T10:03:00Z")
    Client(patchworks).post({"order": "1001"})
    assert (report.waiting, list(report)) == (1, [])
    clock.travel_to("2026-11-27T10:15:00Z")
    report.assert_pending("1001")
    clock.advance("15m")
    report.assert_pending("1001")
    clock.advance("15m")
    report.assert_failed("1001", message="NetSuite is down")
    report.resync("1001")
    history = report.assert_synced("1001").history
    assert [f"{attempt.at:%H:%M} {attempt.status}" for attempt in history] == [
        "10:15 Pending",
        "10:30 Pending",
        "10:45 Failed",
        "10:45 OK",
    ]
