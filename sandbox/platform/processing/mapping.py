"""The mapping preview: which fields of a payload go where, which are not mapped, and which mapped ones are missing.

Field paths are those of the pages: ``order``, ``customer.email``, ``lines[].sku``. No transformation is applied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from sandbox.foundation.json_value import JsonValue
from sandbox.platform.model import FieldMapping

MAX_FIELDS: Final = 500
"""Fields of a payload that a preview looks at."""

MAX_LEAVES: Final = 10_000
"""Values of a payload that a preview looks at."""

MAX_VALUES: Final = 5
"""Values of a field that a preview shows: a field in a list has several."""


class MappedField(NamedTuple):
    """A mapping row with the values that it takes from a payload, the first ones of many."""

    source: str
    destination: str
    source_name: str | None
    destination_name: str | None
    values: Sequence[JsonValue]
    total: int


class MappingPreview(NamedTuple):
    """The values that a payload gives to the mapping rows of a service."""

    mapped: Sequence[MappedField]
    unmapped: Sequence[str]
    """Fields of the payload that no row takes."""
    missing: Sequence[str]
    """Sources of rows that the payload does not have."""


def preview(mappings: Sequence[FieldMapping], payload: JsonValue) -> MappingPreview:
    """Return the preview of a payload; of a top-level list each entry is looked at."""
    found: dict[str, list[JsonValue]] = {}
    for item in payload if isinstance(payload, list) else [payload]:
        for path, value in islice(_leaves(item, ""), MAX_LEAVES):
            if path in found or len(found) < MAX_FIELDS:
                found.setdefault(path, []).append(value)
    rows = [_mapped(row, _values(row.source, found)) for row in mappings]
    sources = [row.source for row in mappings]
    return MappingPreview(
        [row for row in rows if row.total],
        [path for path in found if not any(_is_within(path, source) for source in sources)],
        [row.source for row in rows if not row.total],
    )


def _mapped(row: FieldMapping, values: Sequence[JsonValue]) -> MappedField:
    names = (row.source, row.destination, row.source_name, row.destination_name)
    return MappedField(*names, values[:MAX_VALUES], len(values))


def _values(source: str, found: dict[str, list[JsonValue]]) -> list[JsonValue]:
    """Return the values at a path; of an object or a list those of all fields in it."""
    return [value for path, values in found.items() if _is_within(path, source) for value in values]


def _is_within(path: str, source: str) -> bool:
    return path == source or path.startswith((f"{source}.", f"{source}[]"))


def _leaves(value: JsonValue, path: str) -> Iterator[tuple[str, JsonValue]]:
    """Yield the values that are neither an object nor a list with something in it, each with its path."""
    if isinstance(value, dict) and value:
        for name, child in value.items():
            yield from _leaves(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for child in value:
            yield from _leaves(child, f"{path}[]")
    elif path or value not in (None, {}, []):
        yield path or "$", value
