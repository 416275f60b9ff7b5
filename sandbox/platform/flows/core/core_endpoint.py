"""An address of the Core API: its methods, each with the answer to it and its documentation (FLOWS 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, TypeVar

from sandbox.faults.fault import Act
from sandbox.foundation.answer import JSON, Answer
from sandbox.foundation.errors import ConflictError
from sandbox.foundation.refusals import InvalidPayloadError, MessageError, Violation
from sandbox.foundation.settings import Settings
from sandbox.journal.contract_rules import ALSO_WITH_SLASH
from sandbox.journal.endpoint_kind import CORE
from sandbox.journal.entry import Exchange
from sandbox.journal.sent_input import as_stored
from sandbox.platform.endpoints.endpoint import Operation
from sandbox.platform.endpoints.responses import EXAMPLE_URL, RATE, Responses
from sandbox.platform.flows.core.listing import MAX_PER_PAGE, Listing, Model, Wanted, item_of, page_of, read_query
from sandbox.platform.flows.core.world import Record, World
from sandbox.platform.flows.flow_endpoint import (
    MANAGED,
    NO_CALLER,
    Caller,
    ManagedEndpoint,
    Refusals,
    json_answer,
    operation,
    parameter,
)
from sandbox.platform.flows.model import User
from sandbox.platform.flows.schemas import EXAMPLE, EXAMPLES
from sandbox.platform.method_override import may_be_overridden, override_of
from sandbox.platform.platform import Platform

_T = TypeVar("_T")
_ID: Final = {"type": "string", "minLength": 1, "example": "1"}
_AFTER_RELATION: Final = r"(_count|Count|_exists|Exists|\.[A-Za-z_.]+)?"
_BYTES: Final = {
    "description": "The payload, byte for byte.",
    "content": {"*/*": {"schema": {}}},
    "headers": RATE,
}


class Call(NamedTuple):
    """A request to the Core API."""

    world: World
    """The caller's company."""
    thing: str
    """The kind of the record that the path names, and in ``key`` the text that names it."""
    key: str
    wanted: Wanted
    action: Action
    exchange: Exchange
    caller: Caller

    @property
    def user_id(self) -> int | None:
        """The id of the caller, where it is a user."""
        return self.caller.id if isinstance(self.caller, User) else None

    def found(self, record: _T | None) -> _T:
        """Return the record that the path names; raise ``MessageError`` where there is none."""
        if record is None:
            raise not_found(self.thing, self.key)
        return record

    def fields(self) -> dict[str, Any]:
        """Return the fields of the body that its schema names; raise ``InvalidPayloadError``.

        They are trimmed, with null for an empty text, as the framework reads them (FACTS 1.31).
        """
        request, schema = self.exchange.request, self.action.sends or {}
        read = as_stored("", request.header("Content-Type") or "", request.body)
        required: Sequence[str] = schema.get("required", ())
        given = {**dict.fromkeys(required), **(read if isinstance(read, dict) else {})}
        fields = {name: given[name] for name in schema["properties"] if name in given}
        violations = [_violation(name, value, schema["properties"][name]) for name, value in fields.items()]
        if any(violations):
            raise InvalidPayloadError("invalid_record", [*filter(None, violations)])
        return fields

    def item(self, record: Record, status: int = 200) -> Answer:
        """Return one record."""
        return json_answer({"data": item_of(self.world, record, self.action.listing.model, self.wanted)}, status)


def _violation(name: str, value: object, schema: Mapping[str, Any]) -> Violation | None:
    """Return the first way in which a field is not as in its schema, which is that of a text or of any value."""
    if "maxLength" not in schema or (value is None and "null" in schema["type"]):
        return None
    if value is None:
        return Violation(name, "required")
    if not isinstance(value, str):
        return Violation(name, "string")
    least, most = schema.get("minLength", 0), schema["maxLength"]
    if len(value) < least:
        return Violation(name, "min_length", str(least))
    return Violation(name, "max_length", str(most)) if len(value) > most else None


def not_found(thing: str, given: str) -> MessageError:
    """Return the refusal of an id that names nothing; the message is that of the documented description."""
    return MessageError(f"unknown_record: {thing} {given}", 404, f"{thing} not found")


