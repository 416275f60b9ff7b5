"""One recorded request as lines of code that send it again, in several languages."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.journal.entry import Entry
from sandbox.journal.export.curl import MAX_INLINE, curl

__all__ = ["MAX_INLINE", "Snippet", "snippets"]


@dataclass(frozen=True, slots=True)
class Snippet:
    """The lines in one language; ``hint`` names what runs them."""

    key: str
    name: str
    hint: str
    text: str

    @property
    def tab(self) -> tuple[str, str]:
        """The key and the name."""
        return self.key, self.name


def snippets(entry: Entry, base_url: str) -> list[Snippet]:
    """Return the lines that send one request again; a large body is read from a file with the name of the entry."""
    return [Snippet("curl", "curl", "POSIX shell", curl(entry, base_url))]
