"""Recordings of real tools: Chromium 156 by Playwright's ``record_har_path``, and mitmproxy 11 by ``hardump``.

Both were recorded against ``patchworks-sandbox serve`` with the demo seed, and redacted.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from sandbox.state.seed import demo_seed
from sandbox.testing.compare.har import read_har
from sandbox.testing.compare.recording import Recording, recording_of
from sandbox.testing.compare.redact import redact_har
from sandbox.testing.compare.replay import Stage

FOLDER = Path(__file__).parent / "recorded"
COMMON = {("POST", 200): 3, ("POST", 401): 2, ("POST", 404): 1, ("POST", 422): 2, ("GET", 405): 1}


def recorded(tool: str) -> Recording:
    return recording_of(read_har(FOLDER / f"{tool}.har"), "/oauth/token")


@pytest.mark.parametrize(
    ("tool", "more", "left_out"),
    [
        ("chromium", {("GET", 404): 1, ("POST", 200): 1}, {"without the body that was sent": 1}),
        ("mitmproxy", {("GET", 200): 1, ("POST", 200): 3}, {}),
    ],
)
def test_recording_of_a_real_tool_is_read_and_answered_alike(
    tool: str, more: dict[tuple[str, int], int], left_out: dict[str, int]
) -> None:
    recording = recorded(tool)
    stage = Stage(recording, demo_seed())

    kinds = Counter((each.request.method, each.answer.status) for each in recording.exchanges)
    assert kinds == Counter(COMMON) + Counter(more)
    assert recording.left_out == left_out
    assert stage.notes == []
    assert [each.differences for each in stage.replay({}) if each.differences] == []
    assert any(each.differences for each in stage.replay({"wire_profile": "legacy"}))


@pytest.mark.parametrize("tool", ["chromium", "mitmproxy"])
def test_recording_in_the_repository_holds_no_secret(tool: str, tmp_path: Path) -> None:
    assert redact_har(read_har(FOLDER / f"{tool}.har"), tmp_path / "again.har").count == 0
