"""An address of the Core API: its methods, each with the answer to it and its documentation (FLOWS 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from sandbox.faults.fault import Act
from sandbox.foundation.answer import JSON, Answer
from sandbox.foundation.errors import ConflictError
from sandbox.foundation.refusals import InvalidPayloadError, MessageError, Violation
from sandbox.foundation.settings import Settings
from sandbox.journal.contract_rules import ALSO_WITH_SLASH
from sandbox.journal.endpoint import CORE
from sandbox.journal.entry import Exchange
from sandbox.journal.sent_input import as_stored
from sandbox.platform.endpoints.endpoint import Operation
from sandbox.platform.endpoints.responses import EXAMPLE_URL, RATE, Responses
from sandbox.platform.flows.core.listing import (
    MAX_PER_PAGE,
    Listing,
    Model,
    Wanted,
    item_of,
    page_of,
    read_query,
    shaped,
)
from sandbox.platform.flows.core.schemas import SAMPLES
from sandbox.platform.flows.core.world import Record, World
from sandbox.platform.flows.endpoint import Caller, ManagedEndpoint, json_answer, parameter, unauthenticated
from sandbox.platform.flows.model import User
from sandbox.platform.method_override import may_be_overridden, override_of
from sandbox.platform.platform import Platform

PAGE: Final = "{model}Page"
MESSAGE: Final = "Message"
"""The value that an ``Action`` may return in place of one record."""

_ID: Final = {"type": "string", "minLength": 1, "example": "1"}
_AFTER_RELATION: Final = r"(_count|Count|_exists|Exists|\.[A-Za-z_.]+)?"
_SECURITY: Final[tuple[Mapping[str, Any], ...]] = ({"apiKey": []}, {"loginToken": []})
_BYTES: Final = {
    "description": "The payload, byte for byte.",
    "content": {"*/*": {"schema": {}}},
    "headers": RATE,
}


class Call(NamedTuple):
    """A request to the Core API: the caller's company, the values in the path, the query, the fields of the body."""

    world: World
    values: Mapping[str, str]
    wanted: Wanted
    listing: Listing
    exchange: Exchange
    caller: Caller

    @property
    def user_id(self) -> int | None:
        """The id of the caller, where it is a user."""
        return self.caller.id if isinstance(self.caller, User) else None

    @property
    def fields(self) -> Mapping[str, Any]:
        """The fields of the body: trimmed, with null for an empty text, as the framework reads them (FACTS 1.31)."""
        request = self.exchange.request
        read = as_stored("", request.header("Content-Type") or "", request.body)
        return read if isinstance(read, dict) else {}

    def page(self, records: Sequence[Record]) -> Answer:
        """Return the page of the records that was asked for."""
        request = self.exchange.request
        url = request.base_url + (request.raw_path or request.path).rstrip("/")
        return json_answer(page_of(self.world, records, self.listing, self.wanted, url))

    def item(self, record: Record, status: int = 200) -> Answer:
        """Return one record."""
        return json_answer({"data": item_of(self.world, record, self.listing.model, self.wanted)}, status)


def not_found(thing: str, given: str) -> MessageError:
    """Return the refusal of an id that names nothing; the message is that of the documented description."""
    return MessageError(f"unknown_record: {thing} {given}", 404, f"{thing} not found")


@dataclass(frozen=True, slots=True)
class Action:
    """A method of an address. ``sends`` describes its body; ``thing`` is what its path may fail to name."""

    operation_id: str
    summary: str
    answer: Callable[[Call], Answer | Record | list[Record]]
    """Returns the answer, or the record or records that it shows."""
    listing: Listing
    thing: str | None = None
    returns: str = "One{model}"
    """Name of the schema of the answer; none of an answer with any bytes."""
    statuses: tuple[str, ...] = ("200",)
    sends: Mapping[str, Any] | None = None
    also: tuple[str, ...] = ()
    """Names of parameters of the query beyond those of a list."""
    also_with_slash: bool = False
    """Whether the path may end with a slash, as the vendor's own client writes it (FLOWS 8)."""

    @property
    def schema(self) -> str:
        """The name of the schema of the answer."""
        return self.returns.format(model=self.listing.model.schema)

    @property
    def is_list(self) -> bool:
        """Whether it answers with a page."""
        return self.returns == PAGE


page: Final = partial(Action, returns=PAGE)
"""Makes the action that answers with a page of records."""


