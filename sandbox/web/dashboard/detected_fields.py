"""The fields that a sample payload stands for, as a flat list for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_FIELDS = 500


@dataclass(frozen=True, slots=True)
class DetectedField:
    """One field: its dotted path (``lines[].sku``), its JSON type in words, whether it must be there."""

    path: str
    type: str
    required: bool


def detected_fields(json_schema: Mapping[str, Any] | None) -> list[DetectedField]:
    """Return the fields of a JSON Schema in its order, at most ``MAX_FIELDS``; none of a free-form entity."""
    fields: list[DetectedField] = []
    for found in _fields(json_schema or {}, ""):
        if len(fields) == MAX_FIELDS:
            break
        fields.append(found)
    return fields


def _fields(schema: Any, path: str) -> Iterator[DetectedField]:
    if not isinstance(schema, Mapping):
        return
    required = schema.get("required") or []
    for name, child in (schema.get("properties") or {}).items():
        child_path = f"{path}.{name}" if path else str(name)
        yield DetectedField(child_path, _type(child), name in required)
        yield from _fields(child, child_path)
    if "items" in schema:
        yield from _fields(schema["items"], f"{path}[]")
    for branch in schema.get("anyOf") or []:
        yield from _fields(branch, path)


def _type(schema: Any) -> str:
    if not isinstance(schema, Mapping):
        return "anything"
    if branches := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(_type(branch) for branch in branches))
    types = schema.get("type", "anything")
    if types == "array" and "items" in schema:
        return f"list of {_type(schema['items'])}"
    return " or ".join(types) if isinstance(types, list) else str(types)
