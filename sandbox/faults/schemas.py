"""The JSON Schemas of faults and rules, for the OpenAPI document of the control API and for seeds."""

from __future__ import annotations

import inspect
import json
from typing import Any

from sandbox.faults.fault import COMPONENTS
from sandbox.faults.rules import FaultRule, Match
from sandbox.faults.sequence import KINDS
from sandbox.foundation.fields import object_schema
from sandbox.foundation.strict_json import write_json


def component_name(kind: str) -> str:
    """Return the name of a kind's schema: ``ConnectionResetFault``."""
    return "".join(word.capitalize() for word in kind.split("_")) + "Fault"


def schemas(at: str = COMPONENTS) -> dict[str, dict[str, Any]]:
    """Return every schema by its name; ``at`` is the place in a document where they refer to each other."""
    kinds = {
        component_name(kind): object_schema(cls, inspect.cleandoc(cls.__doc__ or ""), kind=kind)
        for kind, cls in KINDS.items()
    }
    references = {kind: COMPONENTS + component_name(kind) for kind in KINDS}
    named = {
        **kinds,
        "Fault": {
            "description": "What happens: one of the kinds.",
            "oneOf": [{"$ref": reference} for reference in references.values()],
            "discriminator": {"propertyName": "kind", "mapping": references},
        },
        "FaultMatch": object_schema(Match, "Which requests a rule is for: every condition given must hold."),
        "FaultRule": object_schema(FaultRule, "What happens to which requests, and when."),
    }
    placed: dict[str, dict[str, Any]] = json.loads(write_json(named).replace(f'"{COMPONENTS}', f'"{at}'))
    return placed
