"""Forms made of JSON Schemas: the fields that a page shows, and the JSON that it reads from them.

A page needs no line for a new property, kind or setting: the schemas are those that the control API publishes. The form
checks nothing itself. A text that its schema does not take is sent as it is, so that the API refuses it in its words.
A field that is left empty is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from werkzeug.datastructures import MultiDict

from sandbox.foundation.strict_json import NotJsonError, parse_json, write_json

Schema: TypeAlias = Mapping[str, Any]
Control: TypeAlias = Literal["group", "choice", "flag", "line", "text", "list"]

MAX_ITEMS: Final = 50
"""Items of a list that a form shows and reads; the rest is left to the API."""

_DEPTH: Final = 60
_ITEM: Final = re.compile(r"\[(\d+)\]$")
_LONG: Final = 300
"""Characters from which a text gets several lines."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form, or a group of fields. ``name`` is its path in the document: ``match.vanity_url``."""

    name: str
    label: str
    hint: str = ""
    required: bool = False
    error: str = ""
    control: Control = "group"
    value: str = ""
    choices: tuple[str, ...] = ()
    placeholder: str = ""
    chooses: bool = False
    """Whether the fields after it depend on its choice."""
    fields: Sequence[Field] = ()

    @property
    def id(self) -> str:
        """Its id in the page."""
        return "field-" + "".join(letter if letter.isalnum() else "-" for letter in self.name)

    @property
    def is_set(self) -> bool:
        """Whether it, or a field in it, has a value or an error."""
        is_given = self.value not in ("", self.placeholder)
        return is_given or bool(self.error) or any(each.is_set for each in self.fields)


class SchemaForm:
    """The form of one schema; ``schemas`` are those that it refers to, by their last name."""

    def __init__(self, schema: Schema, schemas: Mapping[str, Schema]) -> None:
        self._schema = schema
        self._schemas = schemas

    def read(self, form: MultiDict[str, str]) -> dict[str, Any]:
        """Return the document of a form, with the texts of its fields where their schemas take no more."""
        return self._members(self._schema, "", form)

    def fields(self, document: Mapping[str, Any], errors: Mapping[str, str]) -> tuple[list[Field], list[str]]:
        """Return the fields with a document's values, each error at the field of its path, and the other errors."""
        left = dict(errors)
        fields = self._group(self._schema, "", document, left)
        return fields, [f"{path}: {message}" if path else message for path, message in left.items()]

    # --- the schema -------------------------------------------------------------------------------------------------

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            rest = {name: value for name, value in schema.items() if name != "$ref"}
            schema = {**self._schemas[schema["$ref"].rpartition("/")[2]], **rest}
        return schema

    def _properties(self, schema: Schema, path: str) -> Iterator[tuple[str, str, Schema]]:
        """Iterate over the properties with name, path and schema, but for the name of a kind."""
        for name, child in schema.get("properties", {}).items():
            resolved = self._resolved(child)
            if "const" not in resolved:
                yield name, _at(path, name), resolved

    def _kinds(self, schema: Schema) -> tuple[str, dict[str, Schema]] | None:
        """Return the property that names the kind of a schema, and the schemas by kind; that of a word is empty."""
        words: dict[str, Schema] = {}
        if "discriminator" not in schema:
            branches = [self._resolved(branch) for branch in schema.get("anyOf", ())]
            words = {branch["const"]: {} for branch in branches if "const" in branch}
            schema = next((branch for branch in branches if "discriminator" in branch), {})
        if not schema:
            return None
        kinds = schema["discriminator"]["mapping"]
        return schema["discriminator"]["propertyName"], {
            **words,
            **{kind: self._resolved({"$ref": at}) for kind, at in kinds.items()},
        }

    # --- to fields --------------------------------------------------------------------------------------------------

    def _group(self, schema: Schema, path: str, document: Any, errors: dict[str, str]) -> list[Field]:
        given = document if isinstance(document, Mapping) else {}
        required = schema.get("required", ())
        return [
            self._field(child, at, given.get(name), errors, required=name in required)
            for name, at, child in self._properties(schema, path)
        ]

    def _field(self, schema: Schema, path: str, value: Any, errors: dict[str, str], *, required: bool) -> Field:
        label = _ITEM.sub(lambda match: f" {int(match[1]) + 1}", path.rpartition(".")[2].replace("_", " "))
        field = Field(path, label, schema.get("description", ""), required, errors.pop(path, ""))
        if kinds := self._kinds(schema):
            return replace(field, fields=self._chosen(*kinds, path, value, errors, required=required))
        if "properties" in schema:
            return replace(field, fields=self._group(schema, path, value, errors))
        items = self._resolved(schema.get("items", {}))
        if self._kinds(items):
            given = value if isinstance(value, Sequence) and not isinstance(value, str) else []
            shown = [
                self._field({**items, "description": ""}, f"{path}[{at}]", item, errors, required=False)
                for at, item in enumerate([*given, None][:MAX_ITEMS])
            ]
            return replace(field, control="list", fields=shown)
        types, default = _types(schema), schema.get("default")
        placeholder = _as_text(default, types) if default not in (None, "", {}, []) else ""
        text = "" if value is None else _as_text(value, types)
        control: Control = "line"
        if "enum" in schema or types == {"boolean"}:
            control = "choice" if "enum" in schema else "flag"
            text = text or placeholder
        elif not types <= {"string", "number", "integer"} or schema.get("maxLength", 0) > _LONG or "\n" in text:
            control = "text"
        hint, choices = _hint(schema, field.hint), tuple(map(str, schema.get("enum", ())))
        return replace(field, control=control, hint=hint, value=text, choices=choices, placeholder=placeholder)

    def _chosen(
        self, key: str, kinds: dict[str, Schema], path: str, value: Any, errors: dict[str, str], *, required: bool
    ) -> list[Field]:
        """Return the choice of a kind, and the fields of the one that is chosen."""
        chosen = value.get(key) if isinstance(value, Mapping) else value
        if not isinstance(chosen, str) or chosen not in kinds:
            chosen = ""
        schema, name = kinds.get(chosen, {}), _at(path, key)
        choice = Field(
            name,
            key,
            schema.get("description", "").partition("\n\n")[0],
            required,
            errors.pop(name, ""),
            "choice",
            chosen,
            tuple(kinds) if chosen and required else ("", *kinds),
            chooses=True,
        )
        return [choice, *self._group(schema, path, value, errors)]

    # --- from a form ------------------------------------------------------------------------------------------------

    def _read(self, schema: Schema, path: str, form: MultiDict[str, str]) -> Any:
        if found := self._kinds(schema):
            key, kinds = found
            chosen = form.get(_at(path, key), "")
            if not chosen or kinds.get(chosen) == {}:
                return chosen or None
            return {key: chosen, **self._members(kinds.get(chosen, {}), path, form)}
        if "properties" in schema:
            return self._members(schema, path, form) or None
        items = self._resolved(schema.get("items", {}))
        if self._kinds(items):
            shown = next((at for at in range(MAX_ITEMS) if not _is_given(form, f"{path}[{at}]")), MAX_ITEMS)
            found_items = [self._read(items, f"{path}[{at}]", form) for at in range(shown)]
            return [item for item in found_items if item is not None] or None
        texts = form.getlist(path)
        return _value(texts[-1], schema) if texts else None

    def _members(self, schema: Schema, path: str, form: MultiDict[str, str]) -> dict[str, Any]:
        members = {}
        for name, at, child in self._properties(schema, path):
            value = self._read(child, at, form)
            if value is not None and value != child.get("default"):
                members[name] = value
        return members


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _is_given(form: MultiDict[str, str], path: str) -> bool:
    return any(name.startswith(f"{path}.") for name in form)


