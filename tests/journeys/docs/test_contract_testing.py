"""Every Python block of the page on contract testing runs, and the page knows every kind of violation."""

from __future__ import annotations

import pytest
import requests
from click.testing import CliRunner

from sandbox.cli import main
from sandbox.journal.contract_rules import RULES
from sandbox.testing.handle import Patchworks
from tests.journeys.docs.blocks import ROOT, blocks, run_python
from tests.testing.plugin.running import run

pytest_plugins = ["pytester"]

PAGE = "docs/contract-testing.md"


@pytest.fixture(autouse=True)
def _in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("code", RULES)
def test_page_explains_every_code(code: str) -> None:
    assert f"`{code}`" in (ROOT / PAGE).read_text(encoding="utf-8")


def test_command_of_the_page_tells_a_pass_from_a_failure(
    patchworks: Patchworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    [block] = [block for block in blocks(PAGE, "sh") if "violations" in block.code]
    program, *arguments = block.code.split()
    monkeypatch.setenv("PATCHWORKS_SANDBOX_URL", patchworks.base_url)
    headers = {"Accept": "application/json", "Authorization": "Bearer x", "Content-Type": "text/plain"}

    def exit_code() -> int:
        return CliRunner().invoke(main, arguments).exit_code

    codes = [exit_code()]
    requests.post(patchworks.inbound("anything").url, data=b"x", headers=headers, timeout=5)
    codes.append(exit_code())
    requests.post(patchworks.base_url + "/V1/acme/anything", data=b"x", headers=headers, timeout=5)
    codes.append(exit_code())

    assert (program, codes) == ("patchworks-sandbox", [3, 0, 1])


def test_ini_of_the_page_is_taken(pytester: pytest.Pytester) -> None:
    [block] = blocks(PAGE, "ini")
    pytester.makeini(block.code)

    result = run(pytester, "def test_one(patchworks): push(patchworks, {})")

    result.assert_outcomes(passed=1)


run_python(PAGE, globals())
