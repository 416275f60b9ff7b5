"""The cost of a page, in calls of functions: it does not grow with the journal or the tokens."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from sandbox import Sandbox
from tests.conftest import Integration
from tests.journal.journals import exchange


def calls_of(work: Callable[[], object]) -> int:
    """Return the number of functions that some work calls in this thread."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def fill(sandbox: Sandbox, entries: int) -> None:
    now = sandbox.clock.wall_timestamp()
    for _ in range(entries):
        sandbox.journal.close(exchange(wall_time=now, accepted=True, client_id="c1"), 200, (), b"")


@pytest.mark.parametrize(
    "query", ["", "?kind=inbound", "?before=50", "?open=2", "?text=nowhere", "?status=599", "?json_path=$.x"]
)
def test_page_of_requests_costs_the_same_however_many_there_are(
    integration: Integration, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.web.dashboard.selection.SEARCHED", 300)

    def look() -> None:
        assert integration.http.get(f"/_sandbox/{query}").status_code == 200

    fill(integration.sandbox, 400)
    look()
    few = calls_of(look)
    fill(integration.sandbox, 4_000)

    assert calls_of(look) - few < 4_000


@pytest.mark.parametrize("path", ["/?open=2", "/dashboard/clock"])
def test_page_costs_the_same_however_many_tokens_there_are(integration: Integration, path: str) -> None:
    tokens, client_id = integration.sandbox.platform.tokens, integration.client_id

    def issue(count: int) -> None:
        for _ in range(count):
            tokens.issue(client_id, ["*"], 1_000.0, 60, integer_times=False, subject="")

    def look() -> None:
        assert integration.http.get(f"/_sandbox{path}").status_code == 200

    integration.post()
    issue(60)
    look()
    few = calls_of(look)
    issue(300)

    assert calls_of(look) - few < 300
