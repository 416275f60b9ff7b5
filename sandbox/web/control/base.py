"""The parts of every control view: its sandbox, strict reading, schemas and documented problems.

The document and the reading come from flask-smorest and marshmallow. A body that the core checks (a fault rule,
settings, a state) has its JSON Schema from there: see ``Blueprint.json_body`` and ``Component``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from functools import cache, partial
from typing import Any, ClassVar, Final, TypeVar, cast

from flask import Request, request
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema
from webargs.flaskparser import FlaskParser

from sandbox.foundation.errors import did_you_mean
from sandbox.foundation.instants import format_instant
from sandbox.foundation.strict_json import parse_json
from sandbox.foundation.value_types import UNPRINTABLE
from sandbox.platform.oauth_clients import NewOAuthClient
from sandbox.state.sandbox import Sandbox
from sandbox.web.control.problems import CONTENT_TYPE, ProblemSchema, SharedSchema
from sandbox.web.environ import SANDBOX

MAX_DEPTH: Final = 100
"""Nesting levels of a body, as in seeds: schemas and rules made of a body are walked by recursion."""

READS: Final = "reads"
"""Attribute of a view: where it reads arguments from, ``json`` or ``query``."""

_View = TypeVar("_View", bound=Callable[..., Any])


def current_sandbox() -> Sandbox:
    """Return the sandbox whose control API serves this request."""
    return cast(Sandbox, request.environ[SANDBOX])


def base_url() -> str:
    """Return the setting ``public_url``, or the base URL of this request."""
    return current_sandbox().settings.public_url or request.host_url.rstrip("/")


def token_endpoint() -> str:
    """Return the URL of the token endpoint."""
    return base_url() + current_sandbox().settings.token_path


def presented_client(new: NewOAuthClient, *, secret: bool) -> dict[str, Any]:
    """Return a client as the answers show it that may have its ``secret``."""
    shown = {**asdict(new.client), "client_id": new.client.id, "token_endpoint": token_endpoint()}
    return {**shown, "client_secret": new.secret if secret else None}


def read_json() -> Any:
    """Return the body as JSON, an empty object where there is none; raise ``NotJsonError``."""
    body = request.get_data()
    return parse_json(body, MAX_DEPTH, unique=True) if body else {}


def read_json_object() -> dict[str, Any]:
    """Return the body, which must be a JSON object; raise ``NotJsonError`` or ``ValidationError``."""
    body = read_json()
    if not isinstance(body, dict):
        raise ValidationError("allowed: a JSON object", data=body)
    return body


class _StrictParser(FlaskParser):
    """Reads JSON as strictly as the emulated API does, and leaves unknown query parameters to the schema."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {}  # noqa: RUF012 - declared so by the base class

    def load_json(self, req: Request, schema: Schema) -> Any:
        return read_json()


class Blueprint(SmorestBlueprint):
    """A part of the control API.

    Each view notes where it reads arguments from; ``strictness`` refuses a query or a body that no view reads. The
    document lists the problems that follow from that.
    """

    ARGUMENTS_PARSER = _StrictParser()

    def arguments(self, schema: Any, *, location: str = "json", **options: Any) -> Callable[[_View], _View]:
        """Let a view read arguments, and document with which problems it refuses them."""
        decorate = super().arguments(schema, location=location, **options)
        return lambda view: self._reading(location, decorate(view))

    def json_body(self, component: str) -> Callable[[_View], _View]:
        """Document a JSON body that a view reads by itself; ``component`` is the name of its JSON Schema."""
        decorate = self.doc(requestBody={"required": True, "content": {"application/json": {"schema": component}}})
        return lambda view: self._reading("json", decorate(view))

    def problem(
        self, status: int, description: str, schema: type[ProblemSchema] = ProblemSchema
    ) -> Callable[[_View], _View]:
        """Document problem details with which a view may answer."""
        documented: Callable[[_View], _View] = self.alt_response(
            status, schema=_instance(schema), description=description, content_type=CONTENT_TYPE
        )
        return documented

    def register_views_in_doc(self, api: Any, app: Any, spec: Any, **options: Any) -> None:
        """Document the views once the document is asked for: it takes half of the time of the first request."""
        api.undocumented.append(partial(super().register_views_in_doc, api, app, spec, **options))

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: Callable[..., Any] | None = None, **options: Any
    ) -> None:
        """Add a route, and document that its view refuses arguments that it does not read, and unknown ids.

        A view that documents 404 by itself looks for other things as well.
        """
        if view_func is not None and not hasattr(view_func, READS):
            view_func = self.problem(422, "It takes neither a query nor a body.")(view_func)
        parameters = re.findall(r"<(?:\w+:)?(\w+)>", rule)
        documented = getattr(view_func, "_apidoc", {}).get("response", {}).get("responses", {})
        if view_func is not None and parameters and 404 not in documented:
            view_func = self.problem(404, _missing(parameters))(view_func)
        super().add_url_rule(rule, endpoint, view_func, **options)

    def _reading(self, location: str, view: Any) -> Any:
        for status, description in _PROBLEMS_OF_READING[location].items():
            view = self.problem(status, description)(view)
        setattr(view, READS, getattr(view, READS, frozenset()) | {location})
        return view


def _missing(parameters: list[str]) -> str:
    """Return the description of 404 for a path with parameters."""
    things = [_THINGS.get(name, name.removesuffix("_id")) for name in parameters]
    named = (", " if " or " in things[-1] else " or ").join(things)
    gone = ", or it was dropped or belongs to a time before the last reset" if _PASSING & {*parameters} else ""
    return f"There is no such {named}{gone}."


