"""The runs that requests begin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.faults import failed, make_rule, pending, sent, status
from sandbox.foundation.errors import NotFoundError
from sandbox.platform.flows import runs as module
from sandbox.platform.flows.model import FAILURE, STARTED, SUCCESS
from sandbox.state.snapshot import read_state, to_document
from tests.platform.flows.sending import CALLBACK, Flows


def test_each_accepted_request_is_a_run(flows: Flows) -> None:
    flows.start()
    flows.hook(b"x")
    flows.send("POST", CALLBACK, b"x", "patchworks_signature=sig-of-callback")
    flows.hook(b"x", "")
    runs = flows.sandbox.platform.runs.runs()

    assert [run.trigger for run in runs] == ["API", "Webhook", "Callback"]
    assert [run.status(run.started_at) for run in runs] == [SUCCESS] * 3


@pytest.mark.parametrize(("accept", "count"), [(False, 0), (True, 1)])
def test_fault_decides_whether_there_is_a_run(flows: Flows, accept: bool, count: int) -> None:
    flows.sandbox.platform.faults.add(make_rule(status(503), endpoint="webhook", flow="Orders in", accept=accept))

    assert flows.hook(b"x").status == 503
    assert len(flows.sandbox.platform.runs.runs()) == count


@pytest.mark.parametrize(("fault", "now", "later"), [
    (failed("no"), FAILURE, FAILURE), (pending(), STARTED, STARTED), (pending(1), STARTED, SUCCESS),
    (sent(60), STARTED, SUCCESS), (sent(), STARTED, STARTED),
])  # fmt: skip
def test_fault_rules_for_processing_decide_on_the_outcome(flows: Flows, fault: Any, now: int, later: int) -> None:
    flows.sandbox.platform.faults.add(make_rule(fault, endpoint="processing", flow="Orders in", reference="1001"))
    flows.hook({"order": "1001"})
    flows.hook({"order": "1002"})
    first, second = flows.sandbox.platform.runs.runs()
    started = first.started_at

    assert (first.status(started), first.status(started + 3_600)) == (now, later)
    assert first.message == ("no" if now == FAILURE else None)
    assert second.status(started + 1) == SUCCESS


def test_rule_that_comes_later_changes_no_outcome(flows: Flows) -> None:
    flows.hook(b"x")
    flows.sandbox.platform.faults.add(make_rule(failed()))
    flows.hook(b"x")
    first, second = flows.sandbox.platform.runs.runs()

    assert [first.failed, second.failed] == [False, True]


def test_with_processing_off_runs_do_not_end(make_flows: Callable[..., Flows]) -> None:
    flows = make_flows(processing="off")
    flows.hook(b"x")

    assert [run.ends_at for run in flows.sandbox.platform.runs.runs()] == [None]


def test_retry_runs_the_flow_again_with_the_payload(flows: Flows) -> None:
    flows.sandbox.platform.faults.add(make_rule(failed(), times=1))
    flows.hook({"order": "1001"})
    runs = flows.sandbox.platform.runs
    (first,) = runs.runs()

    again = runs.retry(first.id, user_id=1)

    assert [first.failed, again.failed] == [True, False]
    assert (again.trigger, again.retries, again.user_id) == ("Retry", first.id, 1)
    assert runs.payload(again) == b'{"order": "1001"}'
    assert [run.id for run in runs.runs()] == [first.id, again.id]
    with pytest.raises(NotFoundError, match="flow run 'x'"):
        runs.run("x")


def test_runs_and_payloads_are_kept_for_their_time(flows: Flows) -> None:
    flows.hook(b"x")
    runs = flows.sandbox.platform.runs

    flows.sandbox.clock.advance("73h")
    assert [runs.payload(run) for run in runs.runs()] == [None]
    flows.sandbox.clock.advance("5d")
    assert runs.runs() == []


@pytest.mark.parametrize("read_meanwhile", [True, False])
def test_oldest_runs_are_dropped_and_counted(
    flows: Flows, monkeypatch: pytest.MonkeyPatch, read_meanwhile: bool
) -> None:
    monkeypatch.setattr(module, "MAX_RUNS", 2)
    runs, sent = flows.sandbox.platform.runs, []
    for _ in range(5):
        sent.append(flows.hook(b"x").entry.run)
        if read_meanwhile:
            runs.settle()

    assert ([run.id for run in runs.runs()], runs.dropped) == (sent[3:], 3)


def test_runs_whose_entries_the_journal_dropped_unread_are_counted(make_flows: Callable[..., Flows]) -> None:
    flows = make_flows(journal_entries=3)
    flows.hook(b"read")
    runs = flows.sandbox.platform.runs
    assert len(runs.runs()) == 1

    for _ in range(5):
        flows.hook(b"x")
    assert (len(runs.runs()), runs.dropped) == (1 + 3, 2)

    for _ in range(9):
        flows.send("GET", "/nowhere", b"")
        runs.settle()
    assert runs.dropped == 2  # each was read before the journal dropped it
    other = make_flows().sandbox
    other.load_state(read_state(to_document(flows.sandbox.state())))
    assert (other.platform.runs.runs(), other.platform.runs.dropped) == (runs.runs(), 2)


def test_runs_are_in_a_saved_state_and_gone_after_a_reset(flows: Flows, make_flows: Callable[..., Flows]) -> None:
    flows.hook(b"x")
    kept = flows.sandbox.platform.runs.runs()
    flows.hook(b"y")
    other = make_flows().sandbox

    other.load_state(read_state(to_document(flows.sandbox.state())))
    assert other.platform.runs.runs() == flows.sandbox.platform.runs.runs()
    assert other.platform.runs.runs()[0] == kept[0]
    assert other.platform.runs.payload(kept[0]) == b"x"

    flows.sandbox.reset()
    assert flows.sandbox.platform.runs.runs() == []
    assert flows.hook(b"z").status == 200
