"""Every code block of the README runs: the Python ones are tests of this module, the shell ones meet a real server."""

from __future__ import annotations

import subprocess

import pytest

from sandbox.client import Patchworks
from tests.docs.blocks import ROOT, Block, blocks, run_python

SHELL_BLOCKS = [block for block in blocks("README.md", "sh") if "curl" in block.code]


@pytest.fixture(autouse=True)
def _in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("block", SHELL_BLOCKS, ids=[f"line {block.line}" for block in SHELL_BLOCKS])
def test_shell_block_runs(block: Block, patchworks: Patchworks) -> None:
    script = block.code.replace("http://127.0.0.1:8025", patchworks.base_url)
    done = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 0, done.stderr
    statuses = [entry.status for entry in patchworks.sandbox.journal.snapshot()]
    assert all(status == 200 for status in statuses)


def test_every_shell_block_is_a_set_up_command_or_runs() -> None:
    others = [block.code for block in blocks("README.md", "sh") if "curl" not in block.code]

    assert others == ["make serve\n", "make test\n"]


run_python("README.md", globals())
