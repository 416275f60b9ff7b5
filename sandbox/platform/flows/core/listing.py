"""The query of a list of the Core API, and the page that answers it (FLOWS 6).

A record is an item as the platform shows it: flat, in snake case. A ``Model`` says which records can be included in
those of a list; the include ``flow.versions`` follows two relations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlencode

from sandbox.foundation.errors import cut
from sandbox.foundation.form_data import pairs_of, php_fields
from sandbox.foundation.instants import format_timestamp
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.refusals import InvalidPayloadError, MessageError, Violation
from sandbox.foundation.settings import Settings
from sandbox.platform.flows.core.world import Moment, Record, World

PER_PAGE: Final = 15
MAX_PER_PAGE: Final = 100

Related: TypeAlias = Record | list[Record] | str | None
Filter: TypeAlias = Callable[[Record, str], bool]
"""Returns whether a record meets a condition; ``ValueError`` where the text cannot be read."""

_EXISTS: Final = re.compile(r"(.+?)(_count|Count|_exists|Exists)")
_MAX_VALUES: Final = 1_000
_MAX_DEPTH: Final = 4
"""Relations that one include may follow."""


class Relation(NamedTuple):
    """Records that can be included: ``of`` finds them, ``model`` is theirs, ``None`` for that of the record itself."""

    model: Model | None
    of: Callable[[World, Record], Related]


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of record: ``name`` as in ``fields[name]``, its relations by their names in ``include``.

    ``whole`` completes a record that is shown with fields that no filter needs.
    """

    name: str
    relations: Mapping[str, Relation] = field(default_factory=dict)
    whole: Callable[[World, Record], Record] | None = None

    @property
    def schema(self) -> str:
        """The name of the schema of its records."""
        return self.name[0].upper() + self.name[1:]

    @property
    def names(self) -> Sequence[str]:
        """Its name and those of the models that can be included in it, of which each once."""
        inner = [relation.model.names for relation in self.relations.values() if relation.model]
        return list(dict.fromkeys([self.name, *chain(*inner)]))


@dataclass(frozen=True, slots=True)
class Listing:
    """A list: the model of its items, its filters, and the fields by which it can be sorted."""

    model: Model
    filters: Mapping[str, Filter] = field(default_factory=dict)
    sorts: tuple[str, ...] = ("id", "created_at")
    default_sort: str = "id"


class Wanted(NamedTuple):
    """The query of a request."""

    page: int
    per_page: int
    filters: Mapping[str, tuple[str, ...]]
    fields: Mapping[str, frozenset[str]]
    include: tuple[str, ...]
    sort: tuple[str, ...]
    settings: Settings


def is_equal(name: str) -> Filter:
    """Return the filter on a field with a value."""

    def matches(record: Record, text: str) -> bool:
        value = record[name]
        return _flag(text) == value if isinstance(value, bool) else value is not None and str(value) == text

    return matches


def contains(*names: str) -> Filter:
    """Return the filter on fields of which one has the text in it, without regard to case."""
    return lambda record, text: any(text.lower() in str(record[name]).lower() for name in names if record[name])


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError(text)
    return text.lower() in ("true", "1")


def read_query(query: str, listing: Listing, settings: Settings) -> Wanted:
    """Return the query of a request; raise ``InvalidPayloadError`` (422) or ``MessageError`` (400).

    A part that the list does not have is refused or left out, by the setting ``core_unknown_query``.
    """
    given = php_fields(pairs_of(query))

    def known(what: str, names: Iterable[str], allowed: Iterable[str], is_known: Callable[[str], bool]) -> list[str]:
        unknown = [name for name in names if not is_known(name)]
        if unknown and settings.core_unknown_query != "ignore":
            raise _unknown(what, unknown, allowed)
        return [name for name in names if name not in unknown]

    filters = {name: values for name, value in _members(given, "filter").items() if (values := _texts(value))}
    filtered = known("filter", filters, listing.filters, listing.filters.__contains__)
    model = listing.model
    include = known("include", _texts(given.get("include")), model.relations, lambda path: _is_known(model, path))
    sort = _texts(given.get("sort"))
    sorts = known("sort", [name.removeprefix("-") for name in sort], listing.sorts, listing.sorts.__contains__)
    return Wanted(
        page=_number(given, "page", 1, None, settings),
        per_page=_number(given, "per_page", PER_PAGE, MAX_PER_PAGE, settings),
        filters={name: filters[name] for name in filtered},
        fields={_key(name): frozenset(_texts(value)) for name, value in _members(given, "fields").items()},
        include=tuple(include),
        sort=tuple(name for name in sort if name.removeprefix("-") in sorts) or (listing.default_sort,),
        settings=settings,
    )


