"""The Python blocks of pages whose code has types pass a strict type checker, as the tests of a user may have to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests import ROOT
from tests.journeys.docs.blocks import blocks

CONTINUED = ("docs/how-to/make-it-fail.md", "docs/how-to/http-clients.md")
"""Pages whose blocks go on in the file of an example, or use libraries without types."""
EVERY_PAGE = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
PAGES = [name for name in (path.relative_to(ROOT).as_posix() for path in EVERY_PAGE) if name not in CONTINUED]
WRONG = """
from sandbox import Patchworks
from sandbox.errors import NotFoundError
from sandbox.faults import status


def test_wrong(patchworks: Patchworks) -> None:
    patchworks.faults.add(status(503), endpiont="inbound")
    patchworks.configure(rate_limt=True)
    patchworks.clock.advance(hour=1)
    patchworks.inbound("orders").assert_received({"order": "1001"})
    assert patchworks.inbound("orders").payloads[0]["order"] == patchworks.inbound("orders").last.json["order"]
"""


def checked(folder: Path, *files: str) -> list[str]:
    """Return the errors of a strict check."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(folder / "cache")]
    command += ["--disable-error-code=import-untyped", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    return [line for line in done.stdout.splitlines() if ": error: " in line]


def test_blocks_of_every_page_pass(tmp_path: Path) -> None:
    files = []
    for page in PAGES:
        code = "\n\n".join(block.code for block in blocks(page, "python"))
        if code:
            files.append(f"{page.replace('/', '_').replace('-', '_').removesuffix('.md')}.py")
            (tmp_path / files[-1]).write_text(code, encoding="utf-8")

    assert "docs_pytest.py" in files
    assert checked(tmp_path, *files) == []


def test_misspelt_keywords_are_found(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")

    found = checked(tmp_path, "wrong.py")

    assert [line.split(":")[1] for line in found] == ["8", "9", "10", "11"]
