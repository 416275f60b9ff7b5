"""Fault rules and presets over HTTP."""

from __future__ import annotations

from typing import Any

from marshmallow import INCLUDE, fields

from sandbox.faults.book import RuleState
from sandbox.faults.presets import Preset, find_preset, load_presets
from sandbox.faults.rules import read_rule
from sandbox.faults.schemas import schemas
from sandbox.web.control.base import Blueprint, current_sandbox, problems, takes_body
from sandbox.web.control.fields import Instant, StrictSchema
from sandbox.web.paths import PREFIX

blueprint = Blueprint("faults", __name__, url_prefix=PREFIX, description="Failure on demand")

_NO_RULE = "There is no such fault rule."


class FaultRuleSchema(StrictSchema):
    """A fault rule as it is given; the core reads it, and ``describe_faults`` documents it."""

    class Meta:
        """Leave everything to the core, which names what is wrong more precisely."""

        unknown = INCLUDE


class FaultRuleStateSchema(StrictSchema):
    """A fault rule in force, used up or not."""

    id = fields.String(required=True)
    created_at = Instant(required=True, metadata={"description": "On the sandbox clock."})
    seen = fields.Integer(
        required=True, strict=True, metadata={"description": "Requests that matched while it could act."}
    )
    hits = fields.Integer(
        required=True, strict=True, metadata={"description": "Requests it acted on, passes of a sequence included."}
    )
    used_up = fields.Boolean(required=True, metadata={"description": "Whether it has acted as often as it may."})
    rule = fields.Dict(required=True)


class FaultRulesSchema(StrictSchema):
    """Fault rules, in the order in which they are tried."""

    faults = fields.List(fields.Nested(FaultRuleStateSchema), required=True)


class FaultsRemovedSchema(StrictSchema):
    """How many fault rules were removed."""

    deleted = fields.Integer(required=True, strict=True)


class FaultPresetSchema(StrictSchema):
    """A story of failure that can be switched on by its name."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    story = fields.String(required=True)
    rules = fields.List(fields.Dict(), required=True)


class FaultPresetsSchema(StrictSchema):
    """The presets there are."""

    presets = fields.List(fields.Nested(FaultPresetSchema), required=True)


class PresetUseSchema(StrictSchema):
    """How to use a preset."""

    match = fields.Dict(load_default=dict, metadata={"description": "More conditions that requests must meet."})


def describe_faults(spec: Any) -> None:
    """Put the schemas of faults and rules, which come from the kinds themselves, into an OpenAPI document."""
    components = spec.components.schemas
    components.update(schemas())
    rule = {"$ref": "#/components/schemas/FaultRule"}
    components["FaultRuleState"]["properties"]["rule"] = rule
    components["FaultPreset"]["properties"]["rules"]["items"] = rule
    components["PresetUse"]["properties"]["match"] = {"$ref": "#/components/schemas/FaultMatch"}


def _presented(state: RuleState) -> dict[str, Any]:
    return {
        "id": state.id,
        "created_at": state.created_at,
        "seen": state.seen,
        "hits": state.hits,
        "used_up": state.used_up,
        "rule": state.rule.document(),
    }


def _presented_preset(preset: Preset) -> dict[str, Any]:
    rules = [rule.document() for rule in preset.rules]
    return {"name": preset.name, "title": preset.title, "story": preset.story, "rules": rules}


@blueprint.get("/faults")
@blueprint.response(200, FaultRulesSchema)
def list_faults() -> dict[str, Any]:
    """List the fault rules in the order in which they are tried; those used up stay, with their counts."""
    return {"faults": [_presented(state) for state in current_sandbox().platform.faults.rules()]}


@blueprint.post("/faults")
@blueprint.arguments(FaultRuleSchema)
@blueprint.response(201, FaultRuleStateSchema)
@takes_body(blueprint)
def add_fault(body: dict[str, Any]) -> dict[str, Any]:
    """Add a fault rule behind those there are.

    It acts on requests to the emulated API after they are authenticated; the control API is never faulted. Of the rules
    that match a request the first acts that its schedule lets act, and no other.
    """
    return _presented(current_sandbox().platform.faults.add(read_rule(body)))


@blueprint.delete("/faults")
@blueprint.response(200, FaultsRemovedSchema)
def clear_faults() -> dict[str, int]:
    """Remove every fault rule; answers that they delay or hold back are aborted at once."""
    return {"deleted": current_sandbox().platform.faults.clear()}


@blueprint.get("/faults/<fault_id>")
@blueprint.response(200, FaultRuleStateSchema)
@problems(blueprint, not_found=_NO_RULE)
def get_fault(fault_id: str) -> dict[str, Any]:
    """Show one fault rule with its counts."""
    return _presented(current_sandbox().platform.faults.get(fault_id))


@blueprint.delete("/faults/<fault_id>")
@blueprint.response(200, FaultRuleStateSchema)
@problems(blueprint, not_found=_NO_RULE)
def remove_fault(fault_id: str) -> dict[str, Any]:
    """Remove a fault rule; answers that it delays or holds back are aborted at once."""
    return _presented(current_sandbox().platform.faults.remove(fault_id))


@blueprint.get("/fault-presets")
@blueprint.response(200, FaultPresetsSchema)
def list_fault_presets() -> dict[str, Any]:
    """List the presets: ours, and those in the folder of the setting `presets_dir`."""
    presets = load_presets(current_sandbox().settings.presets_dir)
    return {"presets": [_presented_preset(preset) for preset in presets.values()]}


@blueprint.post("/fault-presets/<preset_name>")
@blueprint.arguments(PresetUseSchema, required=False)
@blueprint.response(201, FaultRulesSchema)
@takes_body(blueprint, not_found="There is no such preset.")
def use_fault_preset(body: dict[str, Any], preset_name: str) -> dict[str, Any]:
    """Add the rules of a preset behind those there are."""
    sandbox = current_sandbox()
    preset = find_preset(preset_name, sandbox.settings.presets_dir)
    added = sandbox.platform.faults.add_all(preset.narrowed(body["match"]))
    return {"faults": [_presented(state) for state in added]}
