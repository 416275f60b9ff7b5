"""The JSON Schema of an entity as components of an OpenAPI document: itself, and each part that a reference leads to.

References lead to the components, whether they are JSON Pointers, anchors or relative to an ``$id``. An older draft is
translated to 2020-12, the dialect of OpenAPI 3.1.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote, urljoin

_DRAFT: Final = re.compile(r"draft-0([4-7])|2019-09")
_NEWEST: Final = 2020
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_ANCHORS: Final = ("$anchor", "$dynamicAnchor")
_DEFINITIONS: Final = ("$defs", "definitions")
_DROPPED: Final = ("$schema", "$id", "$vocabulary", "$recursiveAnchor", *_ANCHORS, *_DEFINITIONS)
_VALUES: Final = ("const", "enum", "default", "example", "examples")
_MAPS: Final = ("properties", "patternProperties", "dependentSchemas", "dependencies", *_DEFINITIONS)


def camel(*names: str) -> str:
    """Return names as one word, whose parts begin with capitals."""
    words = (word for name in names for word in re.split(r"[^A-Za-z0-9]+", name) if word)
    return "".join(word[0].upper() + word[1:] for word in words)


def components_of(schema: Mapping[str, Any], name: str, taken: Collection[str]) -> dict[str, Any]:
    """Return the components that a JSON Schema becomes, the whole first; names of parts are none of those ``taken``."""
    found = _Schema(schema)
    names = {"": name}
    for pointer in found.targets:
        if pointer:
            steps = [_unescaped(step) for step in pointer.split("/") if step not in _MAPS]
            wanted = name + camel(*steps)
            known = (*names.values(), *taken)
            names[pointer] = next(each for each in _numbered(wanted) if each not in known)
    return {each: found.converted(pointer, names) for pointer, each in names.items()}


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}{number}"
        number += 1


class _Schema:
    """A JSON Schema of a user: its parts by their JSON Pointers, each with the URI that its references are relative to.

    The check of entities has compiled it, so each reference leads somewhere.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        draft = _DRAFT.search(str(schema.get("$schema", "")))
        self._draft = int(draft[1] or 2019) if draft else _NEWEST
        self._id = "id" if self._draft == 4 else "$id"
        self._parts: dict[str, tuple[Any, str]] = {}
        self._pointers: dict[str, str] = {}
        self._note(schema, "", "", "")
        self._base = self._parts[""][1]
        found = (
            self._target(reference, base) for part, base in self._parts.values() for reference in _references(part)
        )
        self.targets = list(dict.fromkeys(pointer for pointer in found if pointer is not None))
        """The pointers of the parts that references lead to."""

    def _note(self, schema: Any, base: str, home: str, pointer: str) -> None:
        """Note a part and those in it; ``home`` is the pointer of the part whose ``$id`` is in force."""
        if isinstance(schema, Mapping):
            own = schema.get(self._id)
            if isinstance(own, str) and own.startswith("#"):  # an anchor, until draft 7
                self._pointers[base + own] = pointer
            elif isinstance(own, str):
                base, home = urljoin(base, own).removesuffix("#"), pointer
            for anchor in _ANCHORS:
                self._pointers.setdefault(f"{base}#{schema.get(anchor)}", pointer)
        self._parts[pointer] = schema, base
        self._pointers.setdefault(f"{base}#{pointer[len(home) :]}", pointer)
        for at, child in _children(schema):
            self._note(child, base, home, pointer + at)

    def _target(self, reference: str, base: str) -> str | None:
        """Return the pointer of the part that a reference leads to; ``None`` where it leads to another document."""
        address = base + reference if reference.startswith("#") else urljoin(base, reference)
        resource, _, fragment = address.partition("#")
        found = self._pointers.get(f"{resource}#{unquote(fragment)}")
        if found is None and resource == self._base and unquote(fragment) in self._parts:
            return unquote(fragment)  # a pointer into a part with an `$id` of its own
        return found

    def converted(self, pointer: str, names: Mapping[str, str]) -> Any:
        """Return a part whose references lead to components; ``names`` are those of the targets."""
        schema, base = self._parts[pointer]
        if not isinstance(schema, Mapping):
            return schema
        if self._draft <= 7 and isinstance(schema.get("$ref"), str):  # nothing counts beside it
            schema = {"$ref": schema["$ref"]}
        converted: dict[str, Any] = {}

        def part(at: str, value: Any) -> Any:
            inner = pointer + at
            if inner in names:
                return {"$ref": f"#/components/schemas/{names[inner]}"}
            return self.converted(inner, names) if inner in self._parts else value

        for key, value in schema.items():
            at = f"/{_escaped(key)}"
            if key in _REFERENCES and isinstance(value, str):
                target = self._target(value, base)
                converted["$ref"] = value if target is None else f"#/components/schemas/{names[target]}"
            elif key in _MAPS and isinstance(value, Mapping) and key not in _DEFINITIONS:
                converted[key] = {name: part(f"{at}/{_escaped(name)}", each) for name, each in value.items()}
            elif isinstance(value, list) and key not in _VALUES:
                converted[key] = [part(f"{at}/{index}", each) for index, each in enumerate(value)]
            elif key not in _DROPPED and key != self._id:
                converted[key] = part(at, value)
        return _translated(converted, self._draft)


def _references(part: Any) -> Iterator[str]:
    for key in _REFERENCES if isinstance(part, Mapping) else ():
        if isinstance(reference := part.get(key), str):
            yield reference


def _children(schema: Any) -> Iterator[tuple[str, Any]]:
    """Yield each part directly in a schema, with its pointer from there."""
    for key, value in schema.items() if isinstance(schema, Mapping) else ():
        at = f"/{_escaped(key)}"
        if key in _VALUES:
            continue
        if key in _MAPS and isinstance(value, Mapping):
            yield from ((f"{at}/{_escaped(name)}", each) for name, each in value.items())
        elif isinstance(value, list):
            yield from ((f"{at}/{index}", each) for index, each in enumerate(value) if not isinstance(each, str))
        elif isinstance(value, (Mapping, bool)):
            yield at, value


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def _translated(schema: dict[str, Any], draft: int) -> dict[str, Any]:
    """Return a schema of a draft in the words of the newest."""
    if draft == _NEWEST:
        return schema
    rest = schema.pop("additionalItems", None)
    if isinstance(schema.get("items"), list):
        schema["prefixItems"] = schema.pop("items")
        if rest is not None:
            schema["items"] = rest
    for name, needed in schema.pop("dependencies", {}).items() if draft <= 7 else ():
        keyword = "dependentRequired" if isinstance(needed, list) else "dependentSchemas"
        schema.setdefault(keyword, {})[name] = needed
    for bound in ("minimum", "maximum") if draft == 4 else ():
        if schema.pop(f"exclusive{bound.capitalize()}", False) and bound in schema:
            schema[f"exclusive{bound.capitalize()}"] = schema.pop(bound)
    return schema
