"""The structure of a seed document: ``seed.schema.json`` applied, with errors in plain words; and its samples.

The words are in the schema: the ``errorMessage`` of a value says what is allowed there. Editors show it too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

from sandbox.foundation.errors import InvalidValueError, did_you_mean, shorten
from sandbox.foundation.fields import fields_of
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.strict_json import RepeatedKeyError, unique_keys, write_json
from sandbox.foundation.yaml_document import MAX_DEPTH, Document, Place, Problem, Steps, finite, json_copy, read_text
from sandbox.platform.entity_check import EntityCheck
from sandbox.platform.model import ServiceOptions

_SECRETS: Final = frozenset({"client_secret", "signature", "key", "password"})
"""Keys whose values are in no message."""
_HOLDERS: Final = frozenset({"oauth_clients", "api_keys", "users", "webhooks", "callbacks"})
"""Keys of parts with secrets. No message has a long text in them but a name: it may be a secret in the wrong place."""
_SHORTEST: Final = 8
"""Characters of the shortest secret."""

SCHEMA_FILE = Path(__file__).with_name("seed.schema.json")


def seed_schema() -> dict[str, Any]:
    """Return the JSON Schema of seeds."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


def components(reference: str = "#/components/schemas/{name}") -> dict[str, Any]:
    """Return the schema of a seed and of each part, by names of an OpenAPI document that has those of fault rules."""
    written = seed_schema()
    parts = {name: part for name, part in written["$defs"].items() if name[0].islower()}
    names = {name: f"Seed{''.join(word.capitalize() for word in name.split('_'))}" for name in parts}
    preset = written["$defs"]["SeededPreset"]
    whole = {name: value for name, value in written.items() if not name.startswith("$")}
    fault = {"anyOf": [{"$ref": "#/$defs/SeedPreset"}, {"$ref": "#/$defs/FaultRule"}]}
    whole["properties"] = {**whole["properties"], "faults": {**whole["properties"]["faults"], "items": fault}}
    documents = {"Seed": whole, **{names[name]: part for name, part in parts.items()}, "SeedPreset": preset}
    text = write_json({name: _without_messages(schema) for name, schema in documents.items()})
    for name in (*names, "SeedPreset", "FaultRule", "FaultMatch"):
        text = text.replace(f'"#/$defs/{name}"', write_json(reference.format(name=names.get(name, name))))
    found: dict[str, Any] = json.loads(text)
    return found


def _without_messages(schema: Any) -> Any:
    """Return a schema without the words of its errors, and without titles, from which generators make names."""
    if isinstance(schema, list):
        return [_without_messages(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = {"errorMessage", "title"} if "errorMessage" in schema else set()
    return {name: _without_messages(part) for name, part in schema.items() if name not in dropped}


def structural_problems(document: Document) -> list[Problem]:
    """Return every place where ``document`` does not have the structure of a seed."""
    schema = seed_schema()
    del schema["properties"]["faults"]["items"]  # `read_seeded` has more precise messages
    for option in fields_of(ServiceOptions):  # and so has the class
        schema["$defs"]["service"]["properties"][option.name] = {}
    problems: dict[tuple[Steps, str], Problem] = {}
    for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(document.content):
        at = tuple(error.instance_path)
        rule: Any = schema
        for step in error.schema_path[:-1]:
            rule = rule[step]
        for steps, text in _explain(error, at, rule):
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
            wants_text = "string" in rule.get("type", ())
            hint = "; quotes make it text" if wants_text and isinstance(error.instance, (int, float)) else ""
            yield at, f"{given(error.instance, at)} is not allowed; {rule['errorMessage']}{hint}"


def given(value: object, at: Steps) -> str:
    """Return a value for a message: shortened, without secrets and without values that may hold one."""
    match value:
        case Mapping():
            return "a mapping"
        case list():
            return "a list"
        case _ if _SECRETS & {*at}:
            return f"a value of {len(str(value))} characters"
        case str() if _HOLDERS & {*at} and at[-1] not in ("name", "format") and len(value) >= _SHORTEST:
            return f"a value of {len(str(value))} characters"
        case _:
            return shorten(value)


def read_sample(folder: Path | None, name: str) -> JsonValue:
    """Return the JSON in file ``name`` of ``folder``; raise ``ValueError`` with the reason why it cannot."""
    if folder is None:
        raise ValueError("works in a seed file only; give the payload as sample")
    home = Path(os.path.realpath(folder))
    path = Path(os.path.realpath(home / name))
    if not path.is_relative_to(home):
        raise ValueError(f"{name!r} is outside the folder of the seed file; move it into {folder}")
    try:
        text = read_text(path)
        return json_copy(json.loads(text, parse_float=finite, parse_constant=finite, object_pairs_hook=unique_keys))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"{name!r} is not JSON: {error.msg} ({where})") from error
    except RecursionError as error:
        raise ValueError(f"{name!r} is nested deeper than {MAX_DEPTH} levels; make it flatter") from error
    except RepeatedKeyError as error:
        raise ValueError(f"{name!r} cannot be used: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name!r} {error}") from error


def check_json_schema(json_schema: Mapping[str, JsonValue], sample: JsonValue) -> None:
    """Raise ``ValueError`` if ``json_schema`` cannot be used or refuses the entity's own ``sample``."""
    try:
        check = EntityCheck(json_schema)
    except InvalidValueError as error:
        raise ValueError(f"is not allowed; use {error.allowed}") from error
    if sample is None:
        return
    if violations := check.violations(sample):
        path, rule = violations[0].path, violations[0].detail or violations[0].rule
        raise ValueError(f"refuses the entity's own sample at {path} ({rule}); change one of them")
