"""The fault ``token_response``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Endpoint, Fault, Handling
from sandbox.foundation import value_types as types
from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.fields import field
from sandbox.foundation.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class TokenResponse(Fault):
    """A token response with fields missing or of the wrong type; the token itself is good. Token endpoint only."""

    kind: ClassVar[str] = "token_response"
    handling: ClassVar[Handling] = "done"
    endpoints: ClassVar[tuple[Endpoint, ...]] = ("token",)

    remove: Sequence[str] = field(types.names(), "Fields to leave out, such as `expires_in`.", ())
    set: Mapping[str, JsonValue] = field(
        types.json_object(), 'Fields to put in or replace, such as `{"expires_in": "soon"}`.', {}
    )

    def check(self) -> None:
        """One of both is needed."""
        if not self.remove and not self.set:
            raise InvalidValueError("remove", list(self.remove), "at least one field in remove or in set")


def token_response(*, remove: Sequence[str] = (), set: Mapping[str, JsonValue] | None = None) -> TokenResponse:
    """Leave fields of the token response out, or give them other values."""
    return TokenResponse(remove, set or {})
