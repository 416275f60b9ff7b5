"""The key that a sandbox made for itself, and the commands of the same user that find it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sandbox import Sandbox, SandboxServer
from sandbox.cli import made_key, main
from sandbox.cli.made_key import find, kept

KEY = "a-key-that-was-made-for-this"
URL = "http://127.0.0.1:8025"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows does not show whose a folder is")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keep keys in a folder of this test."""
    for name in [name for name in os.environ if name.startswith("PATCHWORKS_SANDBOX_")]:
        monkeypatch.delenv(name)
    places = [tmp_path / "first" / "own", tmp_path / "own"]
    monkeypatch.setattr(made_key, "_folders", lambda: places)
    return tmp_path / "own"


@pytest.fixture
def guarded(sandbox: Sandbox) -> Iterator[SandboxServer]:
    """A sandbox with a key that its settings do not have, as one that made it."""
    with SandboxServer(sandbox) as server:
        server.app.control_key = KEY
        yield server


def run(url: str) -> Result:
    return CliRunner().invoke(main, ["clock", "show", "--url", url])


def test_command_of_the_same_user_needs_no_key(guarded: SandboxServer) -> None:
    with kept(KEY, [guarded.base_url]):
        assert run(guarded.base_url).exit_code == 0
    assert run(guarded.base_url).exit_code == 1


def test_completion_of_the_same_user_needs_no_key(guarded: SandboxServer) -> None:
    words = {"COMP_WORDS": "patchworks-sandbox faults preset two", "COMP_CWORD": "3"}
    asked = {**words, "_PATCHWORKS_SANDBOX_COMPLETE": "bash_complete", "PATCHWORKS_SANDBOX_URL": guarded.base_url}

    with kept(KEY, [guarded.base_url]):
        result = CliRunner().invoke(main, prog_name="patchworks-sandbox", env=asked)

    assert result.stdout == "plain,two-503s-then-fine\n"


def test_key_that_is_given_wins(guarded: SandboxServer) -> None:
    with kept("another-key-of-an-earlier-one", [guarded.base_url]):
        result = CliRunner().invoke(main, ["clock", "show", "--url", guarded.base_url, "--control-key", KEY])

    assert result.exit_code == 0


def test_key_is_its_owners_only_and_gone_at_the_end(folder: Path) -> None:
    with kept(KEY, [URL]):
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "8025.key")]
        assert modes == [0o700, 0o600]
    assert not folder.exists()


def test_key_is_found_by_the_port_of_a_loopback_url_only() -> None:
    with kept(KEY, [URL, "https://127.0.0.1:8443"]):
        found = [find(url) for url in (URL, "http://localhost:8025/", "https://[::1]:8443")]
        others = [
            find(url) for url in ("http://127.0.0.1:8026", "http://sandbox:8025", "http://10.0.0.1:8025", "http://[")
        ]

    assert found == [KEY] * 3
    assert others == [None] * 4


def test_two_sandboxes_keep_their_keys_apart() -> None:
    with kept(KEY, [URL]):
        with kept("that-of-the-other-sandbox", ["http://127.0.0.1:9000"]):
            assert find("http://127.0.0.1:9000") == "that-of-the-other-sandbox"
        assert find(URL) == KEY


@pytest.mark.parametrize("kind", ["open to others", "a link", "a file"])
def test_folder_that_may_be_a_trap_is_not_used(folder: Path, kind: str) -> None:
    match kind:
        case "open to others":
            folder.mkdir(mode=0o755)
            folder.chmod(0o755)
        case "a link":
            folder.with_name("target").mkdir(mode=0o700)
            folder.symlink_to("target")
        case _:
            folder.write_text("")

    with kept(KEY, [URL]):
        assert find(URL) is None


def test_first_folder_that_can_be_had_is_used(folder: Path) -> None:
    (folder.parent / "first").mkdir()
    folder.mkdir(mode=0o755)

    with kept(KEY, [URL]):
        assert find(URL) == KEY


def test_key_that_a_killed_sandbox_left_is_removed(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "8025.key").write_text(KEY)

    with kept(None, [URL]):
        assert find(URL) is None
