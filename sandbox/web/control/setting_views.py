"""Run-time settings over HTTP."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
from flask import Response, jsonify
from marshmallow import ValidationError

from sandbox.foundation.settings import Settings, SettingSpec, setting_specs
from sandbox.web.control.base import Blueprint, current_sandbox, read_json_object
from sandbox.web.control.schemas import nothing_to_change

blueprint = Blueprint("settings", __name__, description="Settings that may change while the sandbox runs")


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of the run-time settings by its name."""
    properties = {
        name: {**spec.type.schema, "description": f"{spec.doc} Allowed: {spec.type.allowed}. Evidence: {spec.tag}."}
        for name, spec in _run_time_settings().items()
    }
    settings = {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}
    return {"Settings": settings}


@blueprint.get("/settings", answer="Settings")
def get_settings() -> Response:
    """Show the run-time settings in force."""
    return _presented(current_sandbox().settings)


@blueprint.patch("/settings", body="Settings", answer="Settings")
def change_settings() -> Response:
    """Change run-time settings: all that are given, or none if one is refused."""
    return _presented(current_sandbox().change_settings(_checked(read_json_object())))


def _run_time_settings() -> dict[str, SettingSpec]:
    return {spec.name: spec for spec in setting_specs() if spec.runtime}


def _presented(settings: Settings) -> Response:
    values = dataclasses.asdict(settings)
    return jsonify({name: values[name] for name in _run_time_settings()})


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes if each is of the JSON type that the document says; raise ``ValidationError``.

    The core checks everything else. For the command line and the environment it reads text too: here ``"60"`` is no
    number, but ``60.0`` is 60.
    """
    known = _run_time_settings()
    if not changes:
        raise nothing_to_change(known)
    wrong = {
        name: [f"use {_allowed(known[name])}"]
        for name, value in changes.items()
        if name in known and not jsonschema_rs.is_valid({"type": known[name].type.schema["type"]}, value)
    }
    if wrong:
        raise ValidationError(wrong, data=dict(changes))
    return dict(changes)


def _allowed(spec: SettingSpec) -> str:
    """Return what is allowed in JSON: of a duration the declaration also offers texts."""
    schema = spec.type.schema
    if schema.get("type") == "integer" and "minimum" in schema and "maximum" in schema:
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    return spec.type.allowed
