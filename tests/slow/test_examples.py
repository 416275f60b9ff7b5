"""The tests of the example integration pass as part of this suite, against a process, and in two workers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests import ROOT
from tests.testing.plugin.running import OPTIONS

PATIENCE_S = 180


@pytest.fixture
def served() -> Iterator[str]:
    """Base URL of ``patchworks-sandbox serve``, a process of its own, as its banner tells it."""
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    with server.stdout:
        found = next(
            filter(None, (re.search(r"token endpoint +(http\S+)/oauth/token", line) for line in server.stdout))
        )
        yield found[1]
        server.terminate()
        server.wait(PATIENCE_S)


def passes(*options: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", *OPTIONS, *options, "examples"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed in " in done.stdout


def test_example_passes_against_a_running_sandbox(served: str) -> None:
    passes(f"--patchworks-url={served}")
