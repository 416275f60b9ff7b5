"""A journal entry as a curl command to be pasted; of a large body it names the file that the page offers."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Final

from sandbox.export.curl import curl_line
from sandbox.journal import Entry

MAX_INLINE: Final = 16 * 1024
"""Bytes of a body that stand in the command itself."""


def curl(entry: Entry, base_url: str) -> str:
    """Return the command for a POSIX shell; where a credential was, stands a variable to set."""
    is_large = len(entry.body) > MAX_INLINE
    line = curl_line(replace(entry, body=b"") if is_large else entry)
    file = f" --data-binary @{entry.id}" if is_large else ""
    return f"BASE_URL={shlex.quote(base_url)}\n{line}{file}"
