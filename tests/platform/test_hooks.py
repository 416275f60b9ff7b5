"""Hooks get published entries, and their failures change no answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

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
        lambda sandbox: sandbox.journal.listen(fail),
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