def _members(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    members = given.get(name)
    return members if isinstance(members, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    """Return the texts of ``a,b`` or of a PHP array."""
    parts = value.values() if isinstance(value, dict) else [value]
    texts = [text.strip() for part in parts if isinstance(part, str) for text in part.split(",")]
    return tuple(dict.fromkeys(text for text in texts if text))[:_MAX_VALUES]


def _number(given: Mapping[str, Any], name: str, default: int, most: int | None, settings: Settings) -> int:
    text = given.get(name, "")
    if text == "":
        return default
    if not (isinstance(text, str) and re.fullmatch(r"\s*-?\d{1,15}\s*", text, re.ASCII)):
        raise _invalid(Violation(name, "integer", f"{text!r:.60} is no integer"))
    number = int(text)
    if number < 1:
        raise _invalid(Violation(name, "min", "1"))
    if most is not None and number > most:
        if settings.per_page_over_max == "422":
            raise _invalid(Violation(name, "max", str(most)))
        return most
    return number


def _unknown(what: str, unknown: Sequence[str], known: Iterable[str]) -> MessageError:
    """Return the refusal of the framework's query builder, which names what is allowed."""
    said = f"Requested {what}(s) `{', '.join(unknown)}` are not allowed."
    allowed = ", ".join(known)
    hint = f"Allowed {what}(s) are `{allowed}`." if allowed else f"There are no allowed {what}s."
    return MessageError(f"unknown_query_part: {what} {cut(', '.join(unknown), 200)}", 400, f"{said} {hint}")


def _invalid(violation: Violation) -> InvalidPayloadError:
    return InvalidPayloadError("invalid_query", [violation])


# --- the page -------------------------------------------------------------------------------------------------------


def page_of(world: World, records: Iterable[Record], listing: Listing, wanted: Wanted, url: str) -> Record:
    """Return the page of a list that answers a query: ``data``, ``meta`` and ``links``; ``url`` has no query."""
    found = [record for record in records if _meets(record, listing, wanted)]
    for name in reversed(wanted.sort):
        found.sort(key=_sort_key(name.removeprefix("-")), reverse=name.startswith("-"))
    first = (wanted.page - 1) * wanted.per_page
    shown = found[first : first + wanted.per_page]
    last_page = max(1, -(-len(found) // wanted.per_page))
    return {
        "data": [item_of(world, record, listing.model, wanted) for record in shown],
        "meta": {
            "current_page": wanted.page,
            "from": first + 1 if shown else None,
            "last_page": last_page,
            "path": url,
            "per_page": wanted.per_page,
            "to": first + len(shown) if shown else None,
            "total": len(found),
        },
        "links": {
            "first": _link(url, wanted, 1),
            "last": _link(url, wanted, last_page),
            "prev": _link(url, wanted, wanted.page - 1) if wanted.page > 1 else None,
            "next": _link(url, wanted, wanted.page + 1) if wanted.page < last_page else None,
        },
    }


def item_of(world: World, record: Record, model: Model, wanted: Wanted) -> Record:
    """Return an item with what is to be included: flat, with its fields below ``attributes``, or both (FLOWS 6)."""
    whole = record if model.whole is None else model.whole(world, record)
    item = _restricted(whole, model, wanted)
    tree: dict[str, list[str]] = {}
    for path in wanted.include:
        head, _, rest = path.partition(".")
        tree.setdefault(head, []).extend([rest] if rest else [])
    for name, inner in tree.items():
        item |= _included(world, record, model, name, wanted._replace(include=tuple(inner)))
    form = wanted.settings.core_items
    if form == "flat":
        return item
    attributes = {name: value for name, value in item.items() if name != "id"}
    return {**(item if form == "both" else {"id": item.get("id")}), "attributes": attributes}


def _included(world: World, record: Record, model: Model, name: str, wanted: Wanted) -> Record:
    relation = model.relations.get(name)
    if relation is not None:
        related, inner = relation.of(world, record), relation.model or model
        if isinstance(related, list):
            return {_key(name): [item_of(world, each, inner, wanted) for each in related]}
        return {_key(name): item_of(world, related, inner, wanted) if isinstance(related, dict) else related}
    match = _EXISTS.fullmatch(name)
    assert match is not None  # read_query let no other name through
    related = model.relations[match[1]].of(world, record)
    count = len(related) if isinstance(related, list) else int(related is not None)
    kind = match[2].strip("_").lower()
    return {f"{_key(match[1])}_{kind}": count if kind == "count" else bool(count)}


def _is_known(model: Model, path: str, depth: int = _MAX_DEPTH) -> bool:
    head, more, rest = path.partition(".")
    relation = model.relations.get(head)
    if relation is not None:
        return not more or (depth > 1 and _is_known(relation.model or model, rest, depth - 1))
    match = _EXISTS.fullmatch(path)
    return match is not None and match[1] in model.relations


def _restricted(record: Record, model: Model, wanted: Wanted) -> Record:
    fields = wanted.fields.get(_key(model.name)) or wanted.fields.get(f"{_key(model.name)}s")

    def time(at: float) -> str:  # as a generation of the framework writes it in JSON
        text = format_timestamp(at)
        return text if wanted.settings.wire_profile == "modern" else text[:19].replace("T", " ")

    return {
        name: time(value) if isinstance(value, Moment) else value
        for name, value in record.items()
        if name[0] != "_" and (not fields or name in fields)
    }


def _meets(record: Record, listing: Listing, wanted: Wanted) -> bool:
    return all(_matches(record, name, listing.filters[name], texts) for name, texts in wanted.filters.items())


def _matches(record: Record, name: str, matches: Filter, texts: Sequence[str]) -> bool:
    try:
        return any(matches(record, text) for text in texts)
    except (ValueError, OverflowError, OSError):  # no number, no time, or a time beyond those of the machine
        raise _invalid(Violation(f"filter.{name}", "schema", f"{texts[0]!r:.60} cannot be read")) from None


def _sort_key(name: str) -> Callable[[Record], tuple[bool, JsonValue]]:
    return lambda record: (record[name] is not None, record[name])


def _link(url: str, wanted: Wanted, page: int) -> str:
    """Return the address of another page of the same list, with the same query."""
    query: list[tuple[str, str]] = [(f"filter[{name}]", ",".join(texts)) for name, texts in wanted.filters.items()]
    query += [(f"fields[{name}]", ",".join(sorted(texts))) for name, texts in wanted.fields.items()]
    query += [(name, ",".join(texts)) for name, texts in (("include", wanted.include), ("sort", wanted.sort)) if texts]
    return f"{url}?{urlencode([*query, ('per_page', str(wanted.per_page)), ('page', str(page))], errors='replace')}"


def _key(name: str) -> str:
    """Return a name in snake case, as items have it."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
