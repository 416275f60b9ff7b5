"""The items of a payload, and the reference by which people know one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sandbox.faults.fault import PROCESSING
from sandbox.faults.matching import Faultable, compiled
from sandbox.foundation.json_value import JsonValue
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


def in_processing(entry: Entry | None, content: JsonValue, **names: str | None) -> Faultable:
    """Return an item, or the payload of a run of a flow, as fault rules look at it.

    ``entry`` is that of its request, if the journal still holds it. ``names`` are the values of the subject.
    """
    subject = {name: value for name, value in names.items() if value is not None}
    if entry is None:
        return Faultable(PROCESSING.name, "POST", subject, None, lambda: content, lambda _: None)
    return Faultable(PROCESSING.name, entry.method, subject, entry.client_id, lambda: content, entry.header)


def item_in_processing(item: Item, entry: Entry | None, contents: Sequence[JsonValue]) -> Faultable:
    """Return an item as fault rules look at it; ``contents`` are the items of its payload."""
    content = contents[item.index] if item.index < len(contents) else None
    return in_processing(entry, content, company=item.company, vanity_url=item.vanity_url, reference=item.reference)
