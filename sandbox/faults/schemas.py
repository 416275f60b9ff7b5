"""The JSON Schemas of faults and rules, for the OpenAPI document of the control API and for seeds."""

from __future__ import annotations

import inspect
from typing import Any

from sandbox.faults.fault import COMPONENTS
from sandbox.faults.rules import FaultRule, Match
from sandbox.faults.sequence import KINDS
from sandbox.foundation.fields import object_schema


def component_name(kind: str) -> str:
    """Return the name of a kind's schema: ``ConnectionResetFault``."""
    return "".join(word.capitalize() for word in kind.split("_")) + "Fault"


def schemas(at: str = COMPONENTS) -> dict[str, dict[str, Any]]:
    """Return every schema by its name; ``at`` is the place in a document where they refer to each other."""
    placed: dict[str, dict[str, Any]] = _moved(_schemas(), at)
    return placed


def _moved(schema: Any, at: str) -> Any:
    match schema:
        case dict():
            return {key: _moved(value, at) for key, value in schema.items()}
        case list():
            return [_moved(value, at) for value in schema]
        case str() if schema.startswith(COMPONENTS):
            return at + schema.removeprefix(COMPONENTS)
        case _:
            return schema


def _schemas() -> dict[str, dict[str, Any]]:
    kinds = {
        component_name(kind): object_schema(cls, inspect.cleandoc(cls.__doc__ or ""), kind=kind)
        for kind, cls in KINDS.items()
    }
    references = {kind: COMPONENTS + component_name(kind) for kind in KINDS}
    return {
        **kinds,
        "Fault": {
            "description": "What happens: one of the kinds.",
            "oneOf": [{"$ref": reference} for reference in references.values()],
            "discriminator": {"propertyName": "kind", "mapping": references},
        },
        "FaultMatch": object_schema(Match, "Which requests a rule is for: every condition given must hold."),
        "FaultRule": object_schema(FaultRule, "What happens to which requests, and when."),
    }
