"""The schemas of the JSON bodies that only process flows have, for the OpenAPI document (FLOWS 6).

A record of the Core API has an example of each field. It can have more fields than these: those that it includes. With
``core_items = attributes`` it has all but its id below ``attributes``, so no field but the id is required.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Final

from sandbox.foundation.instants import format_timestamp
from sandbox.platform.flows.core.world import Moment, Record, World, conversation_record, pool_record
from sandbox.platform.flows.model import Flow, FlowRun
from sandbox.platform.flows.records import Conversation, DataPool

_AT: Final = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
_IDS: Final[Mapping[str, Any]] = {"id": 1, "company": "acme", "created_at": _AT, "updated_at": _AT}
_FLOW: Final = Flow(name="Orders to ERP", enabled=True, versions=(1,), deployed=1, webhooks=(), callbacks=(), **_IDS)
_RUN: Final = FlowRun(
    id="01kb2m1x3v9e5n7q4r6s0t8w2y",
    number=1,
    flow_id=1,
    flow="Orders to ERP",
    company="acme",
    version=1,
    trigger="API",
    started_at=_AT.timestamp(),
    ends_at=_AT.timestamp(),
)
_PROMPT: Final = "Why did the last run fail?"
_TALK: Final = Conversation(title=_PROMPT, feature_type="flow_run_analysis", user_id=None, messages=(), **_IDS)


class _Example(World):
    """The company of the examples, whose flow has run once."""

    def __init__(self) -> None:
        self.now = _AT.timestamp()


EXAMPLE: Final[World] = _Example()
EXAMPLES: Final[Mapping[str, Record]] = {
    "Flow": EXAMPLE.flow(_FLOW),
    "FlowRun": EXAMPLE.run(_RUN),
    "FlowRunLog": EXAMPLE.logs(_RUN)[0],
    "PayloadMetadata": {**EXAMPLE.payload(_RUN), "payload_size": "16", "dropped": "0"},
    "ScheduledFlow": EXAMPLE.queued(_RUN),
    "FlowStep": EXAMPLE.steps(1)[0],
    "DataPool": pool_record(DataPool(name="Order numbers", description=None, **_IDS)),
    "Conversation": conversation_record(_TALK),
    "Record": {"id": 1},
}
"""An example of each record; the type of a field in its schema is that of its value here."""

_NULLABLE: Final = {
    "description": "string",
    "status": "string",
    "virtual_environment_version": "integer",
    "user_id": "integer",
    "summary": "string",
    "retry_flow_run_id": "string",
    "parent_id": "integer",
    "data_pool_template_id": "integer",
}
"""The types of fields that are null in the examples."""

_MAYBE_NULL: Final = ("enabled_at", "deployed_at", "finished_at", "duration", "payload_metadata_id")
_TYPES: Final[Mapping[type, str]] = {bool: "boolean", int: "integer", str: "string"}


def _field(name: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {"type": [_NULLABLE[name], "null"], "example": None}
    example = format_timestamp(value) if isinstance(value, Moment) else value
    kind = _TYPES[type(example)]
    return {"type": [kind, "null"] if name in _MAYBE_NULL else kind, "example": example}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


_COUNT: Final = {"type": "integer", "minimum": 0, "example": 1}
_PLACE: Final = {"type": ["integer", "null"], "minimum": 1, "example": 1}
_URL: Final = {"type": "string", "example": "http://127.0.0.1:8025/api/v1/flows?page=1"}
_MAYBE_URL: Final = {"type": ["string", "null"], "example": None}

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
    **{
        name: {
            "type": "object",
            "properties": {field: _field(field, value) for field, value in record.items() if field[0] != "_"},
            "required": ["id"],
        }
        for name, record in EXAMPLES.items()
    },
    **{f"One{name}": _object({"data": _reference(name)}) for name in EXAMPLES},
    **{
        f"{name}Page": _object(
            {
                "data": {"type": "array", "items": _reference(name)},
                "meta": _reference("PageMeta"),
                "links": _reference("PageLinks"),
            }
        )
        for name in EXAMPLES
    },
    "PageMeta": _object(
        {
            "current_page": _COUNT,
            "from": _PLACE,
            "last_page": _COUNT,
            "path": {**_URL, "example": "http://127.0.0.1:8025/api/v1/flows"},
            "per_page": _COUNT,
            "to": _PLACE,
            "total": _COUNT,
        }
    ),
    "PageLinks": _object({"first": _URL, "last": _URL, "prev": _MAYBE_URL, "next": _MAYBE_URL}),
}
