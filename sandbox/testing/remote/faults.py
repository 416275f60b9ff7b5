"""The fault rules of a sandbox behind a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sandbox.faults.book import RuleState
from sandbox.faults.rules import FaultRule
from sandbox.testing.remote.control_api import ControlApi
from sandbox.testing.remote.reading import read_rule_state


@dataclass(frozen=True)
class RemoteFaults:
    """``FaultRules`` that ask a control API."""

    api: ControlApi

    def add(self, rule: FaultRule) -> RuleState:
        """Put a rule behind those there are."""
        return read_rule_state(self.api.call("POST", "/faults", rule.document()))

    def add_preset(self, name: str, match: Mapping[str, object]) -> list[RuleState]:
        """Put the rules of a preset behind those there are, narrowed; raise ``NotFoundError``."""
        answer = self.api.call("POST", f"/fault-presets/{quote(name, safe='')}", {"match": dict(match)})
        return _states(answer)

    def presets(self) -> dict[str, str]:
        """Return the stories of the presets by name."""
        return {preset["name"]: preset["story"] for preset in self.api.get("/fault-presets")["presets"]}

    def rules(self) -> list[RuleState]:
        """Return every rule in order, used up or not."""
        return _states(self.api.get("/faults"))

    def get(self, rule_id: str) -> RuleState:
        """Return a rule, or raise ``NotFoundError``."""
        return read_rule_state(self.api.get(f"/faults/{quote(rule_id, safe='')}"))

    def remove(self, rule_id: str) -> RuleState:
        """Remove a rule, or raise ``NotFoundError``."""
        return read_rule_state(self.api.call("DELETE", f"/faults/{quote(rule_id, safe='')}"))

    def clear(self) -> int:
        """Remove every rule; return how many there were."""
        deleted: int = self.api.call("DELETE", "/faults")["deleted"]
        return deleted


def _states(answer: Any) -> list[RuleState]:
    return [read_rule_state(state) for state in answer["faults"]]
