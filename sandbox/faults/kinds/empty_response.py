"""The fault ``empty_response``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.effects import Empty
from sandbox.faults.fault import Act, Fault
from sandbox.foundation.answer import Answer


@dataclass(frozen=True, slots=True)
class EmptyResponse(Fault):
    """The connection is closed properly (FIN) without a single byte of an answer."""

    kind: ClassVar[str] = "empty_response"

    def effect(self, act: Act, answer: Answer) -> Empty:
        """Close the connection."""
        return Empty()


def empty_response() -> EmptyResponse:
    """Close the connection without an answer."""
    return EmptyResponse()
