"""A sandbox as one value, and how that is written as JSON, described and read back.

Each part (clock, store, token book …) returns a frozen value from ``snapshot()`` and takes one in ``restore()``. A
stored value is saved as it is; its bounds are declared with its fields. A JSON Schema that is made from the classes
checks a document before anything is made of it. Times are instants in UTC, or Unix seconds on the sandbox clock.

msgspec converts between JSON values and the frozen values. Python's ``json`` makes the text, because it writes integers
of any size and escapes characters that UTF-8 cannot hold. It is written in pieces, because a journal can be large.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

import jsonschema_rs
import msgspec

from sandbox.foundation.clock import ClockSnapshot
from sandbox.foundation.errors import InvalidValueError, MissingValueError, did_you_mean
from sandbox.foundation.real_time import python_datetime
from sandbox.foundation.strict_json import write_json
from sandbox.foundation.yaml_document import dotted
from sandbox.journal.form import SUBJECTS, as_restored, saved, saved_schema
from sandbox.platform.snapshot import PlatformSnapshot

VERSION: Final = 1
"""Version of the format. A document of another version is refused."""

_PER_PIECE: Final = 100
_STEP: Final = re.compile(r"(\w+)|\[(\d+)\]")
_NO_ENTRIES: Final = '"entries": []}'
_HIDDEN: Final = frozenset({"signing_key", "secret", "salt", "hash", "flows"})
_PUBLISHED: Final = {
    "Entry": "EntrySnapshot",
    "TokenLink": "LinkSnapshot",
    "IssuedToken": "TokenSnapshot",
    "OAuthClient": "ClientSnapshot",
    "Window": "WindowSnapshot",
}
"""Names and titles of shapes in a document, by class. Generators of clients make names of both."""

_INSTANTS: Final = ("now", "created_at", "updated_at")
_BOUNDS: Final = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "above"}
_NAMES: Final = {"null": "null", "string": "text", "integer": "a whole number", "number": "a number"}


@dataclass(frozen=True, slots=True)
class State:
    """Everything a sandbox holds. ``signing_key`` is PEM; null in a document without secrets."""

    patchworks_sandbox_state: Literal[1]
    secrets: bool
    clock: ClockSnapshot
    signing_key: str | None = field(repr=False)
    platform: PlatformSnapshot


def to_document(state: State) -> dict[str, Any]:
    """Return a state as JSON values."""
    document: dict[str, Any] = msgspec.to_builtins(_without_entries(state), enc_hook=_written_instant)
    document["platform"]["journal"]["entries"] = list(map(saved, state.platform.journal.entries))
    return document


def pieces(state: State) -> Iterator[bytes]:
    """Yield a state as JSON text; only some entries of the journal are encoded at a time."""
    entries = state.platform.journal.entries
    before, marker, after = write_json(to_document(_without_entries(state))).rpartition(_NO_ENTRIES)
    assert marker
    yield f'{before}"entries": ['.encode()
    for start in range(0, len(entries), _PER_PIECE):
        some = write_json(list(map(saved, entries[start : start + _PER_PIECE])))[1:-1]
        yield f"{', ' if start else ''}{some}".encode()
    yield f"]}}{after}".encode()


def _without_entries(state: State) -> State:
    platform = state.platform
    return replace(state, platform=replace(platform, journal=replace(platform.journal, entries=())))


def _written_instant(value: Any) -> datetime:
    """Return an instant as one of Python's own class: msgspec knows no other, and freezegun makes those of another."""
    if not isinstance(value, datetime):
        raise NotImplementedError
    return python_datetime().fromtimestamp(value.timestamp(), value.tzinfo)


def _read_instant(kind: type, value: object) -> object:
    """Read an instant where the shapes were first looked at in frozen time."""
    if not issubclass(kind, datetime):
        raise NotImplementedError
    return msgspec.convert(value, python_datetime())


def read_state(document: object) -> State:
    """Return the state of JSON values; raise ``InvalidValueError``, which names the first wrong place."""
    if not isinstance(document, Mapping):
        raise InvalidValueError("state", document, "a JSON object as GET /_sandbox/state answers it")
    wrong = problem_in(document)
    if wrong is not None:
        raise wrong
    try:
        return msgspec.convert(_with_restored_entries(document), State, strict=True, dec_hook=_read_instant)
    except msgspec.ValidationError as error:  # base64, and leap seconds
        text, _, at = str(error).partition(" - at `$.")
        path = [int(number) if number else name for name, number in _STEP.findall(at)]
        raise InvalidValueError(dotted(path) or "state", given(document, path), f"a readable one ({text})") from None


def _with_restored_entries(document: Mapping[str, Any]) -> Mapping[str, Any]:
    platform = document["platform"]
    journal = platform["journal"]
    entries = [as_restored(entry, journal["id"]) for entry in journal["entries"]]
    return {**document, "platform": {**platform, "journal": {**journal, "entries": entries}}}


# --- the schema -------------------------------------------------------------------------------------------------------


