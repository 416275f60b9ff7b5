"""Types of fields that hold JSON values, or paths into them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from sandbox.foundation.json_path import MAX_JSON_PATH_LENGTH, compile_json_path
from sandbox.foundation.value_types import NotAllowedError, ValueType, taking


def json_value() -> ValueType:
    """Any JSON value."""
    return taking(_is_json, "any JSON value", {})


def json_object() -> ValueType:
    """A JSON object."""
    schema = {"type": "object", "additionalProperties": True}
    return taking(
        lambda value: isinstance(value, Mapping) and _is_json(value), "a JSON object", schema, dict, dump=dict
    )


def _is_json(value: object) -> bool:
    match value:
        case None | bool() | int() | str():
            return True
        case float():
            return math.isfinite(value)
        case Mapping():
            return all(isinstance(key, str) and _is_json(child) for key, child in value.items())
        case list() | tuple():
            return all(_is_json(child) for child in value)
        case _:
            return False


JSON_PATH: Final[Mapping[str, Any]] = {
    "type": "string",
    "format": "json-path",
    "pattern": r"^\$",
    "maxLength": MAX_JSON_PATH_LENGTH,
}
"""The JSON Schema of a JSONPath. The format has no official name; RFC 9535 is young."""


def json_path() -> ValueType:
    """A JSONPath that must select something, or an object of JSONPaths and the values they must select."""

    def parse(value: object) -> str | dict[str, Any]:
        if isinstance(value, str):
            compile_json_path(value)
            return value
        if not isinstance(value, Mapping) or not value or not _is_json(value):
            raise NotAllowedError
        for expression in value:
            compile_json_path(expression)
        return dict(value)

    schema = {"anyOf": [JSON_PATH, {"type": "object", "additionalProperties": True, "minProperties": 1}]}
    allowed = 'an RFC 9535 JSONPath ($.order), or an object of paths and the values they must select ({"$.order": "1"})'
    return ValueType(parse, allowed, schema)
