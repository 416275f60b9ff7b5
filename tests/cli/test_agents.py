"""``mcp``: the message where the extra is missing, and wrong addresses; other tests drive the tools."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from sandbox.cli import main


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sandbox.testing.agent_tools", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("mcp", "mcp_types")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)

    result = CliRunner().invoke(main, ["mcp"])

    assert result.exit_code == 1
    assert "install the extra: pip install 'patchworks-sandbox[mcp]'" in result.output


def test_wrong_address_is_wrong_usage() -> None:
    result = CliRunner().invoke(main, ["mcp", "--url", "localhost"])

    assert result.exit_code == 2
    assert "'localhost' is not allowed" in result.output


def test_sdk_is_imported_by_no_other_command() -> None:
    code = (
        "import sys; from sandbox.cli import main; main(['requests', '--help'], standalone_mode=False); "
        "import sandbox, sandbox.cli.serve, sandbox.testing.handle; "
        "sys.exit(any(n.partition('.')[0] in ('mcp', 'pydantic', 'starlette', 'msgpack') for n in sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)

    assert done.returncode == 0, done.stderr
