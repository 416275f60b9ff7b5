"""Hooks get published entries, and their failures change no answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.faults import status
from sandbox.faults.rules import make_rule
from sandbox.journal.entry import Entry
from sandbox.platform.model import Service
from tests.conftest import Integration


def fail(*_: object) -> None:
    raise ZeroDivisionError("a hook")


def answer(integration: Integration) -> tuple[int, bytes, list[str]]:
    response = integration.post(b"x", token=integration.token())
    return response.status_code, response.data, sorted(response.headers.keys())


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the last line of each traceback in the log."""
    return [str(record.exc_info[1]) for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(
    "plug",
    [
        lambda sandbox: sandbox.observers.insert(0, fail),
        lambda sandbox: sandbox.journal.waiting.listen(fail),
    ],
    ids=["observer", "listener"],
)
def test_failing_observer_is_logged_once_an_entry_and_changes_nothing(
    integration: Integration, caplog: pytest.LogCaptureFixture, plug: Callable[[Any], None]
) -> None:
    sandbox = integration.sandbox
    before = answer(integration)
    plug(sandbox)

    assert answer(integration) == before
    assert [entry.outcome for entry in sandbox.journal.snapshot()] == ["accepted"] * 4
    assert logged(caplog) == ["a hook"] * 2
    assert sandbox.metrics.read().tokens_issued == 2


def test_observer_that_fails_with_the_log_changes_nothing(
    integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = answer(integration)
    integration.sandbox.observers.append(fail)
    monkeypatch.setattr(logging.Logger, "error", fail)

    assert answer(integration) == before


def test_observer_gets_every_entry_after_it_is_published_also_after_a_reset(integration: Integration) -> None:
    sandbox, seen = integration.sandbox, []
    sandbox.observers.append(lambda entry, exchange, dropped: seen.append((entry, sandbox.journal.get(entry.id))))
    integration.http.get("/nope")
    sandbox.reset()
    integration.post(b"x", token="bad")

    assert [(entry.status, entry is published) for entry, published in seen] == [(404, True), (401, True)]


def test_stage_after_acceptance_gets_accepted_payloads_with_their_service(integration: Integration) -> None:
    sandbox = integration.sandbox
    handed_on: list[tuple[Entry, Service]] = []
    sandbox.after_acceptance.append(lambda entry, service: handed_on.append((entry, service)))
    access_token = integration.token()
    integration.post(b"refused", token="bad")
    integration.post(b" ", token=access_token)
    integration.post(b"taken", token=access_token)

    [(entry, service)] = handed_on
    assert entry is sandbox.journal.get(entry.id)
    assert (entry.body, service) == (b"taken", sandbox.store.find_service("acme", "anything"))


def test_stage_after_acceptance_gets_what_a_fault_let_through_and_nothing_else(integration: Integration) -> None:
    bodies: list[bytes] = []
    integration.sandbox.after_acceptance.append(lambda entry, service: bodies.append(entry.body))
    access_token = integration.token()
    integration.sandbox.platform.faults.add(make_rule(status(503), times=1))
    integration.sandbox.platform.faults.add(make_rule(status(503), times=1, accept=True))
    for body in (b"lost", b"kept", b"plain"):
        integration.post(body, token=access_token)

    assert bodies == [b"kept", b"plain"]


def test_failing_stage_is_logged_and_changes_nothing(
    integration: Integration, caplog: pytest.LogCaptureFixture
) -> None:
    before = answer(integration)
    integration.sandbox.after_acceptance.append(fail)

    assert answer(integration) == before
    assert logged(caplog) == ["a hook"]
