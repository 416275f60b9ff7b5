"""Host names as clients give them: text or bytes, in any case, with or without the root's dot."""

from __future__ import annotations

from typing import Any


def plain(host: Any) -> str | None:
    """Return a host's name in lower case; ``None`` where none is given."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    return host.lower().rstrip(".") if isinstance(host, str) else None
