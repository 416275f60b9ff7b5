"""The fields of a frozen dataclass, each declared once: for checking, for plain data, for JSON Schema, for documents.

Settings, faults, matches and rules are such dataclasses: each derives from ``Described``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from functools import partial
from typing import Any, ClassVar, Final, TypeVar

from sandbox.foundation.errors import InvalidValueError, MissingValueError, UnknownNameError
from sandbox.foundation.value_types import NotAllowedError, ValueType

_META: Final = "field"


@dataclass(frozen=True, slots=True)
class Field:
    """The declaration of one field."""

    name: str
    type: ValueType
    doc: str
    default: Any = MISSING

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is MISSING

    @property
    def schema(self) -> dict[str, Any]:
        """The field's JSON Schema."""
        schema = dict(self.type.schema)
        if self.default is None:
            if isinstance(schema.get("type"), str):
                schema["type"] = [schema["type"], "null"]
            if "anyOf" in schema:
                schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
        schema["description"] = self.doc
        if not self.required and self.default is not None:
            schema["default"] = self.type.dump(self.default)
        return schema

    def read(self, value: object) -> Any:
        """Return the value to keep; raise ``InvalidValueError`` of this field."""
        if value is None and self.default is None:
            return None
        try:
            return self.type.parse(value)
        except NotAllowedError:
            raise InvalidValueError(self.name, value, self.type.allowed) from None


def field(value_type: ValueType, doc: str, default: Any = MISSING) -> Any:
    """Declare a field; without a default it must be given, with ``None`` it may be left out."""
    return declared(partial(Field, type=value_type, doc=doc, default=default), default)


def declared(declaration: Callable[[str], Field], default: Any, *, repr: bool = True) -> Any:
    """Return a dataclass field; ``declaration`` makes its ``Field`` of its name."""
    if isinstance(default, dict):
        return dataclasses.field(default_factory=default.copy, metadata={_META: declaration}, repr=repr)
    return dataclasses.field(default=default, metadata={_META: declaration}, repr=repr)


class Described:
    """Base of frozen dataclasses whose fields are declared: checked when made, read from and written to plain data."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __post_init__(self) -> None:
        for declaration in self._declarations():
            object.__setattr__(self, declaration.name, declaration.read(getattr(self, declaration.name)))
        self.check()

    @classmethod
    def _declarations(cls) -> Sequence[Field]:
        return fields_of(cls)

    def check(self) -> None:
        """Raise ``InvalidValueError`` where fields that are good by themselves do not go together."""

    def document(self) -> dict[str, Any]:
        """Return the fields that differ from their defaults, as plain data."""
        return {
            declaration.name: declaration.type.dump(value)
            for declaration in fields_of(type(self))
            if (value := getattr(self, declaration.name)) != declaration.default
        }


_D = TypeVar("_D", bound=Described)


def fields_of(cls: type[Described]) -> list[Field]:
    """Return the declarations of a class, in order."""
    return [known.metadata[_META](known.name) for known in dataclasses.fields(cls) if _META in known.metadata]


def read(cls: type[_D], document: object, where: str) -> _D:
    """Make a value of plain data; raise ``InvalidValueError`` naming the field by its path and what is allowed."""
    known = {declaration.name: declaration for declaration in fields_of(cls)}
    if not isinstance(document, Mapping):
        raise InvalidValueError(where, document, f"an object with the fields {', '.join(known) or '(none)'}")
    for name, value in document.items():
        if name not in known:
            raise UnknownNameError(f"{where}.{name}", value, "field", known)
    for name, declaration in known.items():
        if declaration.required and name not in document:
            raise MissingValueError(f"{where}.{name}", declaration.type.allowed)
    try:
        return cls(**document)
    except InvalidValueError as error:
        raise error.at(f"{where}.{error.field}") from None


def object_schema(cls: type[Described], description: str, **constants: str) -> dict[str, Any]:
    """Return the JSON Schema of a class as an object; ``constants`` are members with one value, before its fields."""
    declarations = fields_of(cls)
    required = [*constants, *(declaration.name for declaration in declarations if declaration.required)]
    properties: dict[str, Any] = {name: {"type": "string", "const": value} for name, value in constants.items()}
    properties.update((declaration.name, declaration.schema) for declaration in declarations)
    return {
        "type": "object",
        "description": description,
        **({"required": required} if required else {}),
        "properties": properties,
        "additionalProperties": False,
    }
