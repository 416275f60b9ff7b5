"""Every code block of the landing page, the tutorial and the guides runs: as tests, or against a real server."""

from __future__ import annotations

import subprocess

import pytest

from sandbox.testing.handle import Patchworks
from tests.journeys.docs.blocks import ROOT, Block, blocks, run_python

# `make-it-fail.md` quotes the example integration; test_make_it_fail.py holds it against that.
GUIDES = sorted(path for path in (ROOT / "docs/how-to").glob("*.md") if path.name != "make-it-fail.md")
PAGES = [
    "docs/index.md",
    "docs/tutorial.md",
    "docs/process-flows.md",
    *(str(path.relative_to(ROOT)) for path in GUIDES),
]
SHELL_BLOCKS = [(page, block) for page in PAGES for block in blocks(page, "sh")]


@pytest.mark.parametrize(
    "block", [block for _, block in SHELL_BLOCKS], ids=[f"{page} line {block.line}" for page, block in SHELL_BLOCKS]
)
def test_shell_block_runs(block: Block, patchworks: Patchworks) -> None:
    script = block.code.replace("http://127.0.0.1:8025", patchworks.base_url).replace("curl -s ", "curl -fsS ")
    done = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 0, done.stderr


for page in PAGES:
    run_python(page, globals())
