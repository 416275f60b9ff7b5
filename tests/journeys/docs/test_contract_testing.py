"""Every Python block of the page on contract testing runs, and the page knows every kind of violation."""

from __future__ import annotations

import subprocess

import pytest
import requests

from sandbox.journal.contract_rules import RULES
from sandbox.testing.handle import Patchworks
from tests.journeys.docs.blocks import ROOT, Block, blocks, run_python

PAGE = "docs/contract-testing.md"


@pytest.fixture(autouse=True)
def _in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("code", RULES)
def test_page_explains_every_code(code: str) -> None:
    assert f"`{code}`" in (ROOT / PAGE).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "block", [block for block in blocks(PAGE, "sh") if "curl" in block.code], ids=lambda block: block.line
)
def test_shell_block_tells_a_pass_from_a_failure(block: Block, patchworks: Patchworks) -> None:
    script = ["sh", "-eu", "-c", block.code.replace("http://127.0.0.1:8025", patchworks.base_url)]
    before = subprocess.run(script, capture_output=True, text=True, timeout=30, check=False)
    requests.post(patchworks.inbound("anything").url, data=b"x", timeout=5)
    after = subprocess.run(script, capture_output=True, text=True, timeout=30, check=False)

    assert (before.returncode, after.returncode) == (0, 1), before.stderr


run_python(PAGE, globals())
