"""The fault ``malformed_json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Act, Fault, Handling
from sandbox.foundation import value_types as types
from sandbox.foundation.answer import Answer
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class MalformedJson(Fault):
    """The platform's answer, complete as HTTP, but its JSON is broken: the last character is missing."""

    kind: ClassVar[str] = "malformed_json"
    handling: ClassVar[Handling] = "rehearsed"

    body: str | None = field(types.text(), "What to send as the body instead.", None)

    def effect(self, act: Act, answer: Answer) -> Answer:
        """Break the body."""
        return Answer(answer.status, answer.headers, answer.body[:-1] if self.body is None else self.body.encode())


def malformed_json(body: str | None = None) -> MalformedJson:
    """Break the JSON of the answer."""
    return MalformedJson(body)
