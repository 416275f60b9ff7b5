"""The parts of a seed as frozen values. The sandbox generates each value that is ``None``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import to_builtins

from sandbox.faults.rules import FaultRule
from sandbox.foundation.errors import SettingError, Withheld
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.yaml_document import Place
from sandbox.platform.model import Environment, ServiceOptions

if TYPE_CHECKING:
    from sandbox.platform.flows.model import ApiKeySeed, FlowSeed, UserSeed

_T = TypeVar("_T")

_VERBATIM: Final = ("sample", "json_schema", "body", "returns")
"""Keys whose values are JSON of the user."""


@dataclass(frozen=True, slots=True)
class EntitySeed:
    """A data structure that a connector expects (FACTS 1.3).

    With neither ``sample`` nor ``json_schema`` it is free-form; ``json_schema`` replaces the one inferred
    from the sample.
    """

    type: str
    name: str
    sample: JsonValue = None
    json_schema: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class ClientSeed:
    """A set of OAuth credentials (FACTS 1.5); the secret stays out of ``repr``."""

    name: str
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ServiceSeed:
    """An inbound URL, lower case, the entity that its payloads must match (FACTS 1.12, 1.13), and their processing."""

    vanity_url: str
    entity: str
    active: bool = True
    options: ServiceOptions = field(default_factory=ServiceOptions)


@dataclass(frozen=True, slots=True)
class ConnectorSeed:
    """An Inbound API connector with all that belongs to it (FACTS 1.1, 1.2)."""

    name: str
    environment: Environment = "test"
    entities: tuple[EntitySeed, ...] = ()
    oauth_clients: tuple[ClientSeed, ...] = ()
    services: tuple[ServiceSeed, ...] = ()


@dataclass(frozen=True, slots=True)
class CompanySeed:
    """A Patchworks customer; without a ``slug`` it gets one made from its name (FACTS 1.13)."""

    name: str
    slug: str | None = None
    connectors: tuple[ConnectorSeed, ...] = ()
    flows: tuple[FlowSeed, ...] = ()
    api_keys: tuple[ApiKeySeed, ...] = ()
    users: tuple[UserSeed, ...] = ()


@dataclass(frozen=True, slots=True)
class PresetSeed:
    """A fault preset by its name, for those requests that meet the conditions of ``match`` too.

    Which presets there are depends on the settings, so it is looked up when the sandbox is made; ``place`` is where to
    complain.
    """

    name: str
    match: Mapping[str, JsonValue] = field(default_factory=dict)
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Seed:
    """Everything a sandbox starts with; ``settings`` are passed on unchecked.

    ``faults`` are tried in their order.
    """

    companies: tuple[CompanySeed, ...] = ()
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    setting_places: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """The place of each setting: ``seed.yaml:3``."""
    faults: tuple[FaultRule | PresetSeed, ...] = ()

    @property
    def first_client(self) -> ClientSeed | None:
        """The first OAuth client, if there is one."""
        return next((client for _, _, client in self._clients()), None)

    def with_credentials(self, client_id: str | None, client_secret: str | None) -> Seed:
        """Return the seed with another id and secret of its first OAuth client; ``None`` leaves one as it is.

        Raise ``SettingError`` where the seed has no client, or another client has the id.
        """
        if client_id is None and client_secret is None:
            return self
        name, value = ("client_id", client_id) if client_id is not None else ("client_secret", Withheld())
        clients = [client for _, _, client in self._clients()]
        if not clients:
            raise SettingError(name, value, "none where the seed has no OAuth client; add one to the seed")
        if client_id is not None and client_id in [client.client_id for client in clients[1:]]:
            raise SettingError("client_id", client_id, "an id that no other OAuth client of the seed has")
        company, connector, client = next(self._clients())
        changed = replace(
            client, client_id=client_id or client.client_id, client_secret=client_secret or client.client_secret
        )
        connected = replace(connector, oauth_clients=_exchanged(connector.oauth_clients, client, changed))
        owned = replace(company, connectors=_exchanged(company.connectors, connector, connected))
        return replace(self, companies=_exchanged(self.companies, company, owned))

    def data(self) -> dict[str, Any]:
        """Return the seed as the data that ``parse_seed`` reads."""
        return {
            "companies": _without_none(to_builtins(self.companies)),
            "settings": dict(self.settings),
            "faults": [
                {"preset": item.name, "match": dict(item.match)} if isinstance(item, PresetSeed) else item.document()
                for item in self.faults
            ],
        }

    def _clients(self) -> Iterator[tuple[CompanySeed, ConnectorSeed, ClientSeed]]:
        for company in self.companies:
            for connector in company.connectors:
                for client in connector.oauth_clients:
                    yield company, connector, client


def _exchanged(values: tuple[_T, ...], old: _T, new: _T) -> tuple[_T, ...]:
    return tuple(new if value is old else value for value in values)


def _without_none(value: Any) -> Any:
    """Return data without the keys that stand for what the sandbox generates; a sample keeps its own."""
    if isinstance(value, (list, tuple)):
        return [_without_none(part) for part in value]
    if not isinstance(value, dict):
        return value
    value |= value.pop("options", {})  # those of a service are keys beside the rest
    return {key: part if key in _VERBATIM else _without_none(part) for key, part in value.items() if part is not None}
