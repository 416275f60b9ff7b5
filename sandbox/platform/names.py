"""The rules for names on the platform: each function returns a good name and raises ``InvalidValueError``.

``field`` is what the error calls the value.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.printable import is_printable
from sandbox.foundation.settings import is_client_id
from sandbox.platform.model import Environment

_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
_VANITY_URL: Final = re.compile(r"[a-z0-9_-]{3,36}")


def checked_name(field: str, value: str) -> str:
    """Return the name of a company, connector or entity, without spaces at its ends."""
    return _text(field, value, 1, "text of 1 to 255 characters, not only spaces")


def checked_environment(field: str, value: str) -> Environment:
    """Return the purpose of a connector (FACTS 1.4)."""
    if value not in ("test", "live"):
        raise InvalidValueError(field, value, "test or live")
    return "live" if value == "live" else "test"


def checked_client_name(field: str, value: str) -> str:
    """Return the name of an OAuth client, without spaces at its ends (FACTS 1.5)."""
    return _text(field, value, 3, "text of 3 to 255 characters")


def checked_client_id(field: str, value: str) -> str:
    """Return the id of an OAuth client."""
    if not is_client_id(value):
        raise InvalidValueError(field, value, "a UUID in lower case")
    return value


def checked_slug(field: str, value: str) -> str:
    """Return the ``{company}`` of an inbound URL (FACTS 1.13)."""
    return _checked(_SLUG, field, value, "2 to 63 lower-case letters, digits or '-'")


def checked_vanity_url(field: str, value: str) -> str:
    """Return the vanity URL of a service, in lower case (FACTS 1.13)."""
    return _checked(_VANITY_URL, field, value, "3 to 36 letters, digits, '-' or '_' (upper case is lowered)")


def _text(field: str, value: str, low: int, allowed: str) -> str:
    if not isinstance(value, str) or len(value.strip()) < low or len(value) > 255:
        raise InvalidValueError(field, value, allowed)
    if not is_printable(value):
        raise InvalidValueError(field, value, "printable characters on one line")
    return value.strip()


def _checked(pattern: re.Pattern[str], field: str, value: str, allowed: str) -> str:
    if not pattern.fullmatch(value):
        raise InvalidValueError(field, value, allowed)
    return value


def slugify(name: str) -> str:
    """Return the ``{company}`` of a company name: ``Müller & Söhne Ltd`` gives ``muller-sohne-ltd``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    return slug if len(slug) >= 2 else f"company-{slug}".strip("-")
