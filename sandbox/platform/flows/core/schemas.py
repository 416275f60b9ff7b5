"""The schemas of the records of the Core API, with an example of each field, for the OpenAPI document (FLOWS 6).

A record can have more fields than these: those that it includes. With ``core_items = attributes`` it has all but its id
below ``attributes``, so no field but the id is required.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_AT: Final = "2026-11-27T12:00:00.000000Z"
_RUN: Final = "01kb2m1x3v9e5n7q4r6s0t8w2y"

_TIMES: Final = {"created_at": _AT, "updated_at": _AT}

SAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "Flow": {
        "id": 1,
        "name": "Orders to ERP",
        "description": None,
        "status": None,
        "is_enabled": True,
        "enabled_at": _AT,
        "deployed_at": _AT,
        "format": "json",
        **_TIMES,
    },
    "FlowRun": {
        "id": _RUN,
        "name": "Orders to ERP",
        "status": 2,
        **_TIMES,
        "flow_id": 1,
        "flow_version_id": 1,
        "virtual_environment_version": None,
        "user_id": None,
        "trigger": "API",
        "summary": None,
        "started_at": _AT,
        "finished_at": _AT,
        "duration": 0,
        "retry_flow_run_id": None,
        "has_warnings": False,
    },
    "FlowRunLog": {
        "id": 11,
        "flow_run_id": _RUN,
        "created_at": _AT,
        "log_level": "INFO",
        "log_message": "Flow run started by API.",
        "flow_step_id": 11,
        "payload_metadata_id": 1,
    },
    "PayloadMetadata": {
        "id": 1,
        **_TIMES,
        "flow_version_id": 1,
        "flow_step_id": 11,
        "flow_run_id": _RUN,
        "payload_store_reference": f"1/{_RUN}",
        "payload_size": "16",
        "dropped": "0",
    },
    "ScheduledFlow": {
        "id": 1,
        "flow_id": 1,
        "flow_version_id": 1,
        "payload_metadata_id": 1,
        "trigger": "API",
        "status": "pending",
        **_TIMES,
    },
    "FlowStep": {"id": 11, "flow_version_id": 1, "name": "Trigger", "parent_id": None},
    "DataPool": {
        "id": 1,
        "name": "Order numbers",
        "description": None,
        "data_pool_template_id": None,
        **_TIMES,
    },
    "Conversation": {
        "id": 1,
        "title": "Why did the last run fail?",
        "feature_type": "flow_run_analysis",
        "status": "open",
        "type": "agent",
        "user_id": None,
        "reported": False,
        **_TIMES,
    },
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
    kind = _TYPES[type(value)]
    return {"type": [kind, "null"] if name in _MAYBE_NULL else kind, "example": value}


def _object(properties: Mapping[str, Any], *, closed: bool = True) -> dict[str, Any]:
    rest = {"additionalProperties": False} if closed else {}
    return {"type": "object", "properties": dict(properties), "required": sorted(properties), **rest}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


_COUNT: Final = {"type": "integer", "minimum": 0, "example": 1}
_PLACE: Final = {"type": ["integer", "null"], "minimum": 1, "example": 1}
_URL: Final = {"type": "string", "example": "http://127.0.0.1:8025/api/v1/flows?page=1"}
_MAYBE_URL: Final = {"type": ["string", "null"], "example": None}

SCHEMAS: Final[Mapping[str, Mapping[str, Any]]] = {
    **{
        name: {
            "type": "object",
            "properties": {field: _field(field, value) for field, value in sample.items()},
            "required": ["id"],
        }
        for name, sample in SAMPLES.items()
    },
    **{f"One{name}": _object({"data": _reference(name)}) for name in SAMPLES},
    **{
        f"{name}Page": _object(
            {
                "data": {"type": "array", "items": _reference(name)},
                "meta": _reference("PageMeta"),
                "links": _reference("PageLinks"),
            }
        )
        for name in SAMPLES
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
