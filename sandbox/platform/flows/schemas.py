"""The schemas of the JSON bodies that only process flows have, by name, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

SCHEMAS: Final[Mapping[str, Mapping[str, Any]]] = {
    "LoggedIn": {
        "type": "object",
        "properties": {
            "message": {"type": "string", "example": "You have successfully logged in."},
            "token": {"type": "string", "description": "A JWT, to be sent after `Bearer`."},
            "expires_in": {"type": "integer", "minimum": 1, "description": "Lifetime in seconds."},
        },
        "required": ["message", "token"],
        "additionalProperties": False,
    },
    "FlowStarted": {
        "type": "object",
        "properties": {"message": {"type": "string", "example": "Flow initialised."}},
        "required": ["message"],
        "additionalProperties": {"type": "string", "description": "Id of the run."},
    },
    "ReturnedData": {"type": "array", "items": {}},
}
