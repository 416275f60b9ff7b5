"""The fault ``truncated_body``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Fault, Handling
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class TruncatedBody(Fault):
    """The answer as ever, but the connection ends in the midst of its body: fewer bytes than `Content-Length` says."""

    kind: ClassVar[str] = "truncated_body"
    handling: ClassVar[Handling] = "rehearsed"

    bytes: int | None = field(
        types.integer(0, 1_000_000),
        "How many bytes of the body are sent, all but one at most. Default: half of them.",
        None,
    )


def truncated_body(bytes: int | None = None) -> TruncatedBody:
    """End the connection in the midst of the answer's body."""
    return TruncatedBody(bytes)
