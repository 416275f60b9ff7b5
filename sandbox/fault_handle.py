"""``patchworks.faults``: the fault rules of a sandbox as a test sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.backend import FaultRules
from sandbox.faults.book import RuleState
from sandbox.faults.fault import Fault
from sandbox.faults.rules import make_rule


class Faults:
    """The rules in force, in the order in which they are tried; a reset leaves those of the seed."""

    def __init__(self, rules: FaultRules) -> None:
        self._rules = rules

    def add(self, fault: Fault | Mapping[str, Any], **fields: object) -> RuleState:
        """Add a rule: ``add(status(503), endpoint="inbound", vanity_url="orders", times=2)``.

        ``fields`` are those of the rule and of its match, side by side. Raise ``InvalidValueError``.
        """
        return self._rules.add(make_rule(fault, **fields))

    def preset(self, name: str, **match: object) -> list[RuleState]:
        """Add the rules of a preset, narrowed to requests that match: ``preset("slow-platform", vanity_url="orders")``.

        Raise ``NotFoundError`` naming the presets there are.
        """
        return self._rules.add_preset(name, match)

    def presets(self) -> dict[str, str]:
        """Return the names of the presets there are, with their stories."""
        return self._rules.presets()

    def list(self) -> list[RuleState]:
        """Return every rule, used up or not, with its counts."""
        return self._rules.rules()

    def get(self, rule: str | RuleState) -> RuleState:
        """Return a rule as it stands now, by its id or an earlier state; raise ``NotFoundError``."""
        return self._rules.get(_id(rule))

    def remove(self, rule: str | RuleState) -> None:
        """Remove a rule; answers that it delays or holds back are aborted at once. Raise ``NotFoundError``."""
        self._rules.remove(_id(rule))

    def clear(self) -> None:
        """Remove every rule; answers that they delay or hold back are aborted at once."""
        self._rules.clear()

    def __iter__(self) -> Iterator[RuleState]:
        return iter(self.list())

    def __len__(self) -> int:
        return len(self.list())


def _id(rule: str | RuleState) -> str:
    return rule if isinstance(rule, str) else rule.id
