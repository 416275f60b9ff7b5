"""What a client sends cannot pass for a line of the log, nor steer the terminal of whoever reads it."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from werkzeug.test import Client

from sandbox.cli.output import printable, printable_lines
from sandbox.journal.assertions.story import story
from sandbox.web.app import SandboxApp
from tests.conftest import Integration

FORGED = "%0d%0aERROR%20patchworks_sandbox:%20all%20is%20lost%1b%5b31m"


def _fail(*_: Any, **__: Any) -> None:
    raise RuntimeError("a defect")


def test_path_in_the_log_of_the_emulated_api_is_on_one_line(
    integration: Integration, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.platform.endpoints.bearer.BearerEndpoint.admit", _fail)

    answer = integration.post(path=f"/v1/acme/{FORGED}")

    assert answer.status_code == 500
    _assert_on_one_line(caplog)


def test_path_in_the_log_of_the_control_api_is_on_one_line(
    integration: Integration, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integration.sandbox.journal, "get", _fail)

    answer = Client(SandboxApp(integration.sandbox)).get(f"/_sandbox/requests/{FORGED}")

    assert answer.status_code == 500
    _assert_on_one_line(caplog)


def _assert_on_one_line(caplog: pytest.LogCaptureFixture) -> None:
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    message = record.getMessage()
    assert r"all\x20is\x20lost" in message  # a space would let it pass for the status and further words
    assert [char for char in message if not char.isprintable()] == []


@pytest.mark.parametrize("sent", ["a\r\nb", "\x1b[2J\x1b]0;title\x07", "a\x00b", "\u202eabc", "\x9b31m", "a\u2028b"])
def test_what_the_commands_print_moves_no_cursor(sent: str) -> None:
    assert printable(sent).isprintable()
    assert all(line.isprintable() for line in printable_lines(sent).split("\n"))


@pytest.mark.parametrize("sent", ["%0d%0aforged", "%1b%5b2J"])
def test_report_of_a_failed_test_has_a_line_a_request(integration: Integration, sent: str) -> None:
    integration.http.post(f"/v1/acme/{sent}")

    told = story(integration.sandbox.journal)
    assert "\r" not in told
    assert "\x1b" not in told
    assert not any(line.startswith("forged") for line in told.splitlines())
