"""Text that can be shown as it is: characters that steer a terminal, turn the direction of text or are not seen."""

from __future__ import annotations

import re
from typing import Final

UNPRINTABLE: Final = r"\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
"""Characters that end a line, steer a terminal, change the direction of text or cannot be seen, as in a pattern's
class. Halves of characters are no text in JSON, so they are left out."""

_UNPRINTABLE: Final = re.compile(rf"[{UNPRINTABLE}\ud800-\udfff]")


def is_printable(text: str) -> bool:
    """Return whether a text can be shown as it is, on one line."""
    return not _UNPRINTABLE.search(text)


def escape_unprintable(text: str) -> str:
    r"""Return JSON or another text with ``\u202e`` in place of a character that cannot be shown as it is."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def replace_unprintable(text: str, by: str = "\N{REPLACEMENT CHARACTER}", *, but: str = "") -> str:
    """Return a text with ``by`` in place of each character that Python does not print; those in ``but`` stay."""
    return text if text.isprintable() else "".join(char if char.isprintable() or char in but else by for char in text)