def _types(schema: Schema) -> set[str]:
    """Return the JSON types that a schema takes, without null; empty for any."""
    if "anyOf" in schema:
        return set().union(*map(_types, schema["anyOf"]))
    given = schema.get("type", ())
    types = {given} if isinstance(given, str) else set(given)
    return types - {"null"}


def _hint(schema: Schema, text: str) -> str:
    branches = [schema, *schema.get("anyOf", ())]
    low, high = (next((each[name] for each in branches if name in each), None) for name in ("minimum", "maximum"))
    return text if low is None or high is None else f"{text} From {low:,} to {high:,}."


_NAMES: Final[Mapping[type, str]] = {bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}


def _value(text: str, schema: Schema) -> Any:
    """Return the value of a text: JSON where the schema takes its type, else the text; ``None`` for an empty one.

    A text in quotes is a JSON string, so that any text can be given.
    """
    text = text.replace("\r\n", "\n")
    if not text.strip():
        return None
    types = _types(schema)
    try:
        value = parse_json(text.encode(), _DEPTH, unique=True)
    except (NotJsonError, UnicodeError):
        value = text
    if isinstance(value, str) and text.lstrip()[:1] == '"':
        return value
    name = _NAMES.get(type(value), "string")
    if name != "string" and (not types or name in types or (name == "integer" and "number" in types)):
        return value
    if types == {"array"}:
        return [line.strip() for line in text.splitlines() if line.strip()]
    return text


def _as_text(value: Any, types: set[str]) -> str:
    """Return a text that ``_value`` reads as this value."""
    if isinstance(value, (list, tuple)) and types == {"array"} and all(_is_plain(item) for item in value):
        return "\n".join(value)
    if not isinstance(value, str):
        return write_json(value, indent=2 if isinstance(value, (dict, list)) else None, ascii=False)
    if "\r" in value or not value.strip() or value.lstrip()[0] == '"':
        return write_json(value, ascii=False)
    if types != {"string"}:
        try:
            parse_json(value.encode(), _DEPTH)
        except (NotJsonError, UnicodeError):
            return value
        return write_json(value, ascii=False)
    return value


def _is_plain(item: object) -> bool:
    return isinstance(item, str) and item == item.strip() and item.isprintable() and item[:1] not in ("", "[", '"', "{")
