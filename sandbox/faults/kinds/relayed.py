"""The fault ``relayed``."""

from __future__ import annotations

import gzip as compression
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.effects import Relayed as Effect
from sandbox.faults.fault import Act, Fault, Handling
from sandbox.foundation import http_types
from sandbox.foundation import value_types as types
from sandbox.foundation.answer import Answer
from sandbox.foundation.fields import field

_CODINGS = ("gzip", "x-gzip", "*")


@dataclass(frozen=True, slots=True)
class Relayed(Fault):
    """The platform's answer as a server in front of it sends it on. The request is handled as without a fault.

    nginx before PHP sends answers in chunks and without `Content-Length`; some servers compress them for a client whose
    `Accept-Encoding` names gzip. The journal keeps the answer as the client reads it.
    """

    kind: ClassVar[str] = "relayed"
    handling: ClassVar[Handling] = "done"

    chunked: bool = field(
        types.boolean(),
        "Whether the answer comes in chunks, without `Content-Length`; to HTTP/1.0 its end is the close.",
        True,
    )
    gzip: bool = field(types.boolean(), "Whether it is compressed for a client that accepts gzip.", False)
    headers: Mapping[str, str] = field(http_types.answer_headers(), "Headers that come before the platform's own.", {})

    def effect(self, act: Act, answer: Answer) -> Effect:
        """Frame the answer, and compress it where the client accepts that."""
        headers, body = (*self.headers.items(), *answer.headers), answer.body
        if self.gzip and body:
            headers = (*headers, ("Vary", "Accept-Encoding"))
            if _accepts_gzip(act.accept_encoding or ""):
                headers, body = (*headers, ("Content-Encoding", "gzip")), compression.compress(body, mtime=0)
        return Effect(Answer(answer.status, headers, answer.body), body, self.chunked)


def _accepts_gzip(accept_encoding: str) -> bool:
    """Return whether a header names gzip, or any coding, and does not refuse it (RFC 9110 §12.5.3)."""
    for coding in accept_encoding.lower().split(","):
        name, *parameters = (part.strip().replace(" ", "") for part in coding.split(";"))
        if name in _CODINGS:
            return not any(parameter.startswith("q=0") and not parameter.strip("q=0.") for parameter in parameters)
    return False


def relayed(*, chunked: bool = True, gzip: bool = False, headers: Mapping[str, str] | None = None) -> Relayed:
    """Send the answer as a server in front of the platform does: in chunks, compressed, with headers of its own."""
    return Relayed(chunked, gzip, headers or {})
