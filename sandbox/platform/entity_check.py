"""The check of a payload against its entity: a sample becomes a JSON Schema, and the schema validates payloads.

The vendor does not define when a payload "matches the expected entity type" (FACTS 1.16, 1.21). Our rule: it has the
JSON types and the keys of the sample, at every level; extra keys are allowed; a top-level array is a batch, and each of
its items must match. genson infers the schema, jsonschema-rs validates. Users write schemas, so references are never
fetched.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NoReturn

import jsonschema_rs
from genson import SchemaBuilder

from sandbox.foundation.errors import InvalidValueError, cut
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.refusals import Violation, bracketed
from sandbox.foundation.strict_json import depth, sent_json, write_json
from sandbox.foundation.yaml_document import MAX_DEPTH
from sandbox.platform.typed_check import Check, typed_check

MAX_VIOLATIONS = 1_000
"""Violations that are reported of one payload; a batch can hold far more."""

MAX_DETAIL_LENGTH = 300
"""Characters of the text on a violation of a hand-written schema; it quotes the value, which can be huge."""

_NULL = {"type": "null"}
_NAMES = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
}


def infer_schema(sample: JsonValue, *, integers: bool = True) -> dict[str, Any]:
    """Return the JSON Schema of payloads like a sample; for a sample batch, the schema of its items.

    A whole number in the sample asks for an integer; without ``integers`` it asks for any number.

    A ``null`` in the sample leaves the type open, so any value is allowed there. Beside other values (in a list or a
    sample batch) it means that the value may be missing. Raise ``InvalidValueError`` for a sample that is too deep.
    """
    if depth(sample) > MAX_DEPTH:  # as deep as in a seed
        raise InvalidValueError("sample", "this one", f"JSON nested at most {MAX_DEPTH} levels deep")
    builder = SchemaBuilder(schema_uri=None)
    for item in sample if isinstance(sample, list) else [sample]:
        builder.add_object(item)
    return _relaxed(builder.to_schema(), "integer" if integers else "number")


def _relaxed(schema: dict[str, Any], whole: str) -> dict[str, Any]:
    """Drop ``"type": "null"`` and list the required keys in the sample's order rather than alphabetically."""
    if schema == _NULL:
        return {}
    relaxed = dict(schema)
    match schema.get("type"):
        case "integer":
            relaxed["type"] = whole
        case list(types):
            relaxed["type"] = [whole if name == "integer" else name for name in types]
    if "properties" in schema:
        relaxed["properties"] = {name: _relaxed(child, whole) for name, child in schema["properties"].items()}
    if "required" in schema:
        relaxed["required"] = [name for name in schema["properties"] if name in schema["required"]]
    if "items" in schema:
        relaxed["items"] = _relaxed(schema["items"], whole)
    if "anyOf" in schema:
        relaxed["anyOf"] = [b if b == _NULL else _relaxed(b, whole) for b in schema["anyOf"]]
    return relaxed


class EntityCheck:
    """A compiled entity schema."""

    def __init__(self, json_schema: Mapping[str, Any]) -> None:
        """Compile a JSON Schema (draft 2020-12 unless ``$schema`` says otherwise); raise ``InvalidValueError``."""
        self._schema = json_schema
        try:
            self._validator = jsonschema_rs.validator_for(dict(json_schema), retriever=_refuse_retrieval)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            problem = str(error).partition("\n")[0]
            raise InvalidValueError("json_schema", json_schema, f"a valid JSON Schema ({problem})") from None

    @cached_property
    def surely_matches(self) -> Check:
        """A fast check of a body. It returns True for bodies that match and are not empty; False leaves that open."""
        return typed_check(self._schema)

    def violations(self, payload: JsonValue) -> list[Violation]:
        """Return the violations of a payload, of a batch item by item, at most ``MAX_VIOLATIONS``."""
        if not isinstance(payload, list) and self._validator.is_valid(payload):
            return []
        return list(itertools.islice(self._each(payload), MAX_VIOLATIONS))

    def _each(self, payload: JsonValue) -> Iterator[Violation]:
        if not isinstance(payload, list):
            yield from self._of_item([], payload)
            return
        for index, item in enumerate(payload):
            yield from self._of_item([index], item)

    def _of_item(self, prefix: list[int], item: JsonValue) -> Iterator[Violation]:
        if self._validator.is_valid(item):
            return
        try:
            errors = self._validator.iter_errors(item)
        except ValueError:  # its own limit on nesting, which `is_valid` does not have
            yield Violation(_dotted([*prefix]), "schema", "does not match, and is nested too deep to tell where")
        else:
            for error in errors:
                yield from self._violations(prefix, error)

    def _violations(self, prefix: list[int], error: jsonschema_rs.ValidationError) -> list[Violation]:
        kind: Any = error.kind  # a union; its members have attributes that their common type has not
        path = [*prefix, *error.instance_path]
        if kind.name == "required":
            return [Violation(_dotted([*path, kind.property]), "required")]
        if kind.name == "type":
            expected = [name for name in kind.types if name != "null"]
            match expected, error.instance:
                case ["object"], list():
                    return self._list_for_object(path, list(error.schema_path)[:-1])
                case ["object" | "array" as wanted], found:
                    # PHP knows one kind of array, and so do the platform's texts.
                    return [Violation(_dotted(path), "array", reason=_mismatch(path, wanted, found))]
                case [wanted], _:
                    return [Violation(_dotted(path), wanted)]
        return [Violation(_dotted(path), "schema", cut(error.message, MAX_DETAIL_LENGTH))]

    def _list_for_object(self, path: list[Any], schema_path: list[str | int]) -> list[Violation]:
        """Return the keys that a list lacks: an empty list is an array to PHP, which then asks for the keys."""
        reason = _mismatch(path, "object", [])
        schema: Any = self._schema
        try:
            for step in schema_path:
                schema = schema[step]
            required = list(schema.get("required", ()))
        except (LookupError, TypeError, AttributeError):  # behind a reference
            required = []
        if not required:
            return [Violation(_dotted(path), "schema", "an object is wanted, a list came", reason)]
        return [Violation(_dotted([*path, name]), "required", reason=reason) for name in required]


def _mismatch(path: list[Any], wanted: str, found: object) -> str:
    return f"{bracketed(_dotted(path))}: {_NAMES[wanted]} is wanted, {_named(found)} came"


def _named(found: object) -> str:
    if found is None or isinstance(found, bool):
        return write_json(found)
    kinds: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return _NAMES[kinds.get(type(found), "number")]


def compile_entity(
    sample: JsonValue, json_schema: dict[str, Any] | None, *, integers: bool = True
) -> tuple[dict[str, Any] | None, bool, EntityCheck | None]:
    """Return the schema in force, whether it was inferred, and its compiled check."""
    sent_json(sample, "sample")  # a state that has infinity in it could not be loaded
    sent_json(json_schema, "json_schema")
    if json_schema is not None:
        return json_schema, False, EntityCheck(json_schema)
    if sample is None:
        return None, False, None
    inferred = infer_schema(sample, integers=integers)
    return inferred, True, EntityCheck(inferred)


def _dotted(path: list[Any]) -> str:
    return ".".join(str(step) for step in path) or "payload"


def _refuse_retrieval(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not fetched; put the referenced schema into $defs")
