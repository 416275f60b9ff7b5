"""Run-time settings over HTTP."""

from __future__ import annotations

import dataclasses
from typing import Any

import jsonschema_rs
from marshmallow import INCLUDE, ValidationError, fields

from sandbox.foundation.settings import Settings, SettingSpec, setting_specs
from sandbox.web.control.base import Blueprint, current_sandbox, takes_body
from sandbox.web.control.fields import ChangeSchema
from sandbox.web.paths import PREFIX

blueprint = Blueprint(
    "settings", __name__, url_prefix=PREFIX, description="Settings that may change while the sandbox runs"
)


class _Value(fields.Raw):
    """A setting of the JSON type that the document says; all else about it is checked where settings are declared.

    There a text is read as well, for the command line and the environment: here ``"60"`` is no number.
    """

    def __init__(self, spec: SettingSpec) -> None:
        description = f"{spec.doc} Allowed: {spec.allowed}. Evidence: {spec.tag}."
        super().__init__(metadata={**spec.json_schema, "description": description})
        schema = spec.json_schema
        ranged = schema.get("type") == "integer" and "minimum" in schema and "maximum" in schema
        # Of a duration the declaration also offers the texts that are not read here.
        self._allowed = f"a whole number from {schema['minimum']} to {schema['maximum']}" if ranged else spec.allowed
        self._type = {"type": spec.json_schema["type"]}

    def _validate_missing(self, value: Any) -> None:
        """Let ``null`` pass: to some settings it is a value."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not jsonschema_rs.is_valid(self._type, value):
            raise ValidationError(f"allowed: {self._allowed}")
        return int(value) if isinstance(value, float) and value.is_integer() else value  # 60.0 is 60 in JSON


SettingsSchema = ChangeSchema.from_dict(
    {spec.name: _Value(spec) for spec in setting_specs() if spec.runtime}, name="SettingsSchema"
)
SettingsSchema.__doc__ = "Every run-time setting."


def _presented(settings: Settings) -> dict[str, Any]:
    values = dataclasses.asdict(settings)
    return {spec.name: values[spec.name] for spec in setting_specs() if spec.runtime}


@blueprint.get("/settings")
@blueprint.response(200, SettingsSchema)
def get_settings() -> dict[str, Any]:
    """Show the run-time settings in force."""
    return _presented(current_sandbox().settings)


@blueprint.patch("/settings")
@blueprint.arguments(SettingsSchema(unknown=INCLUDE))
@blueprint.response(200, SettingsSchema)
@takes_body(blueprint)
def change_settings(body: dict[str, Any]) -> dict[str, Any]:
    """Change run-time settings: all that are given, or none if one is refused."""
    return _presented(current_sandbox().change_settings(body))
