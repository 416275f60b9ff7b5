"""The examples in other languages run, each against a real server."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import Sandbox, SandboxServer
from sandbox.platform.keys import SigningKey
from sandbox.testing.handle import Patchworks
from tests.journeys.docs.blocks import blocks
from tests.programs import program

PAGE = "docs/other-languages.md"


KEY = "correct-horse-battery-staple"


@pytest.fixture(params=["no key", "a key"])
def patchworks(request: pytest.FixtureRequest, signing_key: SigningKey) -> Iterator[Patchworks]:
    """A sandbox on loopback, and one that asks for a control key as a container does."""
    settings = {"control_key": KEY} if request.param == "a key" else {}
    with SandboxServer(Sandbox(settings=settings, signing_key=signing_key)) as server:
        yield server.patchworks


def code(language: str) -> str:
    (block,) = blocks(PAGE, language)
    return block.code


def run(command: list[str], patchworks: Patchworks, folder: Path) -> str:
    environment = {**os.environ, "PATCHWORKS_SANDBOX_URL": patchworks.base_url}
    if key := patchworks.sandbox.settings.control_key:
        environment["PATCHWORKS_SANDBOX_CONTROL_KEY"] = key
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_curl(patchworks: Patchworks, tmp_path: Path) -> None:
    script = code("sh").replace("http://127.0.0.1:8025", patchworks.base_url)

    assert '"count":1' in run(["sh", "-eu", "-c", script], patchworks, tmp_path)


def test_node(patchworks: Patchworks, tmp_path: Path) -> None:
    node = program("node", in_ci=True)
    (tmp_path / "order.test.mjs").write_text(code("js"), encoding="utf-8")

    assert "pass 4" in run([node, "--test", "order.test.mjs"], patchworks, tmp_path)
    patchworks.inbound("anything").assert_received(json={"order": 1001})


def test_php(patchworks: Patchworks, tmp_path: Path) -> None:
    php = program("php", in_ci=True)
    (tmp_path / "order_test.php").write_text(code("php"), encoding="utf-8")

    assert run([php, "order_test.php"], patchworks, tmp_path).count("ok: ") == 3
    patchworks.inbound("anything").assert_received(json={"order": "1002"})


def test_java(patchworks: Patchworks, tmp_path: Path) -> None:
    java = program("java", in_ci=False)
    (tmp_path / "OrderTest.java").write_text(code("java"), encoding="utf-8")

    assert run([java, "-ea", "OrderTest.java"], patchworks, tmp_path) == "one order arrived\n"
