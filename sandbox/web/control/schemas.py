"""The schemas of the control API and their fields: strict with bodies and queries, complete in answers.

A body that the core checks has its JSON Schema from there: see ``Component``.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import datetime, timezone
from functools import partial
from itertools import islice
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from sandbox.foundation.bounds import Seconds
from sandbox.foundation.errors import did_you_mean
from sandbox.foundation.instants import format_instant
from sandbox.foundation.printable import UNPRINTABLE
from sandbox.web.control.problems import SharedSchema

MAX_LIMIT: Final = 1_000
"""Items of a page."""
DROPPED: Final = {"description": "How many are missing at most, because there were too many."}


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


class WholeNumber(fields.Integer):
    """A whole number of a body; JSON may write it as 60.0, but not as a text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strict=True, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        whole = isinstance(value, float) and value.is_integer()
        return super()._deserialize(int(value) if whole else value, attr, data, **kwargs)


def says(description: str, /, **more: object) -> dict[str, Any]:
    """Return the options of a field with a description, and with other keywords of its JSON Schema."""
    return {"metadata": {"description": description, **more}}


def one_of(*values: str) -> validate.OneOf:
    """Allow these values; the message about another one lists them."""
    return validate.OneOf(values, error="use one of {choices}")


def between(low: int, high: int) -> validate.Range:
    """Allow the numbers from ``low`` to ``high``; the message about another one gives both."""
    return validate.Range(low, high, error="use a number from {min} to {max}")


class StrictSchema(SharedSchema):
    """A body or query that refuses unknown fields; its messages list the known ones and the values allowed."""

    error_messages = {"type": "use a JSON object"}  # noqa: RUF012 - declared so by the base class
    keywords: ClassVar[Mapping[str, Any]] = {}
    """Keywords of its JSON Schema about the whole body, for which marshmallow has no validator."""

    class Meta:
        """Refuse unknown fields."""

        unknown = RAISE

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Let the messages of a field say which values are allowed; those of marshmallow say only that it is wrong."""
        allowed = _allowed(field_obj)
        refused = dict.fromkeys(_REFUSALS, f"use {allowed}")
        field_obj.error_messages = {**field_obj.error_messages, "required": f"missing; give {allowed}", **refused}
        if isinstance(field_obj, fields.List):
            self.on_bind_field(field_name, field_obj.inner)

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **kwargs: Any) -> None:
        """List the known fields in the message about an unknown one, and put the messages in the order of the input."""
        messages = cast(dict[Any, Any], error.messages)
        for key in data if isinstance(data, Mapping) else ():
            if key in messages:
                messages[key] = messages.pop(key)
        for key, found in messages.items():
            if found == [self.error_messages["unknown"]]:
                messages[key] = [f"unknown; {did_you_mean(str(key), sorted(self.load_fields))}"]


class AnswerSchema(StrictSchema):
    """The body of an answer: it holds each field, so that the document calls all of them required."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Require a field. It is never read, so several may show the same attribute."""
        field_obj.required = field_obj.dump_only = True


def answer_of(name: str, /, **members: fields.Field[Any]) -> type[Schema]:
    """Return the schema of an answer with these members; ``name`` is its name in the document."""
    return AnswerSchema.from_dict({**members}, name=name)


class PageQuerySchema(StrictSchema):
    after = fields.Integer(load_default=0, validate=between(0, 10**18), **says("The number of the last run seen."))
    limit = fields.Integer(load_default=100, validate=between(1, MAX_LIMIT))


def page_of(name: str, run: type[Schema], /) -> type[Schema]:
    """Return the schema of a page of runs."""
    next_after = fields.Integer(allow_none=True, **says("Cursor for the next page; null on the last."))
    runs = fields.List(fields.Nested(run))
    return answer_of(name, runs=runs, next_after=next_after, dropped=fields.Integer(metadata=DROPPED))


def page(runs: Iterable[Any], after: int, limit: int, dropped: int) -> dict[str, Any]:
    """Return the page of runs whose numbers are above ``after``."""
    found = list(islice((run for run in runs if run.number > after), limit + 1))
    more = len(found) > limit
    return {"runs": found[:limit], "next_after": found[limit - 1].number if more else None, "dropped": dropped}


def showing(kind: type, name: str = "", /, **own: str | fields.Field[Any] | None) -> type[Schema]:
    """Return the schema of an answer that shows the fields of a type of the core, and more.

    ``own`` has by name the description of a field; or a field, in place of the one of the type or behind them; or
    ``None`` for one that is not shown. ``name`` is its name in the document, if not that of the type.

    A field that may be a secret is in no answer by accident: raise ``TypeError`` where ``own`` does not have it.
    """
    hints = get_type_hints(kind, localns={"JsonValue": Any}, include_extras=True)
    hidden = {each.name for each in dataclasses.fields(kind) if not each.repr} if is_dataclass(kind) else set()
    if unsaid := [each for each in hints if each not in own and (each in hidden or _MAY_BE_SECRET.search(each))]:
        raise TypeError(f"{kind.__name__}.{unsaid[0]} may be a secret: describe it here, or give None to hide it")
    members = {each: own.pop(each, "") for each in hints} | own
    shown = {
        each: _field_of(hints[each], says(given) if given else {}) if isinstance(given, str) else given
        for each, given in members.items()
        if given is not None
    }
    return answer_of(name or kind.__name__, **shown)


_MAY_BE_SECRET: Final = re.compile("secret|password|signature|credential|token|(?:^|_)(?:key|pem|hash|salt|digest)s?$")


def _field_of(hint: Any, options: Mapping[str, Any]) -> fields.Field[Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint == Seconds:
        return Instant(**options)
    if origin is Annotated:
        return _field_of(arguments[0], options)
    if origin in (Union, UnionType):
        [kind] = {*arguments} - {NoneType}
        return _field_of(kind, {"allow_none": True, **options})
    if origin is Literal:
        return fields.String(validate=one_of(*arguments), **options)
    if origin in (tuple, Sequence):
        return fields.List(_field_of(arguments[0], {}), **options)
    if origin is Mapping:
        return fields.Dict(**options)
    return _FIELDS[hint](**options)


_FIELDS: Final[Mapping[Any, Callable[..., fields.Field[Any]]]] = {
    Any: partial(fields.Raw, allow_none=True),
    bool: fields.Boolean,
    datetime: Instant,
    float: fields.Float,
    int: fields.Integer,
    str: fields.String,
}


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


def _allowed(field: fields.Field[Any]) -> str:
    """Return in words what a field takes; its metadata ``allowed`` says it where its class and validators do not."""
    kind = next(text for kind, text in _ALLOWED.items() if isinstance(field, kind))
    for validator in field.validators:
        match validator:
            case validate.OneOf():
                return f"one of {validator.choices_text}"
            case validate.Range():
                return f"{kind} from {validator.min} to {validator.max}"
    return str(field.metadata.get("allowed", kind))


_ALLOWED: Final[dict[type[fields.Field[Any]], str]] = {
    fields.String: "text",
    fields.Boolean: "true or false",
    fields.Integer: "a whole number",
    fields.Float: "a number",
    fields.Dict: "a JSON object",
    fields.Nested: "a JSON object",
    fields.List: "a list",
    fields.Raw: "any JSON value but null",
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
