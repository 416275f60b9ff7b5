"""Nothing that was acknowledged is lost: short runs of the scripts in `benchmarks/`, which check what they find."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import ROOT


@pytest.mark.skipif(os.name != "posix", reason="the scripts need POSIX signals")
@pytest.mark.parametrize(
    "command",
    ["kill.py --times 5 --connections 4", "soak.py --seconds 1 --connections 8"],
    ids=["kill -9", "soak"],
)
def test_everything_acknowledged_is_there_once_and_byte_for_byte(command: str) -> None:
    script, *options = command.split()
    run = [sys.executable, str(ROOT / "benchmarks" / script), *options]
    done = subprocess.run(run, capture_output=True, text=True, timeout=110, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "**no**" not in done.stdout
