"""Fault rules and presets over HTTP."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from sandbox.faults.book import RuleState
from sandbox.faults.presets import Preset, find_preset, load_presets
from sandbox.faults.rules import read_rule
from sandbox.web.control.base import Blueprint, current_sandbox, read_json_object
from sandbox.web.control.schemas import Component, answer_of, showing, taking

blueprint = Blueprint("faults", __name__, description="Failure on demand")


class _Rule(Component):
    """A fault rule, documented and written by the core."""

    def __init__(self, **options: Any) -> None:
        super().__init__("FaultRule", **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value.document()


FaultRuleStateSchema = showing(
    RuleState,
    "FaultRuleState",
    rule=_Rule(),
    created_at="On the sandbox clock.",
    seen="Requests that matched while it could act.",
    hits="Requests it acted on, passes of a sequence included.",
    used_up="Whether it has acted as often as it may.",
)
FaultRulesSchema = answer_of("FaultRules", faults=fields.List(fields.Nested(FaultRuleStateSchema)))


FaultPresetSchema = showing(Preset, "FaultPreset", rules=fields.List(_Rule()))


@blueprint.get("/faults", answer=FaultRulesSchema)
def list_faults() -> dict[str, Any]:
    """List the fault rules in the order in which they are tried, with their counts; used-up rules stay listed."""
    return {"faults": current_sandbox().platform.faults.rules()}


@blueprint.post("/faults", body="FaultRule", answer=FaultRuleStateSchema, status=201)
def add_fault() -> RuleState:
    """Add a fault rule after the existing ones.

    A rule acts on requests to the emulated API after they are authenticated, never on the control API. Of the rules
    that match a request, only the first acts whose schedule allows it.
    """
    return current_sandbox().platform.faults.add(read_rule(read_json_object()))


@blueprint.delete("/faults", answer=answer_of("FaultsRemoved", deleted=fields.Integer()))
def clear_faults() -> dict[str, int]:
    """Remove every fault rule; answers that the rules delay or hold back are aborted at once."""
    return {"deleted": current_sandbox().platform.faults.clear()}


@blueprint.get("/faults/<fault_id>", answer=FaultRuleStateSchema)
def get_fault(fault_id: str) -> RuleState:
    """Show one fault rule with its counts."""
    return current_sandbox().platform.faults.get(fault_id)


@blueprint.put("/faults/<fault_id>", body="FaultRule", answer=FaultRuleStateSchema)
def replace_fault(fault_id: str) -> RuleState:
    """Put another fault rule in the place of one; it keeps the id and the place in the order, its counts begin at 0.

    Answers that the rule before it delays or holds back are aborted at once.
    """
    return current_sandbox().platform.faults.replace(fault_id, read_rule(read_json_object()))


@blueprint.delete("/faults/<fault_id>", answer=FaultRuleStateSchema)
def remove_fault(fault_id: str) -> RuleState:
    """Remove a fault rule; answers that it delays or holds back are aborted at once."""
    return current_sandbox().platform.faults.remove(fault_id)


@blueprint.get(
    "/fault-presets", answer=answer_of("FaultPresets", presets=fields.List(fields.Nested(FaultPresetSchema)))
)
def list_fault_presets() -> dict[str, Any]:
    """List the presets: those of the sandbox, and those in the folder of the setting `presets_dir`."""
    presets = load_presets(current_sandbox().settings.presets_dir)
    return {"presets": list(presets.values())}


@blueprint.post(
    "/fault-presets/<preset_name>",
    body=taking("PresetUse", match=Component("FaultMatch", load_default=dict)),
    answer=FaultRulesSchema,
    status=201,
)
def use_fault_preset(body: dict[str, Any], preset_name: str) -> dict[str, Any]:
    """Add the rules of a preset after the existing rules."""
    sandbox = current_sandbox()
    preset = find_preset(preset_name, sandbox.settings.presets_dir)
    return {"faults": sandbox.platform.faults.add_all(preset.narrowed(body["match"]))}
