"""The fields of a fault, a match and a rule: declared once, for checking, for JSON, for the documents.

A field is declared with its type (what is allowed, how it is read, its JSON Schema), what it does and its default.
``Described`` is the base of the frozen dataclasses made of such fields.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, ClassVar, Final, TypeVar

from sandbox.foundation.errors import InvalidValueError, guess
from sandbox.foundation.value_types import NotAllowedError, ValueType

_META: Final = "option"


@dataclass(frozen=True, slots=True)
class Option:
    """The declaration of one field, for whoever offers it to people."""

    name: str
    type: ValueType
    doc: str
    required: bool
    default: Any

    @property
    def schema(self) -> dict[str, Any]:
        """The field's JSON Schema."""
        schema = dict(self.type.schema)
        if not self.required and self.default is None:
            if isinstance(schema.get("type"), str):
                schema["type"] = [schema["type"], "null"]
            if "anyOf" in schema:
                schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
        schema["description"] = self.doc
        if not self.required and self.default is not None:
            schema["default"] = self.type.dump(self.default)
        return schema


def option(value_type: ValueType, doc: str, default: Any = MISSING) -> Any:
    """Declare a field; without a default it must be given, with ``None`` it may be left out."""
    metadata = {_META: (value_type, doc, default is MISSING, default)}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=default.copy, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


class Described:
    """Base of frozen dataclasses whose fields are options: checked when made, read from and written to plain data."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __post_init__(self) -> None:
        for declared in options_of(type(self)):
            value = getattr(self, declared.name)
            if value is None and not declared.required and declared.default is None:
                continue
            try:
                parsed = declared.type.parse(value)
            except NotAllowedError:
                raise InvalidValueError(declared.name, value, declared.type.allowed) from None
            object.__setattr__(self, declared.name, parsed)
        self.check()

    def check(self) -> None:
        """Raise ``InvalidValueError`` where fields that are good by themselves do not go together."""

    def document(self) -> dict[str, Any]:
        """Return the fields that differ from their defaults, as plain data."""
        values = [(declared, getattr(self, declared.name)) for declared in options_of(type(self))]
        return {
            declared.name: declared.type.dump(value)
            for declared, value in values
            if declared.required or value != declared.default
        }


_D = TypeVar("_D", bound=Described)


def options_of(cls: type[Described]) -> list[Option]:
    """Return the declarations of a class, in order."""
    return [Option(field.name, *field.metadata[_META]) for field in dataclasses.fields(cls) if _META in field.metadata]


def read(cls: type[_D], document: object, where: str) -> _D:
    """Make a value of plain data; raise ``InvalidValueError`` naming the field by its path and what is allowed."""
    declared = {field.name: field for field in options_of(cls)}
    if not isinstance(document, Mapping):
        raise InvalidValueError(where, document, f"an object with the fields {', '.join(declared) or '(none)'}")
    for name, value in document.items():
        if name not in declared:
            raise InvalidValueError(f"{where}.{name}", value, unknown(name, "field", declared))
    for name, wanted in declared.items():
        if wanted.required and name not in document:
            raise InvalidValueError(f"{where}.{name}", None, f"{wanted.type.allowed}; it must be given")
    try:
        return cls(**document)
    except InvalidValueError as error:
        raise InvalidValueError(f"{where}.{error.field}", error.given, error.allowed) from None


def unknown(name: object, kind: str, known: Iterable[str]) -> str:
    """Say that there is nothing of this name, what was perhaps meant, and what there is."""
    names = list(known)
    return f"{guess(name, names)}there is no such {kind}; known: {', '.join(names) or 'none'}"
