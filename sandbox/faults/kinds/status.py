"""The fault ``status``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Fault
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field
from sandbox.foundation.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """An answer with a status of your choice.

    Without a body it is what the platform itself says with that status: `503` is `{"message": "Service Unavailable"}`.
    """

    kind: ClassVar[str] = "status"

    code: int = field(types.integer(200, 599), "Status of the answer.")
    body: JsonValue = field(
        types.json_value(),
        "Body of the answer: text is sent as it is, anything else as JSON. Default: the platform's.",
        None,
    )
    headers: Mapping[str, str] = field(
        types.headers(),
        "Headers of the answer. With a body they come instead of the platform's, else on top of them.",
        {},
    )


def status(code: int, body: JsonValue = None, headers: Mapping[str, str] | None = None) -> Status:
    """Answer with a status of your choice: ``status(503)``, ``status(500, {"error": "disk full"})``."""
    return Status(code, body, headers or {})
