"""The fault ``garbage_response``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.effects import Garbage
from sandbox.faults.fault import Act, Fault
from sandbox.foundation import value_types as types
from sandbox.foundation.answer import Answer
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class GarbageResponse(Fault):
    """Bytes that are not HTTP in place of an answer, and the end of the connection."""

    kind: ClassVar[str] = "garbage_response"

    text: str = field(types.text(low=1), "What is sent, as UTF-8.", "lorem ipsum dolor sit amet\r\n\r\n")

    def effect(self, act: Act, answer: Answer) -> Garbage:
        """Send the text."""
        return Garbage(self.text.encode())


def garbage_response(text: str | None = None) -> GarbageResponse:
    """Send something that is not HTTP."""
    return GarbageResponse() if text is None else GarbageResponse(text)
