"""The faults of a seed: rules as the control API takes them, and presets by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.faults.rules import FaultRule, Match, read_rule
from sandbox.faults.schemas import schemas
from sandbox.foundation.errors import InvalidValueError, UnknownNameError
from sandbox.foundation.fields import read
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.yaml_document import Place
from sandbox.state.seed.model import PresetSeed

_DEFINITIONS: Final = "#/$defs/"
_PRESET_KEYS: Final = ("preset", "match")


def read_seeded(data: JsonValue, place: Place) -> FaultRule | PresetSeed:
    """Return the rule or the preset of an item of ``faults``; raise ``InvalidValueError`` with the field."""
    if not isinstance(data, Mapping) or "preset" not in data:
        return read_rule(data)
    for key in data:
        if key not in _PRESET_KEYS:
            raise UnknownNameError(key, data[key], "key beside preset", _PRESET_KEYS)
    name, match = data["preset"], data.get("match", {})
    if not isinstance(name, str) or not name:
        raise InvalidValueError("preset", name, "the name of a fault preset")
    read(Match, match, "match")
    assert isinstance(match, Mapping)
    return PresetSeed(name, match, place)


def fault_definitions() -> dict[str, Any]:
    """Return the JSON Schemas of the items of ``faults``, for the definitions of the seed's schema."""
    return {
        "SeededFault": {
            "description": "A fault rule, or the rules of a preset.",
            "if": {"required": ["preset"]},
            "then": {"$ref": f"{_DEFINITIONS}SeededPreset"},
            "else": {"$ref": f"{_DEFINITIONS}FaultRule"},
        },
        "SeededPreset": {
            "type": "object",
            "description": "The rules of a fault preset, for those requests that meet more conditions.",
            "required": ["preset"],
            "properties": {
                "preset": {"type": "string", "description": "Name of the preset.", "examples": ["two-503s-then-fine"]},
                "match": {"$ref": f"{_DEFINITIONS}FaultMatch", "description": "More conditions."},
            },
            "additionalProperties": False,
        },
        **schemas(_DEFINITIONS),
    }
