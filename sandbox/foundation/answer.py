"""An answer of the emulated platform as a value: status, headers and body."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from msgspec import Struct

from sandbox.foundation.strict_json import compact_json

Headers: TypeAlias = tuple[tuple[str, str], ...]

JSON: Final = "application/json"


WITHOUT_BODY: Final = (204, 205, 304)
"""The statuses of answers that have no body (RFC 9110 §15.3.5, §15.3.6, §15.4.5)."""


def compact(value: Any) -> bytes:
    """Return JSON as PHP's ``json_encode`` writes it: no spaces, ``/`` and non-ASCII escaped."""
    return compact_json(value).replace("/", "\\/").encode("ascii")


class Answer(Struct, frozen=True, gc=False):
    """An HTTP response. Header names keep their case; the sender adds ``Content-Length``.

    ``phrase`` is the reason phrase of the status line, where it is not that of the status.
    """

    status: int
    headers: Headers
    body: bytes
    phrase: str | None = None

    def with_headers(self, *headers: tuple[str, str]) -> Answer:
        """Return the same answer with headers added."""
        return Answer(self.status, (*self.headers, *headers), self.body, self.phrase)

    def without_body(self) -> Answer:
        """Return the answer to HEAD: the length that the body would have, and no body (RFC 9110 §8.6, §9.3.2)."""
        length = () if self.status in (204, 304) else (("Content-Length", str(len(self.body))),)
        return Answer(self.status, (*self.headers, *length), b"", self.phrase)
