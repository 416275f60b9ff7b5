"""The structure of a seed document: ``seed.schema.json`` applied, with errors in plain words.

The words are in the schema: the ``errorMessage`` of a value says what is allowed there. Editors show it too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs

from sandbox.foundation.errors import did_you_mean, shorten
from sandbox.foundation.yaml_document import Document, Place, Problem, Steps
from sandbox.state.seed.faults import fault_definitions

SCHEMA_FILE = Path(__file__).with_name("seed.schema.json")


def seed_schema() -> dict[str, Any]:
    """Return the JSON Schema of seeds: the hand-written part, and the schemas of the faults."""
    written = _written()
    by_hand = {name: part for name, part in written["$defs"].items() if name[0].islower()}
    return {**written, "$defs": {**by_hand, **fault_definitions()}}


def _written() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


def structural_problems(document: Document) -> list[Problem]:
    """Return every place where ``document`` does not have the structure of a seed."""
    schema = _written()
    del schema["properties"]["faults"]["items"]  # `read_seeded` has more precise messages
    problems: dict[tuple[Steps, str], Problem] = {}
    for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(document.root.value):
        at = tuple(error.instance_path)
        for steps, text in _explain(error, at, _subschema(schema, error.schema_path[:-1])):
            problems.setdefault((steps, text), Place(document, steps).problem(text))
    return list(problems.values())


def _explain(error: jsonschema_rs.ValidationError, at: Steps, rule: Mapping[str, Any]) -> Iterable[tuple[Steps, str]]:
    match error.kind:
        case jsonschema_rs.ValidationErrorKind.AdditionalProperties(unexpected):
            for key in unexpected:
                yield (*at, key), f"is unknown; {did_you_mean(key, rule['properties'])}"
        case jsonschema_rs.ValidationErrorKind.Required(key):
            yield at, f"the key {key!r} is missing; add it"
        case jsonschema_rs.ValidationErrorKind.Not():
            yield at, rule["not"]["errorMessage"]
        case _:
            hint = _hint(error.instance, rule)
            yield at, f"{given(error.instance, at)} is not allowed; {rule['errorMessage']}{hint}"


def given(value: object, at: Steps) -> str:
    """Return a value for a message: shortened, without secrets and without values that may hold one."""
    match value:
        case Mapping():
            return "a mapping"
        case list():
            return "a list"
        case _ if "client_secret" in at:
            return f"a value of {len(str(value))} characters"
        case _:
            return shorten(value)


def _hint(value: object, rule: Mapping[str, Any]) -> str:
    wants_text = "string" in rule.get("type", ())
    return "; quotes make it text" if wants_text and isinstance(value, (int, float)) else ""


def _subschema(schema: Any, path: Iterable[str | int]) -> Mapping[str, Any]:
    for step in path:
        schema = schema[step]
    return schema  # type: ignore[no-any-return]
