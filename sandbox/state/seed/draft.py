"""Seed documents merged into one ``Seed``, and the rules that concern several values.

Each value keeps its place until the end, so the error for a rule that two files break together names a line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from msgspec import convert

from sandbox.faults.rules import FaultRule, Match, read_rule
from sandbox.foundation.errors import InvalidValueError, UnknownNameError, did_you_mean
from sandbox.foundation.fields import fields_of, read
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.yaml_document import Document, Place, Problem, refuse
from sandbox.platform.model import ServiceOptions
from sandbox.state.seed.parts import ClientSeed, CompanySeed, ConnectorSeed, EntitySeed, PresetSeed, Seed, ServiceSeed
from sandbox.state.seed.schema import check_json_schema, read_sample, structural_problems

_PRESET_KEYS: Final = ("preset", "match")
_Json = dict[str, Any]
"""A mapping of a document that has passed the schema."""


@dataclass(slots=True)
class _Part:
    """A part of a seed without the parts in it, its place, and these parts by the name of their list and their key."""

    value: Any
    place: Place
    parts: defaultdict[str, dict[str, _Part]] = field(default_factory=lambda: defaultdict(dict))

    def seed(self) -> Any:
        """Return the value with its parts."""
        lists = {name: tuple(part.seed() for part in parts.values()) for name, parts in self.parts.items()}
        return replace(self.value, **lists) if lists else self.value


class Draft:
    """The merged content of the documents added so far."""

    def __init__(self) -> None:
        self._companies: list[_Part] = []
        self._by_slug: dict[str, _Part] = {}
        self._by_name: dict[str, _Part] = {}
        self._settings: _Json = {}
        self._setting_places: dict[str, str] = {}
        self._faults: list[FaultRule | PresetSeed] = []
        self._problems: list[Problem] = []

    def add(self, document: Document) -> None:
        """Merge ``document``; raise ``DocumentError`` if it does not have the structure of a seed."""
        refuse([*self._problems, *structural_problems(document)])
        content = document.content
        for place, data in _each(Place(document), content, "companies"):
            self._add_company(place, data)
        for name, value in (content.get("settings") or {}).items():
            self._settings[name] = value
            self._setting_places[name] = str(Place(document) / "settings" / name)
        for place, data in _each(Place(document), content, "faults"):
            self._add_fault(place, data)

    def seed(self, *, as_part: bool = False) -> Seed:
        """Return the seed; raise ``DocumentError`` if a rule is broken. A part may name what it does not have."""
        rules = () if as_part else (*self._unknown_entities(), *self._taken_names())
        refuse([*self._problems, *rules])
        companies = tuple(company.seed() for company in self._companies)
        return Seed(companies, self._settings, self._setting_places, tuple(self._faults))

    # --- merging ---

    def _add_fault(self, place: Place, data: JsonValue) -> None:
        try:
            self._faults.append(_fault(data, place))
        except InvalidValueError as error:
            self._problems.append(_refused(place, error))

    def _add_company(self, place: Place, data: _Json) -> None:
        name, slug = data["name"], data.get("slug")
        company = self._company(name, slug)
        if company is None:
            company = _Part(CompanySeed(name, slug), place)
            self._companies.append(company)
        else:
            slug = slug or company.value.slug
            self._replace(company, place, CompanySeed(name, slug))
        self._by_name[name] = company
        if slug:
            self._by_slug[slug] = company
        for at, connector in _each(place, data, "connectors"):
            self._add_connector(company, at, connector)
        if any(data.get(key) for key in ("flows", "api_keys", "users")):
            self._add_flows(company, place, data)

    def _company(self, name: str, slug: str | None) -> _Part | None:
        if slug in self._by_slug:
            return self._by_slug[slug]
        namesake = self._by_name.get(name)
        return None if namesake and namesake.value.slug and slug else namesake

    def _add_connector(self, company: _Part, place: Place, data: _Json) -> None:
        name = data["name"]
        known = company.parts["connectors"].get(name)
        environment = data.get("environment", "test" if known is None else known.value.environment)
        connector = self._put(company, "connectors", name, place, ConnectorSeed(name, environment))
        for at, entity in _each(place, data, "entities"):
            self._put(connector, "entities", entity["name"], at, self._entity(at, entity))
        for at, client in _each(place, data, "oauth_clients"):
            self._put(connector, "oauth_clients", client["name"], at, _client(client))
        for at, service in _each(place, data, "services"):
            self._put(connector, "services", service["vanity_url"].lower(), at, self._service(at, service))

    def _add_flows(self, company: _Part, place: Place, data: _Json) -> None:
        from sandbox.platform.flows.model import ApiKeySeed, FlowSeed, UserSeed  # few seeds have any

        for at, flow in _each(place, data, "flows"):
            seed = convert(flow, FlowSeed, strict=False)  # 1.0 is a whole number to JSON Schema, which has passed
            if not isinstance(seed.deployed, bool) and seed.deployed not in seed.versions:
                self._problems.append((at / "deployed").problem("is no version of the flow; add it to versions"))
            self._put(company, "flows", seed.name.strip(), at, seed)
        for at, key in _each(place, data, "api_keys"):
            self._put(company, "api_keys", key["name"].strip(), at, convert(key, ApiKeySeed, strict=False))
        for at, user in _each(place, data, "users"):
            self._put(company, "users", user["email"].lower(), at, convert(user, UserSeed, strict=False))

    def _put(self, owner: _Part, name: str, key: str, place: Place, value: object) -> _Part:
        known = owner.parts[name]
        if key in known:
            self._replace(known[key], place, value)
        return known.setdefault(key, _Part(value, place))

    def _replace(self, part: _Part, place: Place, value: object) -> None:
        """Replace a value. A document may replace that of an earlier one, and not have it twice."""
        if place.document is part.place.document:
            self._problems.append(place.problem(f"is the same as {part.place}; remove one of them or rename it"))
        part.value, part.place = value, place

    def _entity(self, place: Place, data: _Json) -> EntitySeed:
        sample, json_schema = data.get("sample"), data.get("json_schema")
        key = "sample_file"
        try:
            if key in data:
                sample = read_sample(place.document.folder, data[key])
            key = "json_schema"
            if json_schema is not None:
                check_json_schema(json_schema, sample)
        except ValueError as error:
            self._problems.append((place / key).problem(str(error)))
        return EntitySeed(data["type"], data["name"], sample, json_schema)

    def _service(self, place: Place, data: _Json) -> ServiceSeed:
        given = {option.name: data[option.name] for option in fields_of(ServiceOptions) if option.name in data}
        options = ServiceOptions()
        try:
            options = ServiceOptions(**given)
        except InvalidValueError as error:
            self._problems.append(_refused(place, error))
        return ServiceSeed(data["vanity_url"].lower(), data["entity"], data.get("active", True), options)

    # --- rules ---

    def _unknown_entities(self) -> Iterator[Problem]:
        for connector in _within(self._companies, "connectors"):
            entities = connector.parts["entities"]
            for service in _within([connector], "services"):
                if (entity := service.value.entity) not in entities:
                    unknown = f"{connector.value.name!r} has no entity {entity!r}"
                    yield (service.place / "entity").problem(f"{unknown}; {did_you_mean(entity, entities)}")

    def _taken_names(self) -> Iterator[Problem]:
        for company in self._companies:
            services = _within(_within([company], "connectors"), "services")
            yield from _taken("vanity_url", "in the company", [(each.value.vanity_url, each) for each in services])
        clients = _within(_within(self._companies, "connectors"), "oauth_clients")
        yield from _taken("client_id", "in the seed", [(client.value.client_id, client) for client in clients])
        flows = list(_within(self._companies, "flows"))
        yield from _taken("versions", "in the seed", [(each, flow) for flow in flows for each in flow.value.versions])
        yield from _taken("webhooks", "in the seed", [(hook.id, flow) for flow in flows for hook in flow.value.hooks])
        users = _within(self._companies, "users")
        yield from _taken("email", "in the seed", [(user.value.email.lower(), user) for user in users])
        yield from _taken("key", "in the seed", [(key.value.key, key) for key in _within(self._companies, "api_keys")])


def _within(owners: Iterable[_Part], name: str) -> Iterator[_Part]:
    """Yield the parts in a list of each owner."""
    for owner in owners:
        yield from owner.parts[name].values()


def _refused(place: Place, error: InvalidValueError) -> Problem:
    inside = error.field != "rule"  # that is the whole
    return place.problem_within(error.field, error.problem) if inside else place.problem(error.problem)


def _each(place: Place, data: _Json, key: str) -> Iterator[tuple[Place, _Json]]:
    for index, item in enumerate(data.get(key) or ()):
        yield place / key / index, item


def _fault(data: JsonValue, place: Place) -> FaultRule | PresetSeed:
    """Return the rule or the preset of an item of ``faults``; raise ``InvalidValueError`` with the field."""
    if not isinstance(data, Mapping) or "preset" not in data:
        return read_rule(data)
    for key in data:
        if key not in _PRESET_KEYS:
            raise UnknownNameError(key, data[key], "key beside preset", _PRESET_KEYS)
    name, match = data["preset"], data.get("match", {})
    if not isinstance(name, str) or not name:
        raise InvalidValueError("preset", name, "the name of a fault preset")
    read(Match, match, "match")
    assert isinstance(match, Mapping)
    return PresetSeed(name, match, place)


def _client(data: _Json) -> ClientSeed:
    client_id = data.get("client_id")
    return ClientSeed(data["name"], client_id.lower() if client_id else None, data.get("client_secret"))


def _taken(key: str, scope: str, items: Iterable[tuple[Any, _Part]]) -> Iterator[Problem]:
    places: dict[Any, Place] = {}
    for value, item in items:
        if value in places:
            shown = "the value" if key == "key" else repr(value)
            taken = f"{shown} is taken by {places[value]}; choose one that is unique {scope}"
            yield (item.place / key).problem(taken)
        elif value:  # none is given where the sandbox makes one
            places[value] = item.place
