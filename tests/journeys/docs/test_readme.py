"""Every code block of the README runs.

The Python ones are the example integration's, whose tests run with this suite, or they are programs; the shell ones
meet a real server.
"""

from __future__ import annotations

import re
import subprocess

import pytest

from sandbox.testing.handle import Patchworks
from tests.journeys.docs.blocks import ROOT, Block, blocks

README = ROOT / "README.md"
EXAMPLE = ROOT / "examples" / "order_push" / "test_order_push.py"
SHELL_BLOCKS = [block for block in blocks("README.md", "sh") if "curl" in block.code]
QUOTED = [block for block in blocks("README.md", "python") if "def " in block.code]
PROGRAMS = [block for block in blocks("README.md", "python") if "def " not in block.code]


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


@pytest.mark.parametrize("block", QUOTED, ids=[f"line {block.line}" for block in QUOTED])
def test_block_stands_in_the_example(block: Block) -> None:
    example = EXAMPLE.read_text(encoding="utf-8").split("\n\n\n")

    assert [part for part in block.code.rstrip().split("\n\n\n") if part not in example] == []


def test_ten_ways_to_fail_are_told() -> None:
    section = README.read_text(encoding="utf-8").partition("## Make it fail")[2].partition("\n## ")[0]

    assert re.findall(r"^\*\*(\d+)\.", section, re.MULTILINE) == [str(number) for number in range(1, 11)]
    assert section.count("def test_") >= 10


@pytest.mark.parametrize("block", PROGRAMS, ids=[f"line {block.line}" for block in PROGRAMS])
def test_program_runs(block: Block) -> None:
    exec(compile(block.code, "README.md", "exec"), {})
