"""HTTP Basic as the platform's OAuth server reads it (RFC 7617, WIRE A).

PHP decodes the base64, and skips more than RFC 4648 allows. Credentials that cannot be read count as absent: the
answer does not mention them, so ``Basic.problem`` keeps the cause for the journal.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import Final

from sandbox.platform.wire import WireProfile

_BLANKS: Final = re.compile(r"[ \t\r\n]+")
_STRICT: Final = re.compile(r"([A-Za-z0-9+/]*)(={0,2})")
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9+/]+")


@dataclass(frozen=True, slots=True)
class Basic:
    """The user and the password of HTTP Basic; both are ``None`` where ``problem`` says why they were not read."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    problem: str | None = None


NO_BASIC: Final = Basic()
"""No Authorization header."""


def read_basic(authorization: str | None, wire: WireProfile) -> Basic:
    """Return the credentials in an Authorization header. They are not url-decoded, and need not be UTF-8."""
    if not authorization:
        return NO_BASIC
    encoded = wire.credentials(authorization, "Basic")
    if encoded is None:
        case = ", in this case of the letters" if authorization[:6].lower() == "basic " else ""
        return Basic(problem=f"the Authorization header is not of the form 'Basic …'{case}")
    decoded = php_base64(encoded, strict=wire.reads_strict_base64)
    if decoded is None:
        return Basic(problem="HTTP Basic is there, but is not base64")
    user, colon, password = decoded.decode("utf-8", "replace").partition(":")
    if not colon:
        return Basic(problem="HTTP Basic is there, but has no colon between id and secret")
    read = Basic(*wire.basic(user, password))
    return read if read.user is not None else Basic(problem="HTTP Basic is there, but has no id before the colon")


def php_base64(text: str, *, strict: bool) -> bytes | None:
    """Return the bytes that PHP's ``base64_decode`` makes of a text; ``None`` where it fails, which only strict does.

    Both skip blanks, tabs and ends of lines, and neither insists on padding. Strict allows no other character, nothing
    after the padding, no wrong number of ``=`` and no single character at the end. The other mode skips all of these.
    """
    if strict:
        match = _STRICT.fullmatch(_BLANKS.sub("", text))
        if match is None:
            return None
        digits, padding = match.groups()
        if len(digits) % 4 == 1 or (padding and (len(digits) + len(padding)) % 4):
            return None
    else:
        digits = _FOREIGN.sub("", text)
        if len(digits) % 4 == 1:
            digits = digits[:-1]
    return binascii.a2b_base64(digits + "=" * (-len(digits) % 4))
