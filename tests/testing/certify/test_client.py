"""Commands that are run as clients, the strange ones among them."""

from __future__ import annotations

import sys
from typing import Any, cast

import pytest

from sandbox.foundation.errors import InvalidValueError
from sandbox.testing.certify.client import OUTPUT_BYTES, Command, Function
from sandbox.testing.certify.run import Outcome
from sandbox.testing.handle import Patchworks

NOBODY = cast("Patchworks", None)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="these commands are of a POSIX shell")


def run(script: str, timeout_s: float = 30.0, **environment: str) -> Outcome:
    return Command(["sh", "-c", script]).run(NOBODY, environment, timeout_s)


def test_exit_code_and_output_are_those_of_the_command() -> None:
    outcome = run("echo out; echo err >&2; echo $GIVEN; exit 3", GIVEN="given")

    assert (outcome.exit_code, outcome.output, outcome.stopped_at) == (3, "out\nerr\ngiven\n", None)


@pytest.mark.parametrize("argv", [["/no/such/program"], ["/"], ["a\0b"]], ids=["missing", "a folder", "no path"])
def test_command_that_cannot_be_run_is_refused(argv: list[str]) -> None:
    with pytest.raises(InvalidValueError, match="COMMAND"):
        Command(argv).run(NOBODY, {}, 1)


def test_command_gets_no_input() -> None:
    assert run("cat; echo end").output == "end\n"


def test_endless_output_does_not_stop_the_command_and_only_its_end_is_kept() -> None:
    outcome = run("head -c 5000000 /dev/zero | tr '\\0' x; echo; echo end")

    assert outcome.exit_code == 0
    assert len(outcome.output) <= OUTPUT_BYTES
    assert outcome.output.endswith("x\nend\n")


def test_command_that_runs_for_ever_is_stopped_with_its_children() -> None:
    outcome = run("sleep 600 & sleep 600", 0.2)

    assert outcome.exit_code is None
    assert outcome.stopped_at is not None


def test_command_that_ignores_a_polite_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.testing.certify.client._POLITE_S", 0.1)

    assert run("trap '' TERM; while :; do sleep 600; done", 0.2).exit_code is None


def test_child_may_work_on_after_the_command_has_ended() -> None:
    outcome = run("(sleep 0.2; echo child) & exit 0")

    assert (outcome.exit_code, outcome.output) == (0, "child\n")


def test_child_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.testing.certify.client._CHILDREN_S", 0.1)

    assert run("sleep 600 & exit 0").exit_code == 0


def test_proxy_of_the_environment_is_not_asked_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "example.com")

    assert run("echo $NO_PROXY").output == "example.com,127.0.0.1,localhost\n"


@pytest.mark.parametrize(
    ("returned", "code"), [(None, 0), (0, 0), (True, 0), (False, 0), (3, 1), ("text", 0)], ids=repr
)
def test_number_that_a_function_returns_is_its_exit_code(returned: object, code: int) -> None:
    assert Function(lambda sandbox: returned).run(NOBODY, {}, 30).exit_code == code


def _exits(code: Any) -> Function:
    def call(sandbox: Patchworks) -> None:
        raise SystemExit(code)

    return Function(call)


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (None, 0), (2, 1), ("no", 1)])
def test_exit_of_a_function_is_no_exit_of_the_process(code: object, expected: int) -> None:
    assert _exits(code).run(NOBODY, {}, 30).exit_code == expected


def test_exception_of_a_function_is_exit_code_1_with_its_message() -> None:
    outcome = Function(lambda sandbox: 1 // 0).run(NOBODY, {}, 30)

    assert (outcome.exit_code, outcome.output) == (1, "ZeroDivisionError: integer division or modulo by zero")


def test_function_that_does_not_end_is_left() -> None:
    import threading

    end = threading.Event()
    outcome = Function(lambda sandbox: end.wait(30)).run(NOBODY, {}, 0.05)
    end.set()

    assert outcome.exit_code is None
    assert outcome.stopped_at is not None
