"""Every code block of the README runs.

The tests among the Python ones are tests of this module; the shell ones meet a real server.
"""

from __future__ import annotations

import subprocess

import pytest

from sandbox.testing.handle import Patchworks
from tests.journeys.docs.blocks import ROOT, Block, blocks, run_python

SHELL_BLOCKS = [block for block in blocks("README.md", "sh") if "curl" in block.code]


@pytest.mark.parametrize("block", SHELL_BLOCKS, ids=[f"line {block.line}" for block in SHELL_BLOCKS])
def test_shell_block_runs(block: Block, patchworks: Patchworks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    script = block.code.replace("http://127.0.0.1:8025", patchworks.base_url)
    done = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 0, done.stderr
    statuses = [entry.status for entry in patchworks.sandbox.journal.snapshot()]
    assert all(status == 200 for status in statuses)


def test_every_shell_block_is_a_set_up_command_or_runs() -> None:
    others = [block.code for block in blocks("README.md", "sh") if "curl" not in block.code]

    assert others == ["make serve\n", "make test\n"]


def test_first_test_is_short_enough_to_paste() -> None:
    first = next(blocks("README.md", "python"))

    assert "def test_" in first.code
    assert len(first.code.splitlines()) <= 20


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


run_python("README.md", globals())
