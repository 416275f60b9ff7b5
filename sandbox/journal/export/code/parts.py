"""A request in the parts that each language writes by rules of its own."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sandbox.journal.entry import Entry
from sandbox.journal.export.curl import MAX_INLINE, NOT_SENT_AGAIN, is_basic, target, with_token, with_variables

_CONNECTION: Final = NOT_SENT_AGAIN | {"keep-alive", "upgrade", "te", "trailer"}
"""Headers that belong to a connection; ``fetch`` refuses some of them."""

_AFTER_LINE: Final = re.compile(r"(?<=\n)")

Words = Sequence[str]
"""A text in parts: every second one is the name of the variable that stands in for a secret."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The request whose answer gives the variable ``TOKEN`` its value."""

    url: str
    client_id: str
    client_secret: str
    scope: str

    @property
    def form(self) -> dict[str, str]:
        """The fields of its body."""
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": self.scope,
        }


@dataclass(frozen=True, slots=True)
class Parts:
    """A request. ``text`` is its body, unless it is bytes (``encoded`` in base64) or in the ``file`` of that name."""

    method: str
    base_url: str
    target: Words
    headers: Sequence[tuple[str, Words | None]]
    """Names and values; ``None`` for a client's id and secret."""
    text: Words = ()
    encoded: str = ""
    file: str = ""
    user: str = ":"
    """The client id with the colon that ends it in Basic credentials."""
    token: TokenRequest | None = None
    """The request for the token, where the lines make it."""

    @classmethod
    def of(cls, entry: Entry, base_url: str) -> Parts:
        """Return the parts of a recorded request."""
        body = entry.body
        is_apart = len(body) > MAX_INLINE
        text = None if is_apart or b"\0" in body else entry.text
        headers = [
            (name, _credentials(value) if name.lower() == "authorization" else with_variables(value))
            for name, value in entry.headers
            if name.lower() not in _CONNECTION
        ]
        return cls(
            entry.method,
            base_url,
            with_variables(target(entry)),
            headers,
            text=with_variables(text) if text else (),
            encoded=base64.b64encode(body).decode("ascii") if text is None and not is_apart else "",
            file=entry.id if is_apart else "",
            user=f"{entry.client_id or ''}:",
        )

    @property
    def has_body(self) -> bool:
        """Whether there is a body."""
        return bool(self.text or self.encoded or self.file)

    @property
    def variables(self) -> list[str]:
        """The variables that get their values from outside, each once."""
        parts = [self.target, self.text, *(value or ["", "CLIENT_SECRET"] for _, value in self.headers)]
        found = dict.fromkeys(name for part in parts for name in part[1::2])
        return [name for name in found if name != "TOKEN" or self.token is None]


def _credentials(value: str) -> list[str] | None:
    return None if is_basic(value) else with_token(value)


def joined(parts: Words, quote: Callable[[str], str], operator: str, sigil: str = "") -> str:
    """Return an expression for a text: its literals, a line of it each, and its variables."""
    words = [
        sigil + word if number % 2 else quote(word)
        for number, part in enumerate(parts)
        for word in ([part] if number % 2 else _AFTER_LINE.split(part))
        if word
    ]
    return operator.join(words) or quote("")
