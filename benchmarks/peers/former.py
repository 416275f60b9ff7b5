"""The sandbox with its former engine, one of cheroot and threads, from the history of the repository."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.installation import FORMER
from benchmarks.peers.ours import SandboxPayloads


class FormerSandbox(SandboxPayloads):
    """Measured with the same payloads."""

    name = "its former engine"

    def missing(self) -> str | None:
        """Return why it cannot run here; it is installed once."""
        return self.installation.former_missing

    def version(self) -> str:
        """Return the commit."""
        return FORMER[:7]

    def program(self) -> Path:
        """Return the command of its own environment."""
        return self.installation.former / "bin" / "patchworks-sandbox"
