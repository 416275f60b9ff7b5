"""What texts the control API takes, as JSON Schema keywords for its document.

The store and the clock decide; these say the same to those who read or generate clients from the document. The
contract tests hold them to it.
"""

from __future__ import annotations

from typing import Any, Final

_INK: Final = r"[^\s\x1c-\x1f\x85]"
"""A character that is not stripped as white space."""

NAME: Final[dict[str, Any]] = {"minLength": 1, "maxLength": 255, "pattern": _INK}
CLIENT_NAME: Final[dict[str, Any]] = {"minLength": 3, "maxLength": 255, "pattern": rf"{_INK}[\s\S]+{_INK}"}
SLUG: Final[dict[str, Any]] = {"pattern": "^[a-z0-9][a-z0-9-]{1,62}$"}
VANITY_URL: Final[dict[str, Any]] = {"pattern": "^[A-Za-z0-9_-]{3,36}$"}
CURSOR: Final[dict[str, Any]] = {"pattern": "^([0-9a-f]+-)?[0-9]{1,18}$"}
CURSOR_OR_EMPTY: Final[dict[str, Any]] = {"pattern": "^(([0-9a-f]+-)?[0-9]{1,18})?$"}
INSTANT: Final[dict[str, Any]] = {"format": "date-time"}
DURATION: Final[dict[str, Any]] = {
    "minLength": 2,
    "pattern": r"^[+-]?[Pp]?(\d+[Ww])?(\d+[Dd])?[Tt]?(\d+[Hh])?(\d+[Mm])?(\d+(\.\d+)?[Ss])?$",
}
JSON_PATH: Final[dict[str, Any]] = {"format": "json-path", "pattern": r"^\$"}
"""The format has no official name; RFC 9535 is young."""
ANY_VALUE: Final[dict[str, Any]] = {"type": ["object", "array", "string", "number", "boolean"]}
"""Any JSON but ``null``, which stands for nothing given."""
