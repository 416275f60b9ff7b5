"""The fault ``token_response``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Act, Fault, Handling, Trait
from sandbox.foundation import json_types
from sandbox.foundation import value_types as types
from sandbox.foundation.answer import Answer, compact
from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.fields import field
from sandbox.foundation.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class TokenResponse(Fault):
    """A token response with fields missing or of the wrong type; the token itself is good. Token endpoint only."""

    kind: ClassVar[str] = "token_response"
    handling: ClassVar[Handling] = "done"
    needs: ClassVar[tuple[Trait, ...]] = ("issues_tokens",)

    remove: Sequence[str] = field(types.names(), "Fields to leave out, such as `expires_in`.", ())
    set: Mapping[str, JsonValue] = field(
        json_types.json_object(), 'Fields to put in or replace, such as `{"expires_in": "soon"}`.', {}
    )

    def check(self) -> None:
        """Refuse a fault that changes nothing."""
        if not self.remove and not self.set:
            raise InvalidValueError("remove", list(self.remove), "at least one field in remove or in set")

    def effect(self, act: Act, answer: Answer) -> Answer:
        """Change the fields of the response."""
        kept = {name: value for name, value in json.loads(answer.body).items() if name not in self.remove}
        return Answer(answer.status, answer.headers, compact({**kept, **self.set}))


def token_response(*, remove: Sequence[str] = (), set: Mapping[str, JsonValue] | None = None) -> TokenResponse:
    """Leave fields of the token response out, or give them other values."""
    return TokenResponse(remove, set or {})