_PASSING: Final = frozenset({"entry_id", "item_id", "run_id"})
_THINGS: Final = {
    "client_id": "OAuth client",
    "fault_id": "fault rule",
    "hook_id": "webhook or callback",
    "item_id": "row",
    "key_id": "API key",
    "preset_name": "preset",
}
"""What a parameter of a path names, where its own name does not say it."""


@cache
def _instance(schema: type[ProblemSchema]) -> ProblemSchema:
    return schema()


_PROBLEMS_OF_READING: Final[Mapping[str, Mapping[int, str]]] = {
    "query": {422: "A parameter is unknown or holds a value that is not allowed."},
    "json": {
        400: "The body is not JSON.",
        413: "The body is larger than the control API takes.",
        415: "The body is not sent as JSON.",
        422: "A field is missing, unknown or holds a value that is not allowed.",
    },
}


class Flag(fields.Boolean):
    """``true`` or ``false`` of JSON. Unlike its base it takes no text and no number for one of them."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Number(fields.Float):
    """A finite number of JSON. Unlike its base it takes no text."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Instant(fields.Field[datetime]):
    """An instant in an answer: ISO 8601 in UTC with ``Z``, of a datetime or of Unix seconds."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        instant = value if isinstance(value, datetime) else datetime.fromtimestamp(value, timezone.utc)
        return format_instant(instant)


class Component(fields.Field[Any]):
    """A JSON object whose JSON Schema comes from the core; ``name`` is its name in the document."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(**options)
        self.component = name

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise self.make_error("invalid", input=value)
        return value


def says(description: str, /, **more: object) -> dict[str, Any]:
    """Return the options of a field with a description, and with other keywords of its JSON Schema."""
    return {"metadata": {"description": description, **more}}


def one_of(*values: str) -> validate.OneOf:
    """Allow these values; the message about another one lists them."""
    return validate.OneOf(values, error="allowed: {choices}")


def between(low: int, high: int) -> validate.Range:
    """Allow the numbers from ``low`` to ``high``; the message about another one gives both."""
    return validate.Range(low, high, error="allowed: {min} to {max}")


class StrictSchema(SharedSchema):
    """A body or query that refuses unknown fields; its messages list the known ones and the values allowed."""

    error_messages = {"type": "allowed: a JSON object"}  # noqa: RUF012 - declared so by the base class
    keywords: ClassVar[Mapping[str, Any]] = {}
    """Keywords of its JSON Schema about the whole body, for which marshmallow has no validator."""

    class Meta:
        """Refuse unknown fields."""

        unknown = RAISE

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Let the messages of a field say which values are allowed; those of marshmallow say only that it is wrong."""
        allowed = next((text for kind, text in _ALLOWED.items() if isinstance(field_obj, kind)), "a value")
        refused = dict.fromkeys(_REFUSALS, f"allowed: {allowed}")
        field_obj.error_messages = {**field_obj.error_messages, "required": f"missing; give {allowed}", **refused}

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **kwargs: Any) -> None:
        """List the known fields in the message about an unknown one."""
        messages = cast(dict[Any, Any], error.messages)
        for key, found in messages.items():
            if found == [self.error_messages["unknown"]]:
                messages[key] = [f"unknown; {did_you_mean(str(key), sorted(self.load_fields))}"]


class AnswerSchema(StrictSchema):
    """The body of an answer: it holds each field, so that the document calls all of them required."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Require a field."""
        field_obj.required = True


def answer_of(name: str, /, **members: fields.Field[Any]) -> type[Schema]:
    """Return the schema of an answer with these members; ``name`` is its name in the document."""
    return AnswerSchema.from_dict({**members}, name=name)


def taking(name: str, /, **members: fields.Field[Any]) -> type[Schema]:
    """Return the schema of a body or query with these members; ``name`` is its name in the document."""
    return StrictSchema.from_dict({**members}, name=name)


class ChangeSchema(StrictSchema):
    """A body in which each field may be left out, but not all: a change of nothing would look as if it had worked."""

    keywords: ClassVar = {"minProperties": 1}

    @validates_schema
    def _changes_something(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if not data:
            raise nothing_to_change(self.load_fields)


def nothing_to_change(known: Iterable[str]) -> ValidationError:
    """Return the error about a change that gives none of the ``known`` fields."""
    return ValidationError(f"nothing to change; give at least one of {', '.join(sorted(known))}")


_ALLOWED: Final[dict[type[fields.Field[Any]], str]] = {
    fields.String: "text",
    fields.Boolean: "true or false",
    fields.Integer: "a whole number",
    fields.Float: "a number",
    fields.Dict: "a JSON object",
    Component: "a JSON object",
}
_REFUSALS: Final = ("invalid", "null", "special", "too_large", "invalid_utf8")
"""Names that marshmallow gives to the ways in which a value is wrong."""

INSTANT: Final[dict[str, Any]] = {"format": "date-time"}

_PRINTABLE: Final = f"[^{UNPRINTABLE}]*"
_VISIBLE: Final = rf"[^\s{UNPRINTABLE}]"
NAME: Final = f"^{_PRINTABLE}{_VISIBLE}{_PRINTABLE}$"
"""A name: white space at its ends is stripped, and something is left."""
CLIENT_NAME: Final = f"^{_PRINTABLE}{_VISIBLE}[^{UNPRINTABLE}]+{_VISIBLE}{_PRINTABLE}$"
"""A name of three characters at least."""
