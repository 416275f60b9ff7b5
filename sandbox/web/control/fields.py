"""Fields and schemas of the control API: JSON types taken at their word, and errors that say what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, ClassVar, Final, cast

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from sandbox.foundation.clock import format_instant
from sandbox.foundation.errors import did_you_mean


class Flag(fields.Boolean):
    """``true`` or ``false``, not what could be read as one of them."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Number(fields.Float):
    """A finite number, not one in quotes."""

    def _validated(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Instant(fields.Field[datetime]):
    """An instant at the edge: ISO 8601 in UTC with ``Z``; inside a datetime or Unix seconds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metadata = {"type": "string", "format": "date-time", **self.metadata}

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        instant = value if isinstance(value, datetime) else datetime.fromtimestamp(value, timezone.utc)
        return format_instant(instant)


def one_of(*values: str) -> validate.OneOf:
    """Allow these values and name them when another is given."""
    return validate.OneOf(values, error="allowed: {choices}")


def between(low: int, high: int) -> validate.Range:
    """Allow the numbers from ``low`` to ``high`` and name both when another is given."""
    return validate.Range(low, high, error="allowed: {min} to {max}")


class StrictSchema(Schema):
    """A body or query in which unknown fields are refused, naming those that are known."""

    error_messages = {"type": "allowed: a JSON object"}  # noqa: RUF012 - declared so by the base class

    class Meta:
        """Refuse what is unknown."""

        unknown = RAISE

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Give a field messages that say what is allowed in place of those that say only that it is wrong."""
        allowed = next((text for kind, text in _ALLOWED.items() if isinstance(field_obj, kind)), "a value")
        refused = f"allowed: {allowed}"
        ours = {"required": f"missing; give {allowed}"} | dict.fromkeys(_REFUSALS, refused)
        field_obj.error_messages = {**field_obj.error_messages, **ours}

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **kwargs: Any) -> None:
        """Name the known fields in the message about an unknown one."""
        messages = cast(dict[Any, Any], error.messages)
        for key, found in messages.items():
            if found == [self.error_messages["unknown"]]:
                messages[key] = [f"unknown; {did_you_mean(str(key), sorted(self.load_fields))}"]


class ChangeSchema(StrictSchema):
    """A body in which everything may be left out, but not all of it: that would look as if it had done something."""

    class Meta(StrictSchema.Meta):
        """Say so in the document."""

        keywords: ClassVar = {"minProperties": 1}

    @validates_schema
    def _changes_something(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if not data:
            raise ValidationError(f"nothing to change; give at least one of {', '.join(sorted(self.load_fields))}")


_ALLOWED: Final[dict[type[fields.Field[Any]], str]] = {
    fields.String: "text",
    fields.Boolean: "true or false",
    fields.Integer: "a whole number",
    fields.Float: "a number",
    fields.Dict: "a JSON object",
}
_REFUSALS: Final = ("invalid", "null", "special", "too_large", "invalid_utf8")
"""Names that marshmallow gives to the ways in which a value is wrong."""

_INK: Final = r"[^\s\x1c-\x1f\x85]"
"""A character that is not stripped as white space."""

NAME: Final[dict[str, Any]] = {"minLength": 1, "maxLength": 255, "pattern": _INK}
CLIENT_NAME: Final[dict[str, Any]] = {"minLength": 3, "maxLength": 255, "pattern": rf"{_INK}[\s\S]+{_INK}"}
SLUG: Final[dict[str, Any]] = {"pattern": "^[a-z0-9][a-z0-9-]{1,62}$"}
VANITY_URL: Final[dict[str, Any]] = {"pattern": "^[A-Za-z0-9_-]{3,36}$"}
CURSOR: Final[dict[str, Any]] = {"pattern": "^([0-9a-f]+-)?[0-9]{1,18}$"}
CURSOR_OR_EMPTY: Final[dict[str, Any]] = {"pattern": "^(([0-9a-f]+-)?[0-9]{1,18})?$"}
INSTANT: Final[dict[str, Any]] = {"format": "date-time"}
DURATION: Final[dict[str, Any]] = {
    "minLength": 2,
    "pattern": r"^[+-]?[Pp]?(\d+[Ww])?(\d+[Dd])?[Tt]?(\d+[Hh])?(\d+[Mm])?(\d+(\.\d+)?[Ss])?$",
}
JSON_PATH: Final[dict[str, Any]] = {"format": "json-path", "pattern": r"^\$"}
"""The format has no official name; RFC 9535 is young."""

ANY_VALUE: Final[dict[str, Any]] = {"type": ["object", "array", "string", "number", "boolean"]}
"""Any JSON but ``null``, which stands for nothing given."""