class CoreEndpoint(ManagedEndpoint):
    """An address of the Core API."""

    kind = CORE
    description = "Core API"

    def __init__(self, path: str, **actions: Action) -> None:
        self.path = f"/api/v1{path}"
        self._actions = actions
        in_path = [parameter(name, "path", "Id of a record.", _ID) for name in re.findall(r"\{(\w+)\}", path)]
        self.operations = {method: _operation(action, in_path) for method, action in actions.items()}
        super().__init__()

    def subject_of(self, path: str, settings: Settings) -> Mapping[str, str] | None:
        """Return no values; ``admit`` notes the company."""
        return None if super().subject_of(path, settings) is None else {}

    def handle(self, exchange: Exchange, platform: Platform, admitted: Caller, act: Act | None) -> Answer:
        """Answer a request by the action of its method."""
        request = exchange.request
        method: object = "GET" if request.method == "HEAD" else request.method
        if method == "POST" and may_be_overridden(request):
            method, _ = override_of(request, platform.wire) or (method, None)
        action = self._actions[str(method)]
        wanted = read_query(request.query, action.listing, platform.settings)
        world, values = World(platform, admitted.company), self.values(exchange, platform)
        call = Call(world, values, wanted, action.listing, exchange, admitted)
        try:
            answer = action.answer(call)
        except ConflictError as error:
            violation = Violation("data", "schema", str(error))
            raise InvalidPayloadError("too_many_records", [violation]) from None
        if isinstance(answer, Answer):
            return answer
        return call.page(answer) if isinstance(answer, list) else call.item(answer, int(action.statuses[0]))

    def responses(self, settings: Settings) -> Mapping[str, Any]:
        """Return the responses of its operations together."""
        responses: dict[str, Any] = {}
        for action in self._actions.values():
            responses |= self._responses_of(action, settings)
        return responses

    def responses_of(self, method: str, settings: Settings) -> Mapping[str, Any]:
        """Return the responses of one of its operations."""
        return self._responses_of(self._actions[method], settings)

    def _responses_of(self, action: Action, settings: Settings) -> Mapping[str, Any]:
        describe, path = Responses(settings), re.sub(r"\{\w+\}", "9", self.path)
        done: Mapping[str, Any] = _BYTES
        if action.returns:
            example = json_answer(_sample(action, settings))
            done = describe.json("The answer.", action.schema, {"answer": example})
        refusals = {
            "400": describe.refusals(
                "The list does not have a filter, an include or a sort of the query (setting core_unknown_query).",
                "Message",
                MessageError("unknown_query_part", 400, "Requested filter(s) `colour` are not allowed."),
                path=path,
            ),
            "401": unauthenticated(describe, path),
            "422": describe.refusals(
                "A value of the query or of the body is not allowed.",
                "InvalidPayload",
                InvalidPayloadError("invalid_query", [Violation("page", "min", "1")]),
                path=path,
            ),
        }
        if action.thing is not None:
            refusals["404"] = describe.refusals(
                f"The company has no such {action.thing.lower()}.", "Message", not_found(action.thing, "9"), path=path
            )
        return describe.shared() | refusals | dict.fromkeys(action.statuses, done)


def _operation(action: Action, in_path: Sequence[Mapping[str, Any]]) -> Operation:
    """Return an operation as OpenAPI has it."""
    listing, model = action.listing, action.listing.model
    queries = (
        [_query("page", "Number of the page, from 1.", {"type": "integer", "minimum": 1})] if action.is_list else []
    )
    if action.is_list:
        size = {"type": "integer", "minimum": 1, "maximum": MAX_PER_PAGE}
        queries.append(_query("per_page", f"Items of a page, 1 to {MAX_PER_PAGE}.", size))
        queries += [_query(f"filter[{name}]", "Values separated by commas: any of them.") for name in listing.filters]
        names, sort = ", ".join(listing.sorts), _texts_of("-?", listing.sorts)
        queries.append(_query("sort", f"Fields separated by commas, with a minus descending: {names}.", sort))
    if model.relations:
        names, include = ", ".join(model.relations), _texts_of("", model.relations, _AFTER_RELATION)
        queries.append(_query("include", f"Relations separated by commas: {names}.", include))
    queries += [_query(f"fields[{name}]", "Fields separated by commas: no others are shown.") for name in model.names]
    queries += [_query(name, "Read, and without effect here.") for name in action.also]
    slash = " The path may end with a slash." if action.also_with_slash else ""
    operation: dict[str, Any] = {
        "summary": action.summary,
        "description": f"Takes an API key as it is in `Authorization`, or the token of a login after `Bearer`.{slash}",
        "operationId": action.operation_id,
        "parameters": [*in_path, *queries],
        "security": list(_SECURITY),
    }
    if slash:
        operation[ALSO_WITH_SLASH] = True
    if action.sends is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": action.sends}}}
    return operation


def _texts_of(before: str, names: Iterable[str], after: str = "") -> Mapping[str, Any]:
    """Return the schema of texts separated by commas: one of the names, with what may come before and after it."""
    one = rf"\s*{before}({'|'.join(names)}){after}\s*"
    return {"type": "string", "pattern": f"^{one}(,{one})*$"}


def _query(name: str, description: str, schema: Mapping[str, Any] = MappingProxyType({"type": "string"})) -> Operation:
    return parameter(name, "query", description, schema)


def _sample(action: Action, settings: Settings) -> object:
    """Return the JSON of an example of an answer, made by the code that answers."""
    if action.returns == MESSAGE:
        return {"message": f"{action.thing} deleted successfully."}
    record = dict(SAMPLES[action.listing.model.schema])
    if not action.is_list:
        return {"data": shaped(record, settings.core_items)}
    listing = Listing(Model(action.listing.model.name))
    return page_of(None, [record], listing, read_query("", listing, settings), f"{EXAMPLE_URL}/api/v1/flows")
