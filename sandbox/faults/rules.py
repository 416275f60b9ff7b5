"""A rule: which requests it is for, what happens to them, and when."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from sandbox.faults.fault import COMPONENTS, PROCESSING, STAGES, Fault, stage_of
from sandbox.faults.sequence import KINDS, read_fault, steps_of
from sandbox.foundation import value_types as types
from sandbox.foundation.errors import InvalidValueError, UnknownNameError
from sandbox.foundation.fields import Described, field, fields_of, object_schema, read
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.strict_json import write_json

MAX_COUNT: Final = 1_000_000_000
ANY: Final = "any"
"""The endpoint of a rule that looks at every request, also one to an unknown path."""

SUBJECT: Final = tuple(dict.fromkeys(name for stage in STAGES for name in stage.subject))
"""The values in the paths of endpoints, and of items; a match compares those that it has a field for."""


def foreign_conditions(endpoint: str) -> list[str]:
    """Return the conditions that no request to an endpoint can meet."""
    stage = stage_of(endpoint)
    return [] if stage is None else [name for name in SUBJECT if name not in stage.subject]


@dataclass(frozen=True, slots=True)
class Match(Described):
    """Which requests a rule is for: every condition given must hold."""

    endpoint: str = field(
        types.choice(ANY, *(stage.name for stage in STAGES)),
        "Token endpoint, inbound URLs, an endpoint of process flows, or any request to the emulated API, also one to "
        "an unknown path or with a body beyond the limit; `processing` is for the items of accepted payloads and the "
        "runs of flows.",
        ANY,
    )
    company: str | None = field(types.text(255, 1), "Slug of the company in the URL.", None)
    vanity_url: str | None = field(types.text(255, 1), "Vanity URL of the service, as it is in the URL.", None)
    flow: str | None = field(types.text(255, 1), "Name of the process flow.", None)
    reference: str | None = field(
        types.text(255, 1), "Reference of the item, as in the sync report; only for `processing`.", None
    )
    client_id: str | None = field(
        types.text(255, 1), "The OAuth client that authenticated, or whose token it is.", None
    )
    method: str | None = field(types.http_method(), "HTTP method.", None)
    headers: Mapping[str, str | None] = field(
        types.headers(may_be_null=True), "Headers with their exact values; null: it is there, with any value.", {}
    )
    json_path: str | Mapping[str, JsonValue] | None = field(
        types.json_path(),
        "An RFC 9535 JSONPath that must select something in a JSON body, or an object of paths and values: each path "
        'must select its value, as in `{"$.order": "1001"}`.',
        None,
    )

    def check(self) -> None:
        """Refuse conditions that no request to the endpoint can meet."""
        for name in foreign_conditions(self.endpoint):
            if (value := getattr(self, name, None)) is not None:
                raise InvalidValueError(name, value, f"it with an endpoint that has one: this is {self.endpoint}")


def _part(cls: type[Described], read: Callable[[object], Described], allowed: str, component: str) -> types.ValueType:
    return types.ValueType(
        allowed,
        {"$ref": COMPONENTS + component},
        keep=lambda value: value if isinstance(value, cls) else read(value),
        dump=lambda part: part.document(),
    )


_FAULT: Final = _part(Fault, read_fault, f'a fault: an object with a "kind", one of {", ".join(KINDS)}', "Fault")
_MATCH: Final = _part(Match, partial(read, Match, where="match"), "an object with conditions", "FaultMatch")


@dataclass(frozen=True, slots=True)
class FaultRule(Described):
    """A fault, the requests that it acts on, and its times. The first rule of the book that acts is the only one."""

    fault: Fault = field(_FAULT, "What happens.")
    match: Match = field(_MATCH, "Which requests it is for; all when left out.", Match())
    name: str | None = field(types.printable(200, 1), "What the journal calls it; its id when left out.", None)
    after: int = field(types.integer(0, MAX_COUNT), "Let so many matching requests pass first.", 0)
    times: int | None = field(types.integer(1, MAX_COUNT), "Act so many times, then be used up.", None)
    every: int = field(types.integer(1, MAX_COUNT), "Act on every Nth request: 3 is the third, sixth …", 1)
    probability: float = field(
        types.number(0, 1), "Chance to act, drawn from the sandbox's generator (setting `random_seed`).", 1.0
    )
    since: datetime | None = field(types.instant(), "Act from this moment of the sandbox clock on.", None)
    until: datetime | None = field(types.instant(), "Act before this moment of the sandbox clock only.", None)
    lasts: float | None = field(
        types.seconds(366 * 86_400.0, 0.001),
        "Act for so long on the sandbox clock, from `since` or else from when the rule is added.",
        None,
    )
    accept: bool = field(
        types.boolean(),
        "Do what the request asks for first: the payload is stored, and then its answer is lost. This is how a "
        "client's retry makes a duplicate.",
        False,
    )

    def check(self) -> None:
        """Refuse a window with two ends or none between them, and a fault that cannot happen at the endpoint.

        A fault of the stage ``processing`` puts its rule there.
        """
        if self.until is not None and self.lasts is not None:
            raise InvalidValueError("lasts", self.lasts, "either lasts or until, not both")
        if self.until is not None and self.since is not None and self.until <= self.since:
            raise InvalidValueError("until", self.until.isoformat(), f"an instant after since, {self.since}")
        faults = [fault for fault in steps_of(self.fault) if fault is not None]
        if self.match.endpoint == ANY and any(fault.processes for fault in faults):
            object.__setattr__(self, "match", replace(self.match, endpoint=PROCESSING.name))
        endpoint = stage_of(self.match.endpoint)
        for fault in faults if endpoint is not None else ():
            if not fault.happens_at(endpoint):
                where = " or ".join(stage.name for stage in STAGES if fault.happens_at(stage))
                raise InvalidValueError("match.endpoint", self.match.endpoint, f"{where}, for a fault {fault.kind}")
        if self.match.endpoint == ANY and self.match.reference is not None:
            raise InvalidValueError(
                "match.reference", self.match.reference, "it with endpoint processing: no request has a reference"
            )
        if self.processes and self.accept:
            raise InvalidValueError("accept", True, "false for processing: its payloads are accepted")

    @property
    def processes(self) -> bool:
        """Whether it acts on items in processing, and on no request."""
        return self.match.endpoint == PROCESSING.name


def read_rule(document: object) -> FaultRule:
    """Return the rule of a document; raise ``InvalidValueError`` naming the field and what is allowed."""
    try:
        return read(FaultRule, document, "rule")
    except InvalidValueError as error:
        # The rule is the document: an error names a field of it without a path.
        raise error.at(error.field.removeprefix("rule.")) from None


def make_rule(fault: Fault | Mapping[str, Any], **fields: object) -> FaultRule:
    """Return a rule of a fault and of fields of the rule and its match, side by side.

    ``make_rule(status(503), endpoint="inbound", vanity_url="orders", times=2)``
    """
    if isinstance(fault, str):
        hint = f"{fault}(…), called" if fault in KINDS else f"with a preset's name call faults.preset({fault!r})"
        raise InvalidValueError("fault", fault, f"a fault such as status(503); {hint}")
    if callable(fault):
        name = getattr(fault, "kind", None) or getattr(fault, "__name__", "it")
        raise InvalidValueError("fault", fault, f"a fault such as status(503); call {name}(…)")
    match_names = [known.name for known in fields_of(Match)]
    rule_names = [known.name for known in fields_of(FaultRule) if known.name not in ("fault", "match")]
    known = rule_names + match_names
    for name, value in fields.items():
        if name not in (*known, "match"):
            raise UnknownNameError(name, value, "field of a rule or its match", known)
    match = {name: value for name, value in fields.items() if name in match_names}
    rest = {name: value for name, value in fields.items() if name not in match_names}
    if match:
        rest["match"] = match
    return read_rule({"fault": fault, **rest})


# --- as JSON Schema, for the OpenAPI document of the control API and for seeds ----------------------------------------


def component_name(kind: str) -> str:
    """Return the name of a kind's schema: ``ConnectionResetFault``."""
    return "".join(word.capitalize() for word in kind.split("_")) + "Fault"


def schemas(at: str = COMPONENTS) -> dict[str, dict[str, Any]]:
    """Return every schema by its name; ``at`` is the place in a document where they refer to each other."""
    kinds = {
        component_name(kind): object_schema(cls, inspect.cleandoc(cls.__doc__ or ""), kind=kind)
        for kind, cls in KINDS.items()
    }
    references = {kind: COMPONENTS + component_name(kind) for kind in KINDS}
    named = {
        **kinds,
        "Fault": {
            "description": "What happens: one of the kinds.",
            "oneOf": [{"$ref": reference} for reference in references.values()],
            "discriminator": {"propertyName": "kind", "mapping": references},
        },
        "FaultMatch": object_schema(Match, "Which requests a rule is for: every condition given must hold."),
        "FaultRule": object_schema(FaultRule, "What happens to which requests, and when."),
    }
    placed: dict[str, dict[str, Any]] = json.loads(write_json(named).replace(f'"{COMPONENTS}', f'"{at}'))
    return placed
