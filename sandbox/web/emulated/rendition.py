"""The rendition of a document in OpenAPI 3.0.3, for tools that do not read 3.1.

The published document needs three changes: its version, ``license.identifier`` and ``const``. A resolved document holds
JSON Schemas of users, which may have any keyword. One that 3.0.3 lacks is said in other words where these are the same
(``dependentRequired``, ``if``), and is kept as an extension otherwise: ``x-prefixItems``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.web.emulated.document import Document

_KEPT: Final = frozenset(
    {
        *("title", "description", "format", "default", "example", "deprecated", "readOnly", "writeOnly"),
        *("multipleOf", "pattern", "uniqueItems"),
    }
)
"""The keywords that mean the same in both versions."""

_COUNTS: Final = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
"""The same, with a whole number that draft 2020-12 lets stand as 1.0."""


def as_3_0(document: Document) -> Document:
    """Return a document of OpenAPI 3.1 in 3.0.3."""
    info = document["info"]
    license_ = {
        "name": info["license"]["name"],
        "url": f"https://spdx.org/licenses/{info['license']['identifier']}.html",
    }
    schemas = {name: schema_3_0(schema) for name, schema in document["components"]["schemas"].items()}
    rest = {key: _converted(value) for key, value in document.items() if key not in ("openapi", "info", "components")}
    return {
        "openapi": "3.0.3",
        "info": {**info, "license": license_},
        **rest,
        "components": {**document["components"], "schemas": schemas},
    }


def _converted(node: Any) -> Any:
    """Convert every schema in a part of a document; examples are values, and stay."""
    if isinstance(node, list):
        return [_converted(each) for each in node]
    if not isinstance(node, Mapping):
        return node
    return {
        key: value if key in ("example", "examples") else schema_3_0(value) if key == "schema" else _converted(value)
        for key, value in node.items()
    }


def schema_3_0(schema: Any) -> Document:
    """Return a JSON Schema of draft 2020-12 as a schema of OpenAPI 3.0.3."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    if [*schema] == ["$ref"]:
        return dict(schema)
    converted: Document = {}
    all_of: list[Document] = []
    for key, value in schema.items():
        part = _keyword(key, value, schema)
        all_of += part.pop("allOf", [])
        converted.update(part)
    if all_of:
        converted["allOf"] = all_of
    if converted.get("type") == "array":
        converted.setdefault("items", {})
    return converted


def _keyword(key: str, value: Any, schema: Mapping[str, Any]) -> Document:
    match key:
        case "$ref":
            return {"allOf": [{"$ref": value}]}
        case "type":
            return _type(value, schema)
        case "enum" if not value:
            return {"allOf": [{"not": {}}]}
        case "const" | "enum":
            return {"enum": [value] if key == "const" else value}
        case "exclusiveMinimum" | "exclusiveMaximum":
            bound = "minimum" if key == "exclusiveMinimum" else "maximum"
            other, tighter = schema.get(bound), max if bound == "minimum" else min
            if other is not None and tighter(other, value) != value:
                return {}
            return {bound: value, key: True}
        case "minimum" | "maximum":
            return {} if _is_exclusive(key, schema) else {key: value}
        case "examples" if isinstance(value, list):
            return {"example": value[0]} if value and "example" not in schema else {}
        case "required":
            return {"required": value} if value else {}
        case "allOf" | "oneOf" | "anyOf":
            return {key: [schema_3_0(each) for each in value]}
        case "not":
            return {key: schema_3_0(value)}
        case "if":
            sides = [({"not": value}, schema.get("then", True)), (value, schema.get("else", True))]
            return {"allOf": [_either(*side) for side in sides if side[1] is not True]}
        case "then" | "else" if "if" in schema:
            return {}
        case "dependentRequired" | "dependentSchemas":
            rules = {name: {"required": each} if isinstance(each, list) else each for name, each in value.items()}
            return {"allOf": [_either({"not": {"required": [name]}}, each) for name, each in rules.items()]}
        case "items" if not isinstance(value, list) and "prefixItems" not in schema:
            return {key: schema_3_0(value)}
        case "properties":
            return {key: {name: schema_3_0(each) for name, each in value.items()}}
        case "additionalProperties" if "patternProperties" not in schema:
            return {key: value if isinstance(value, bool) else schema_3_0(value)}
        case _ if key in _COUNTS:
            return {key: int(value)}
        case _ if key in _KEPT or key.startswith("x-"):
            return {key: value}
        case _:
            return {f"x-{key}": value}


def _either(*schemas: Any) -> Document:
    return {"anyOf": [schema_3_0(each) for each in schemas]}


def _is_exclusive(bound: str, schema: Mapping[str, Any]) -> bool:
    """Return whether the exclusive bound of a schema is as tight as the other, or tighter, and so replaces it."""
    exclusive = schema.get(f"exclusive{bound.capitalize()}")
    if exclusive is None:
        return False
    return bool(exclusive >= schema[bound] if bound == "minimum" else exclusive <= schema[bound])


def _type(value: Any, schema: Mapping[str, Any]) -> Document:
    """Return the type of a schema: one name and ``nullable``; several types are alternatives."""
    names = value if isinstance(value, list) else [value]
    nullable = {"nullable": True} if "null" in names else {}
    others = [name for name in names if name != "null"]
    if not others:
        return {"enum": [None]}  # `nullable` counts beside a type only
    if len(others) == 1:
        return {"type": others[0], **nullable}
    choices = [schema_3_0({"type": name}) | nullable for name in others]
    return {"allOf": [{"anyOf": choices}]} if "anyOf" in schema else {"anyOf": choices}
