"""The items of a payload, and the reference by which people know one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.faults.fault import PROCESSING
from sandbox.faults.matching import compiled
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.strict_json import NotJsonError
from sandbox.journal.entry import Entry
from sandbox.platform.processing.values import Item

USUAL: Final = (
    *("id", "reference", "ordernumber", "orderid", "order", "externalid", "number", "sku", "code", "email", "name"),
)
"""Fields that usually hold the reference, best first; case, ``_`` and ``-`` do not matter."""

_MAX_REFERENCE: Final = 255


def items_of(payload: JsonValue) -> list[JsonValue]:
    """Return the items of a payload: a top-level list is several, anything else is one."""
    return payload if isinstance(payload, list) else [payload]


def reference_reader(json_path: str | None) -> Callable[[JsonValue], str | None]:
    """Return a function that returns the reference of an item.

    It is the first text or number that a JSONPath selects; without a path that of a usual field.
    """
    if json_path is None:
        return _usual_reference
    find = compiled(json_path)
    return lambda item: next(filter(None, map(_as_text, find(item))), None)


def _usual_reference(item: JsonValue) -> str | None:
    if not isinstance(item, Mapping):
        return None
    plain = {name.lower().replace("_", "").replace("-", ""): value for name, value in item.items()}
    return next(filter(None, (_as_text(plain[name]) for name in USUAL if name in plain)), None)


def _as_text(value: JsonValue) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return str(value)[:_MAX_REFERENCE]


@dataclass(frozen=True, slots=True)
class ItemInProcessing:
    """An item as fault rules look at it. ``entry`` is that of its payload, if the journal still holds it."""

    item: Item
    entry: Entry | None
    content: JsonValue

    @property
    def kind(self) -> str:
        """The name of the stage."""
        return PROCESSING.name

    @property
    def method(self) -> str:
        """HTTP method of the request that brought the payload."""
        return "POST" if self.entry is None else self.entry.method

    @property
    def subject(self) -> Mapping[str, str]:
        """Company, vanity URL and reference."""
        names = {"company": self.item.company, "vanity_url": self.item.vanity_url}
        return names if self.item.reference is None else {**names, "reference": self.item.reference}

    @property
    def client_id(self) -> str | None:
        """The OAuth client that sent the payload."""
        return None if self.entry is None else self.entry.client_id

    def json(self) -> JsonValue:
        """Return the item; raise ``NotJsonError`` where it is null."""
        if self.content is None:
            raise NotJsonError("there is no JSON")
        return self.content

    def header(self, name: str) -> str | None:
        """Return the value of a header of the request that brought the payload."""
        return None if self.entry is None else self.entry.header(name)
