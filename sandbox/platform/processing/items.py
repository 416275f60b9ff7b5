"""The items of a payload, and the reference by which people know one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


class InProcessing:
    """An item, or the payload of a run of a flow, as fault rules look at it.

    ``entry`` is that of its request, if the journal still holds it. ``names`` are the values of the subject.
    """

    kind = PROCESSING.name

    def __init__(self, entry: Entry | None, content: JsonValue, **names: str | None) -> None:
        self._entry = entry
        self._content = content
        self.method = "POST" if entry is None else entry.method
        self.client_id = None if entry is None else entry.client_id
        self.subject: Mapping[str, str] = {name: value for name, value in names.items() if value is not None}

    def json(self) -> JsonValue:
        """Return the content; raise ``NotJsonError`` where it is null or no JSON."""
        if self._content is None:
            raise NotJsonError("there is no JSON")
        return self._content

    def header(self, name: str) -> str | None:
        """Return the value of a header of the request."""
        return None if self._entry is None else self._entry.header(name)


def item_in_processing(item: Item, entry: Entry | None, contents: Sequence[JsonValue]) -> InProcessing:
    """Return an item as fault rules look at it; ``contents`` are the items of its payload."""
    content = contents[item.index] if item.index < len(contents) else None
    return InProcessing(entry, content, company=item.company, vanity_url=item.vanity_url, reference=item.reference)
