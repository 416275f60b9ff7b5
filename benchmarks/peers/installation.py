"""Installing the peers, at pinned versions, into a folder outside the repository that later runs find again."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import cached_property
from pathlib import Path

_HERE = Path(__file__).parent
_LIMIT_S = 600

FORMER = "30ba0af"
"""The last commit with the former engine."""


class Installation:
    """Where the peers are. Nothing is installed before it is asked for, and nothing here raises: it says why not."""

    def __init__(self, cache: Path, *, without: bool = False) -> None:
        self._cache = cache
        self._without = without

    @cached_property
    def node_missing(self) -> str | None:
        """Why the packages of npm cannot be used, or ``None``."""
        if self._without:
            return "run without peers"
        if shutil.which("npm") is None or shutil.which("node") is None:
            return "Node.js is not installed"
        if (self.node / ".complete").exists():
            return None
        self._fresh(self.node)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_HERE / name, self.node)
        return self._made(self.node, ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])

    @cached_property
    def python_missing(self) -> str | None:
        """Why the packages of PyPI cannot be used, or ``None``."""
        if self._without:
            return "run without peers"
        if (self.python_folder / ".complete").exists():
            return None
        self._fresh(self.python_folder)
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
        return self._made(
            self.python_folder,
            [sys.executable, "-m", "venv", str(self.python_folder)],
            [*pip, "install", "--require-hashes", "-r", str(_HERE / "requirements.txt")],
        )

    @cached_property
    def former_missing(self) -> str | None:
        """Why the sandbox with its former engine cannot be installed from the history, or ``None``."""
        if self._without:
            return "run without peers"
        if (self.former / ".complete").exists():
            return None
        self._fresh(self.former)
        pip = [str(self.former / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
        return self._made(
            self.former,
            ["git", "-C", str(_HERE.parents[1]), "archive", "-o", str(self.former / "source.tar"), FORMER],
            ["tar", "-xf", "source.tar", "--one-top-level"],
            [sys.executable, "-m", "venv", str(self.former)],
            [*pip, "install", "--require-hashes", "-r", "source/requirements.lock"],
            [*pip, "install", "--no-deps", "./source"],
        )

    @property
    def former(self) -> Path:
        """The environment of the sandbox with its former engine."""
        return self._cache / f"former-python{sys.version_info[0]}.{sys.version_info[1]}-{FORMER[:7]}"

    @cached_property
    def java_missing(self) -> str | None:
        """Why the archives that npm brought cannot be run, or ``None``."""
        return self.node_missing or (None if shutil.which("java") else "Java is not installed")

    @cached_property
    def node(self) -> Path:
        """The folder of the packages of npm; another one when the lock file changes."""
        return self._cache / f"node-{_digest('package-lock.json')}"

    @cached_property
    def python_folder(self) -> Path:
        """The environment of the packages of PyPI; another one for each Python."""
        return self._cache / f"python{sys.version_info[0]}.{sys.version_info[1]}-{_digest('requirements.txt')}"

    @property
    def python(self) -> Path:
        """The interpreter of that environment."""
        return self.python_folder / "bin" / "python"

    def node_package(self, name: str) -> Path:
        """Return the folder of a package of npm."""
        return self.node / "node_modules" / name

    @staticmethod
    def _fresh(folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def _made(self, folder: Path, *commands: list[str]) -> str | None:
        print(f"installing into {folder}", file=sys.stderr)
        for command in commands:
            try:
                done = subprocess.run(
                    command, cwd=folder, capture_output=True, text=True, timeout=_LIMIT_S, check=False
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                return f"{Path(command[0]).name} failed: {error}"
            if done.returncode:
                said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
                return f"{Path(command[0]).name} failed: {said[-1][:200]}"
        (folder / ".complete").touch()
        return None


def default_cache() -> Path:
    """Return the folder that is used unless another one is named."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "patchworks-sandbox-bench"


def _digest(name: str) -> str:
    return hashlib.sha256((_HERE / name).read_bytes()).hexdigest()[:12]