def components(reference: str = "#/components/schemas/{name}") -> dict[str, dict[str, Any]]:
    """Return the schema of each shape by its name. Fields that are not in it are not allowed."""
    _, named = msgspec.json.schema_components([State], schema_hook=_schema_of_instant, ref_template=reference)
    named["Entry"] = saved_schema(named["Entry"])
    text = write_json(named)
    for name in named:
        published = _PUBLISHED.get(name, f"{name}Snapshot")
        if not name.startswith("State") and not name.endswith("Snapshot"):  # the control API has a Company of its own
            text = text.replace(f'"{reference.format(name=name)}"', f'"{reference.format(name=published)}"')
            text = text.replace(f'"{name}": {{"title": "{name}"', f'"{published}": {{"title": "{published}"')
    schemas: dict[str, dict[str, Any]] = json.loads(text, object_hook=_normal)
    for schema in schemas.values():
        schema["additionalProperties"] = False
        schema["description"] = schema["description"].partition("\n")[0]
        for name, value in schema["properties"].items():
            if name in _INSTANTS and value.get("type") == "string":
                value["format"] = "date-time"  # with a zone, which msgspec does not ask for
    return schemas


def _schema_of_instant(kind: type) -> dict[str, Any]:
    """Return the schema of an instant whose class is that of freezegun: the shapes were first read in frozen time."""
    if not issubclass(kind, datetime):
        raise NotImplementedError
    return msgspec.json.schema(python_datetime())


def _normal(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema in one form.

    ``null`` is the last of several types: releases of msgspec differ in that. ``items: false`` is replaced where
    ``maxItems`` says the same, because generators of clients want a schema there.
    """
    if "anyOf" in schema:
        schema["anyOf"].sort(key=lambda one: one == {"type": "null"})
    if schema.get("items") is False and schema.get("maxItems") == len(schema.get("prefixItems", ())):
        schema["items"] = {}
    return schema


def state_schema() -> dict[str, Any]:
    """Return the JSON Schema of a state document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": "#/$defs/State",
        "$defs": components("#/$defs/{name}"),
    }


def problem_in(document: Mapping[str, Any]) -> InvalidValueError | None:
    """Return the first error of a document, if there is one."""
    version = document.get("patchworks_sandbox_state")
    if version != VERSION or isinstance(version, bool):
        allowed = f"{VERSION}, the version of the format that this release reads: is it a saved state?"
        return InvalidValueError("patchworks_sandbox_state", version, allowed)
    schema = state_schema()
    entry = schema["$defs"]["EntrySnapshot"]  # a state saved before an endpoint was added lacks its values
    entry["required"] = [name for name in entry["required"] if name not in SUBJECTS]
    try:
        validator = jsonschema_rs.Draft202012Validator(json.loads(write_json(schema)), validate_formats=True)
        errors = list(itertools.islice(validator.iter_errors(document), 1))
    except (ValueError, UnicodeEncodeError):
        return InvalidValueError("state", "this document", "JSON whose text is UTF-8, nested at most 255 levels deep")
    return _explained(errors[0], schema, document) if errors else None


def _explained(error: jsonschema_rs.ValidationError, schema: Any, document: Any) -> InvalidValueError:
    path = list(error.instance_path)
    rule: Any = schema
    for step in error.schema_path[:-1]:
        rule = schema["$defs"][rule["$ref"].rpartition("/")[2]] if step == "$ref" else rule[step]
    match error.kind:
        case jsonschema_rs.ValidationErrorKind.AdditionalProperties(unexpected):
            field = unexpected[0]
            place = [*path, field]
            allowed = f"a known field; {did_you_mean(field, rule['properties'])}"
            return InvalidValueError(dotted(place), given(document, place), allowed)
        case jsonschema_rs.ValidationErrorKind.Required(name):
            return MissingValueError(dotted([*path, name]), "a value")
        case _:
            return InvalidValueError(dotted(path) or "state", given(document, path), _allowed(rule))


def given(document: Any, path: Iterable[str | int]) -> object:
    """Return the value at a place, unless it may be a secret."""
    for step in path:
        if step in _HIDDEN:
            return "(not shown)"
        document = document[step]
    return document


def _allowed(rule: Mapping[str, Any]) -> str:
    """Return the allowed values of a schema in words."""
    if "anyOf" in rule:
        return " or ".join(_allowed(branch) for branch in rule["anyOf"])
    if "$ref" in rule:
        return "an object"
    if "enum" in rule:
        return ", ".join(write_json(value) for value in rule["enum"])
    kind = rule.get("type", "any")
    words = [_NAMES.get(kind, {"boolean": "true or false", "object": "an object", "array": "a list"}.get(kind, kind))]
    words += [f"{text} {rule[key]}" for key, text in _BOUNDS.items() if key in rule]
    words += [f"({rule[key]})" for key in ("format", "contentEncoding", "pattern") if key in rule]
    if "maxItems" in rule:
        words.append(f"of {rule['maxItems']}")
    return " ".join(words)