@dataclass(frozen=True, slots=True)
class Action:
    """A method of an address; its operation has the name and the docstring of ``answer``."""

    answer: Callable[[Call], Answer | Record | list[Record] | None]
    """Returns the answer, or the record or records that it shows; ``None`` where it deleted one."""
    listing: Listing
    returns: Literal["one", "page", "deleted", "bytes"] = "one"
    statuses: tuple[int, ...] = (200,)
    sends: Mapping[str, Any] | None = None
    """The schema of its body."""
    also: tuple[str, ...] = ()
    """Names of parameters of the query beyond those of a list."""

    def documented(self, in_path: Sequence[Mapping[str, Any]], *, also_with_slash: bool) -> Operation:
        """Return its operation as OpenAPI has it."""
        first, *others = self.answer.__name__.split("_")
        slash = " The path may end with a slash." if also_with_slash else ""
        documented = operation(
            self.answer.__doc__ or "",
            first + "".join(map(str.capitalize, others)),
            f"Takes an API key as it is in `Authorization`, or the token of a login after `Bearer`.{slash}",
            parameters=[*in_path, *self._queries()],
            body=self.sends and {JSON: {"schema": self.sends}},
            security=MANAGED,
        )
        return {**documented, ALSO_WITH_SLASH: True} if also_with_slash else documented

    def _queries(self) -> list[Operation]:
        listing, model, queries = self.listing, self.listing.model, []
        if self.returns == "page":
            size = {"type": "integer", "minimum": 1, "maximum": MAX_PER_PAGE}
            names, sort = ", ".join(listing.sorts), _texts_of("-?", listing.sorts)
            queries = [
                _query("page", "Number of the page, from 1.", {"type": "integer", "minimum": 1}),
                _query("per_page", f"Items of a page, 1 to {MAX_PER_PAGE}.", size),
                *(_query(f"filter[{name}]", "Values separated by commas: any of them.") for name in listing.filters),
                _query("sort", f"Fields separated by commas, with a minus descending: {names}.", sort),
            ]
        if model.relations:
            names, include = ", ".join(model.relations), _texts_of("", model.relations, _AFTER_RELATION)
            queries.append(_query("include", f"Relations separated by commas: {names}.", include))
        fields = "Fields separated by commas: no others are shown."
        queries += [_query(f"fields[{name}]", fields) for name in model.names]
        return queries + [_query(name, "Read, and without effect here.") for name in self.also]

    def response(self, thing: str, settings: Settings) -> Mapping[str, Any]:
        """Return the response, with an example made by the code that answers."""
        name = self.listing.model.schema
        listing = Listing(Model(self.listing.model.name))
        wanted = read_query("", listing, settings)
        example: Record = {"data": item_of(EXAMPLE, EXAMPLES[name], listing.model, wanted)}
        schema = f"One{name}"
        match self.returns:
            case "bytes":
                return _BYTES
            case "deleted":
                schema, example = "Message", _deleted(thing)
            case "page":
                url = f"{EXAMPLE_URL}/api/v1/flows"
                schema, example = f"{name}Page", page_of(EXAMPLE, [EXAMPLES[name]], listing, wanted, url)
        return Responses(settings).json("The answer.", schema, {"answer": json_answer(example)})


def answers(listing: Listing, **more: Any) -> Callable[[Callable[[Call], Any]], Action]:
    """Make an action of the function that answers; ``listing`` has its model, the others are fields of ``Action``."""
    return lambda answer: Action(answer, listing, **more)


page: Final = partial(answers, returns="page")
"""Makes an action that answers with a page of records."""


class CoreEndpoint(ManagedEndpoint):
    """An address of the Core API. ``thing`` is the kind of the record that its path names."""

    kind = CORE
    description = "Core API"

    def __init__(self, path: str, thing: str = "", *, also_with_slash: bool = False, **actions: Action) -> None:
        self.path = f"/api/v1{path}"
        self._thing = thing
        self._actions = actions
        in_path = [parameter(name, "path", "Id of a record.", _ID) for name in re.findall(r"\{(\w+)\}", path)]
        self.operations = {
            method: action.documented(in_path, also_with_slash=also_with_slash) for method, action in actions.items()
        }
        super().__init__()

    def handle(self, exchange: Exchange, platform: Platform, admitted: Caller, act: Act | None) -> Answer:
        """Answer a request by the action of its method."""
        request = exchange.request
        method: object = "GET" if request.method == "HEAD" else request.method
        if method == "POST" and may_be_overridden(request):
            method, _ = override_of(request, platform.wire) or (method, None)
        action = self._actions[str(method)]
        wanted = read_query(request.query, action.listing, platform.settings)
        world, key = World(platform, admitted.company), next(iter(self.values(exchange, platform).values()), "")
        call = Call(world, self._thing, key, wanted, action, exchange, admitted)
        try:
            answer = action.answer(call)
        except ConflictError as error:
            violation = Violation("data", "schema", str(error))
            raise InvalidPayloadError("too_many_records", [violation]) from None
        if isinstance(answer, list):
            url = request.base_url + (request.raw_path or request.path).rstrip("/")
            return json_answer(page_of(world, answer, action.listing, wanted, url))
        if answer is None:
            return json_answer(_deleted(self._thing))
        return answer if isinstance(answer, Answer) else call.item(answer, action.statuses[0])

    def responses(self, method: str, settings: Settings) -> Mapping[str, Any]:
        """Return the responses; the refusals are those of ``admit`` and ``handle``."""
        action, thing = self._actions[method], self._thing
        unknown = MessageError("unknown_query_part", 400, "Requested filter(s) `colour` are not allowed.")
        wrong = InvalidPayloadError("invalid_query", [Violation("page", "min", "1")])
        refusals: list[Refusals] = [
            (
                "The list does not have a filter, an include or a sort of the query (setting core_unknown_query).",
                [unknown],
            ),
            NO_CALLER,
            ("A value of the query or of the body is not allowed.", [wrong]),
        ]
        if thing:
            refusals.append((f"The company has no such {thing.lower()}.", [not_found(thing, "9")]))
        done = action.response(thing, settings)
        return self.refused(settings, *refusals) | {str(status): done for status in action.statuses}


def _deleted(thing: str) -> dict[str, str]:
    return {"message": f"{thing} deleted successfully."}


def _texts_of(before: str, names: Iterable[str], after: str = "") -> Mapping[str, Any]:
    """Return the schema of texts separated by commas: one of the names, with what may come before and after it."""
    one = rf"\s*{before}({'|'.join(names)}){after}\s*"
    return {"type": "string", "pattern": f"^{one}(,{one})*$"}


def _query(name: str, description: str, schema: Mapping[str, Any] = MappingProxyType({"type": "string"})) -> Operation:
    return parameter(name, "query", description, schema)
